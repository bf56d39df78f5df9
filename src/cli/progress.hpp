#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace afterspike::cli {

/// Says on standard error how far a long task is and how long it will take: a line that is redrawn
/// where that is a terminal, elsewhere a line every half minute.
class Progress {
 public:
  /// `what` is counted: "evaluations".
  explicit Progress(std::string what, bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// The first call says what was done before, which tells nothing about the time to go.
  void update(std::size_t done, std::size_t total);

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  bool quiet_, terminal_;
  bool drawn_ = false;
  bool started_ = false;
  std::size_t first_done_ = 0;
  Clock::time_point start_, last_;
};

}  // namespace afterspike::cli
