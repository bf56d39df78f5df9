// The only file that uses LibTorch's c10d.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "address.hpp"
#include "afterspike/train/connect.hpp"
#include "heartbeat.hpp"
#include "meeting_point.hpp"

namespace afterspike::train {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Work = c10::intrusive_ptr<c10d::Work>;

/// The heartbeat, not Gloo, decides which rank is too slow (a rank may write a checkpoint for a
/// while).
constexpr std::chrono::hours kGlooTimeout{24 * 30};

/// Version of the messages that ranks exchange before they work; another number means other code.
constexpr int kProtocol = 1;

milliseconds in_milliseconds(double seconds) {
  return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// Returns the first line of a LibTorch or Gloo message, without the stack.
std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

class MeetingBoard final : public Board {
 public:
  explicit MeetingBoard(std::unique_ptr<MeetingPoint> point) : point_(std::move(point)) {}
  std::int64_t add(const std::string& name, std::int64_t value) override {
    return point_->add(name, value);
  }
  void write_once(const std::string& name, const std::string& text) override {
    point_->set_once(name, text);
  }
  std::optional<std::string> read(const std::string& name) override { return point_->get(name); }

 private:
  std::unique_ptr<MeetingPoint> point_;
};

/// The meeting point as Gloo asks for a store.
class MeetingStore final : public c10d::Store {
 public:
  MeetingStore(std::shared_ptr<MeetingPoint> point, milliseconds timeout)
      : c10d::Store(timeout), point_(std::move(point)) {}

  void set(const std::string& key, const std::vector<std::uint8_t>& value) override {
    point_->set(key, text_of(value));
  }
  std::vector<std::uint8_t> get(const std::string& key) override {
    wait({key}, timeout_);
    return bytes_of(point_->get(key).value());
  }
  std::int64_t add(const std::string& key, std::int64_t value) override {
    return point_->add(key, value);
  }
  bool deleteKey(const std::string& key) override { return point_->remove(key); }
  bool check(const std::vector<std::string>& keys) override {
    return std::all_of(keys.begin(), keys.end(),
                       [&](const std::string& key) { return point_->get(key).has_value(); });
  }
  std::int64_t getNumKeys() override {
    fail(ErrorKind::internal, "the meeting point does not count its keys");
  }
  void wait(const std::vector<std::string>& keys) override { wait(keys, timeout_); }
  void wait(const std::vector<std::string>& keys, const milliseconds& timeout) override {
    const Clock::time_point end = Clock::now() + timeout;
    while (!check(keys)) {
      require(Clock::now() < end, ErrorKind::lost, "no word of another rank for {} ms",
              timeout.count());
      std::this_thread::sleep_for(milliseconds(5));
    }
  }

 private:
  std::shared_ptr<MeetingPoint> point_;
};

/// Information that each rank publishes.
struct Member {
  std::string host;
  std::string master;  ///< Address of rank 0, as seen from there.
};

std::string member_key(int rank) {
  return fmt::format("member/{}", rank);
}

/// Key under which rank 0 writes why it stops.
constexpr const char* kRefusal = "refusal";

/// Waits until all `names` are in the store; returns the indices of those that never appear.
std::vector<std::size_t> await(MeetingPoint& point, const std::vector<std::string>& names,
                               double timeout_s) {
  const Clock::time_point end = Clock::now() + in_milliseconds(timeout_s);
  std::vector<std::size_t> missing;
  do {
    missing.clear();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!point.get(names[i])) missing.push_back(i);
    }
    if (missing.empty()) return missing;
    if (const auto refusal = point.get(kRefusal)) {
      fail(ErrorKind::lost, "rank 0 has failed: {}", *refusal);
    }
    std::this_thread::sleep_for(milliseconds(20));
  } while (Clock::now() < end);
  return missing;
}

/// Returns "3, 5", or the first of many and the count of the others.
std::string shortened(std::vector<std::size_t> ranks) {
  constexpr std::size_t kNamed = 8;
  const std::size_t more = ranks.size() - std::min(ranks.size(), kNamed);
  ranks.resize(ranks.size() - more);
  const std::string names = fmt::format("{}", fmt::join(ranks, ", "));
  return more == 0 ? names : fmt::format("{} and {} others", names, more);
}

/// Publishes this rank and waits for all others.
std::vector<Member> meet(MeetingPoint& point, const Rendezvous& rendezvous,
                         const ConnectOptions& options) {
  require(point.add(fmt::format("joined/{}", rendezvous.rank), 1) == 1, ErrorKind::config,
          "another process is rank {} at {}:{}; expected each rank once, and a port of its own for "
          "each training (MASTER_PORT, --master-port)",
          rendezvous.rank, rendezvous.address, rendezvous.port);
  const io::Json own = {{"protocol", kProtocol},
                        {"size", rendezvous.size},
                        {"host", host_name()},
                        {"master", address_of(rendezvous.address)}};
  point.set(member_key(rendezvous.rank), own.dump());
  std::vector<std::string> names;
  for (int rank = 0; rank < rendezvous.size; ++rank) names.push_back(member_key(rank));
  const std::vector<std::size_t> missing = await(point, names, options.join_timeout_s);
  require(missing.empty(), ErrorKind::lost, "rank {} of {} did not come within {:g} s",
          shortened(missing), rendezvous.size, options.join_timeout_s);
  std::vector<Member> members;
  for (const std::string& name : names) {
    const io::Json member = io::parse_json(point.get(name).value_or(""), name, ErrorKind::lost);
    for (const char* fact : {"protocol", "size"}) {
      require(member.at(fact) == own.at(fact), ErrorKind::config,
              "{}: found {} on rank {}, expected {}, as on rank {}: all ranks need the same "
              "version of afterspike and the same number of processes",
              fact, member.at(fact).dump(), members.size(), own.at(fact).dump(), rendezvous.rank);
    }
    members.push_back({member.at("host"), member.at("master")});
  }
  return members;
}

/// As meet(), and tells the others if this rank fails meanwhile, because there is no heartbeat yet.
std::vector<Member> meet_or_say(MeetingPoint& point, const Rendezvous& rendezvous,
                                const ConnectOptions& options) {
  try {
    return meet(point, rendezvous, options);
  } catch (const Error& error) {
    if (rendezvous.rank > 0) throw;
    point.set(kRefusal, error.what());
    std::this_thread::sleep_for(milliseconds(500));  // The others poll every 20 ms.
    throw;
  } catch (const std::exception& error) {
    fail(ErrorKind::lost, "rank 0 at {}:{} does not answer any more: {}", rendezvous.address,
         rendezvous.port, first_line(error));
  }
}

/// Returns the address on which this rank listens: towards rank 0 or, on the machine of rank 0, the
/// one by which other machines reach it. A host's own name often resolves to 127.0.1.1 locally,
/// which nobody else reaches.
std::string own_address(const std::vector<Member>& members) {
  std::string master = members.front().master;
  for (const Member& member : members) {
    if (is_loopback(master)) master = member.master;
  }
  return address_towards(master);
}

class GlooRanks final : public Ranks {
 public:
  GlooRanks(const Rendezvous& rendezvous, const ConnectOptions& options)
      : rendezvous_(rendezvous), answer_timeout_(in_milliseconds(options.rank_timeout_s)) {
    if (rendezvous.rank == 0) {
      server_ =
          std::make_unique<MeetingPointServer>(rendezvous.address, rendezvous.port, options.token);
    }
    point_ = connect_point(options);
    const std::vector<Member> members = meet_or_say(*point_, rendezvous, options);
    const Member& self = members[static_cast<std::size_t>(rendezvous.rank)];
    on_this_host_ = static_cast<int>(std::count_if(
        members.begin(), members.end(), [&](const Member& m) { return m.host == self.host; }));
    watch(members, options);
    connect_group(own_address(members));
  }

  ~GlooRanks() override {
    heartbeat_.reset();
    group_.reset();
    point_.reset();
    server_.reset();
  }

  int rank() const noexcept override { return rendezvous_.rank; }
  int size() const noexcept override { return rendezvous_.size; }
  int on_this_host() const noexcept override { return on_this_host_; }
  void fold(const at::Tensor& values, const Add& add) override;
  void stop(const Error& error) noexcept override;

 private:
  std::unique_ptr<MeetingPoint> connect_point(const ConnectOptions& options) const;
  void watch(const std::vector<Member>& members, const ConnectOptions& options);
  void connect_group(const std::string& address);
  Work receive(const at::Tensor& part, int from, std::size_t tag);
  Work send(const at::Tensor& part, int to, std::size_t tag);
  void await_work(const Work& work);
  void pass_on(const std::vector<at::Tensor>& parts, const Add& add);
  void remember(const Work& work);
  void interrupt();

  const Rendezvous rendezvous_;
  const milliseconds answer_timeout_;
  int on_this_host_ = 1;
  std::unique_ptr<MeetingPointServer> server_;  ///< Null on other ranks.
  std::shared_ptr<MeetingPoint> point_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::mutex mutex_;  ///< Guards under_way_.
  std::vector<Work> under_way_;
  std::unique_ptr<Heartbeat> heartbeat_;
};

std::unique_ptr<MeetingPoint> GlooRanks::connect_point(const ConnectOptions& options) const {
  return std::make_unique<MeetingPoint>(
      server_ ? server_->address() : rendezvous_.address, rendezvous_.port, options.token,
      in_milliseconds(options.join_timeout_s), in_milliseconds(options.rank_timeout_s));
}

void GlooRanks::watch(const std::vector<Member>& members, const ConnectOptions& options) {
  HeartbeatOptions wanted;
  wanted.rank = rendezvous_.rank;
  for (const Member& member : members) wanted.hosts.push_back(member.host);
  wanted.timeout_s = options.rank_timeout_s;
  wanted.interval_s = std::min(1.0, options.rank_timeout_s / 5);
  wanted.patience_s = kPatience_s;
  wanted.interrupt = [this] { interrupt(); };
  wanted.give_up = options.give_up;
  // A separate connection, because the other one may be waiting.
  heartbeat_ = std::make_unique<Heartbeat>(std::make_unique<MeetingBoard>(connect_point(options)),
                                           std::move(wanted));
}

void GlooRanks::connect_group(const std::string& address) {
  auto options = c10d::ProcessGroupGloo::Options::create(kGlooTimeout);
  options->devices = {c10d::ProcessGroupGloo::createDeviceForHostname(address)};
  options->threads = 1;
  try {
    group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>(
            "gloo", c10::make_intrusive<MeetingStore>(point_, answer_timeout_)),
        rendezvous_.rank, rendezvous_.size, options);
  } catch (const std::exception& error) {
    throw heartbeat_->await_verdict(first_line(error));
  }
}

void GlooRanks::interrupt() {
  const std::lock_guard lock(mutex_);
  for (const Work& work : under_way_) work->abort();
}

void GlooRanks::remember(const Work& work) {
  const std::lock_guard lock(mutex_);
  under_way_.push_back(work);
}

Work GlooRanks::receive(const at::Tensor& part, int from, std::size_t tag) {
  std::vector<at::Tensor> tensors = {part};
  Work work = group_->recv(tensors, from, static_cast<int>(tag));
  remember(work);
  return work;
}

Work GlooRanks::send(const at::Tensor& part, int to, std::size_t tag) {
  std::vector<at::Tensor> tensors = {part};
  Work work = group_->send(tensors, to, static_cast<int>(tag));
  remember(work);
  return work;
}

void GlooRanks::await_work(const Work& work) {
  require(work->wait(), ErrorKind::lost, "interrupted");
}

/// Ordered all-reduce: each rank adds its part on the way up; the total is copied on the way down.
/// Parts are pipelined, so that ranks work while the network carries.
void GlooRanks::pass_on(const std::vector<at::Tensor>& parts, const Add& add) {
  const int last = rendezvous_.size - 1;
  std::vector<Work> up, down, sent;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // A part comes down only after it has gone up, because both may use the same memory.
    if (rendezvous_.rank > 0) up.push_back(receive(parts[i], rendezvous_.rank - 1, 2 * i));
    if (rendezvous_.rank < last) down.push_back(receive(parts[i], rendezvous_.rank + 1, 2 * i + 1));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (rendezvous_.rank > 0) await_work(up[i]);
    add(parts[i], static_cast<std::int64_t>(i) * kPart);
    const bool turns = rendezvous_.rank == last;
    sent.push_back(
        send(parts[i], turns ? last - 1 : rendezvous_.rank + 1, 2 * i + (turns ? 1 : 0)));
  }
  for (std::size_t i = 0; i < down.size(); ++i) {
    await_work(down[i]);
    if (rendezvous_.rank > 0) sent.push_back(send(parts[i], rendezvous_.rank - 1, 2 * i + 1));
  }
  for (const Work& work : sent) await_work(work);
}

void GlooRanks::fold(const at::Tensor& values, const Add& add) {
  if (const auto verdict = heartbeat_->verdict()) throw *verdict;
  // An exception of `add` is the caller's; one of the network is explained by the heartbeat.
  std::exception_ptr of_add;
  const Add guarded = [&](at::Tensor part, std::int64_t offset) {
    try {
      add(std::move(part), offset);
    } catch (...) {
      of_add = std::current_exception();
      throw;
    }
  };
  try {
    pass_on(values.view(-1).split(kPart), guarded);
  } catch (const std::exception& error) {
    if (of_add) std::rethrow_exception(of_add);
    throw heartbeat_->await_verdict(first_line(error));
  }
  const std::lock_guard lock(mutex_);
  under_way_.clear();
}

void GlooRanks::stop(const Error& error) noexcept {
  heartbeat_->post(error);
}

}  // namespace

bool can_connect() noexcept {
  return true;
}

std::unique_ptr<Ranks> connect(const Rendezvous& rendezvous, const ConnectOptions& options) {
  return std::make_unique<GlooRanks>(rendezvous, options);
}

}  // namespace afterspike::train
