#include "progress.hpp"

#include <cstdio>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"

namespace afterspike::cli {
namespace {

constexpr std::chrono::milliseconds kRedrawInterval{200};
constexpr std::chrono::seconds kPlainInterval{30};

/// "1:02:03", "2:03" or "12 s".
std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

Progress::Progress(std::string what, bool quiet)
    : what_(std::move(what)), quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
}

void Progress::update(std::size_t done, std::size_t total) {
  const Clock::time_point now = Clock::now();
  if (!std::exchange(started_, true)) {
    start_ = last_ = now;
    first_done_ = done;
    return;
  }
  const auto interval = terminal_ ? Clock::duration(kRedrawInterval) : kPlainInterval;
  if (quiet_ || done == first_done_ || now - last_ < interval) return;
  last_ = now;
  const double spent = std::chrono::duration<double>(now - start_).count();
  const double to_go =
      spent / static_cast<double>(done - first_done_) * static_cast<double>(total - done);
  const std::string line =
      fmt::format("{} of {} {}, {} to go", done, total, what_, duration_text(to_go));
  if (terminal_) {
    std::fputs(fmt::format("\r\x1b[K{}", line).c_str(), stderr);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    log::info("{}", line);
  }
}

}  // namespace afterspike::cli
