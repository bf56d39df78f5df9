#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace afterspike {

/// A fixed set of threads that take numbered tasks from a list. Results must not depend on which
/// thread runs which task; write them to slots by number and combine the slots in order.
class ThreadPool {
 public:
  /// `threads` is the total, including the calling thread; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const noexcept;

  /// Runs task(0) ... task(count - 1) and returns when all have ended. Rethrows the exception of
  /// the task with the lowest number. Not reentrant: one run at a time.
  void run(std::int64_t count, const std::function<void(std::int64_t)>& task);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike
