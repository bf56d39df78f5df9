#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace afterspike::cli {

/// Prints the progress and the remaining time of a long task on standard error: a redrawn line on a
/// terminal, else a line every half minute.
class Progress {
 public:
  /// `what` is the counted thing: "evaluations".
  explicit Progress(std::string what, bool quiet = false);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// The first call reports earlier work, which does not enter the remaining time.
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
