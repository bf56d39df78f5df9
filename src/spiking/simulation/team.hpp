#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace afterspike::spiking {

/// Threads that meet after each step. Task n of `count` is always run by the same thread, so that
/// its data stay in one core's cache. Waiting threads spin for some microseconds, then sleep: steps
/// are short, but on a busy machine another thread may be away for long.
class Team {
 public:
  /// `threads` is the total, including the calling thread; at least 1. Throws Error(config) if the
  /// system does not start so many.
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// Runs task(0) ... task(count - 1) and returns when all have ended. Rethrows the exception of
  /// the task with the lowest number. Not reentrant.
  void run(std::int64_t count, const std::function<void(std::int64_t)>& task);

 private:
  void finish();
  void work(std::int64_t thread);
  void follow(std::int64_t thread);

  std::atomic<std::uint32_t> round_{0};
  std::atomic<std::uint32_t> working_{0};  ///< Threads that have not ended the round.
  bool is_over_ = false;
  const std::function<void(std::int64_t)>* task_ = nullptr;
  std::int64_t count_ = 0;
  std::vector<std::exception_ptr> failures_;
  std::vector<std::thread> threads_;
};

}  // namespace afterspike::spiking
