#include "heartbeat.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "afterspike/io/json.hpp"

namespace afterspike::train {
namespace {

constexpr const char* kVerdict = "verdict";
constexpr const char* kTrouble = "trouble";

/// Added to a count to mark that the rank has left.
constexpr std::int64_t kLeft = std::int64_t{1} << 40;

std::chrono::duration<double> seconds(double value) {
  return std::chrono::duration<double>(value);
}

std::string count_of(int rank) {
  return fmt::format("beats/{}", rank);
}

std::string encode(const Error& error) {
  return io::Json{{"kind", error.kind()}, {"message", error.what()}}.dump();
}

Error decode(const std::string& text) {
  const io::Json json = io::parse_json(text, "verdict", ErrorKind::lost);
  return {json.at("kind").get<ErrorKind>(), json.at("message").get<std::string>()};
}

}  // namespace

Heartbeat::Heartbeat(std::unique_ptr<Board> board, HeartbeatOptions options)
    : board_(std::move(board)), others_(options.hosts.size()), options_(std::move(options)) {
  for (Other& other : others_) other.heard = Clock::now();
  thread_ = std::thread([this] { run(); });
}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = noticed_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string Heartbeat::name(int rank) const {
  return fmt::format("rank {} (on {})", rank, options_.hosts[static_cast<std::size_t>(rank)]);
}

std::optional<Error> Heartbeat::verdict() {
  const std::lock_guard lock(mutex_);
  noticed_ = noticed_ || verdict_.has_value();
  return verdict_;
}

Error Heartbeat::await_verdict(const std::string& what) {
  std::unique_lock lock(mutex_);
  trouble_ = true;
  changed_.notify_all();
  // A rank that ended is silent from then on; the rest allows for delays of the board.
  changed_.wait_for(lock, seconds(options_.timeout_s + 5 * options_.interval_s),
                    [&] { return verdict_.has_value(); });
  noticed_ = true;
  if (verdict_) return *verdict_;
  return {ErrorKind::lost, fmt::format("a connection to another rank has ended: {}", what)};
}

void Heartbeat::post(const Error& error) {
  const std::lock_guard lock(mutex_);
  noticed_ = true;
  if (verdict_ || own_) return;
  own_ = Error(error.kind(), fmt::format("{} has failed: {}", name(options_.rank), error.what()));
  changed_.notify_all();
}

void Heartbeat::run() {
  bool leaving = false;
  while (!leaving) {
    try {
      if (board_ != nullptr) beat();
    } catch (const std::exception&) {
      board_.reset();
      settle({ErrorKind::lost, fmt::format("{} is lost: it does not answer any more", name(0))});
    }
    insist();
    std::unique_lock lock(mutex_);
    const auto news = [&] {
      return leaving_ || (!verdict_ && (own_ || (trouble_ && !told_trouble_)));
    };
    changed_.wait_for(lock, seconds(options_.interval_s), news);
    leaving = leaving_;
  }
  try {
    if (board_ != nullptr) say_goodbye();
  } catch (const std::exception&) {
    // Rank 0 has ended before; there is nobody left to tell.
  }
}

void Heartbeat::beat() {
  board_->add(count_of(options_.rank), 1);
  std::optional<Error> posted;
  bool trouble = false;
  {
    const std::lock_guard lock(mutex_);
    if (verdict_) return;
    posted = own_;
    trouble = trouble_;
  }
  if (posted) board_->write_once(kVerdict, encode(*posted));
  if (trouble && !std::exchange(told_trouble_, true)) board_->add(kTrouble, 1);
  if (options_.rank == 0) look_after_others();
  if (const auto text = board_->read(kVerdict)) settle(decode(*text));
}

void Heartbeat::look_after_others() {
  const double limit = board_->add(kTrouble, 0) > 0
                           ? std::min(options_.suspicion_s, options_.timeout_s)
                           : options_.timeout_s;
  std::vector<std::string> lost;
  double silence_s = limit;
  for (std::size_t rank = 1; rank < others_.size(); ++rank) {
    Other& other = others_[rank];
    const std::int64_t beats = board_->add(count_of(static_cast<int>(rank)), 0);
    if (beats != other.beats) other.heard = Clock::now();
    other.beats = beats;
    other.left = beats >= kLeft;
    const std::chrono::duration<double> silence = Clock::now() - other.heard;
    if (other.left || silence.count() <= limit) continue;
    lost.push_back(name(static_cast<int>(rank)));
    silence_s = std::max(silence_s, silence.count());
  }
  if (lost.empty()) return;
  const Error error(ErrorKind::lost,
                    fmt::format("{} {} lost: no sign of life for {:.0f} s", fmt::join(lost, ", "),
                                lost.size() == 1 ? "is" : "are", silence_s));
  board_->write_once(kVerdict, encode(error));
}

void Heartbeat::settle(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (verdict_) return;
  verdict_ = error;
  settled_ = Clock::now();
  changed_.notify_all();
}

void Heartbeat::insist() {
  std::optional<Error> error;
  {
    const std::lock_guard lock(mutex_);
    if (!verdict_ || leaving_) return;
    const bool late = Clock::now() - settled_ > seconds(options_.patience_s);
    if (late && !noticed_ && !gave_up_) error = verdict_;
  }
  options_.interrupt();
  if (!error || !options_.give_up) return;
  gave_up_ = true;
  options_.give_up(*error);
}

void Heartbeat::say_goodbye() {
  std::optional<Error> posted;
  {
    const std::lock_guard lock(mutex_);
    if (!verdict_) posted = own_;
  }
  if (posted) board_->write_once(kVerdict, encode(*posted));
  board_->add(count_of(options_.rank), kLeft);
  if (options_.rank != 0) return;
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds(options_.timeout_s));
  const auto gone = [&](std::size_t rank) {
    Other& other = others_[rank];
    const std::int64_t beats = board_->add(count_of(static_cast<int>(rank)), 0);
    if (beats != std::exchange(other.beats, beats)) other.heard = Clock::now();
    return beats >= kLeft || Clock::now() - other.heard > seconds(options_.suspicion_s);
  };
  for (std::size_t rank = 1; rank < others_.size(); ++rank) {
    while (!gone(rank) && Clock::now() < end) {
      std::this_thread::sleep_for(seconds(std::min(0.02, options_.interval_s)));
    }
  }
}

}  // namespace afterspike::train
