#include "afterspike/base/parallel.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace afterspike {

struct ThreadPool::Impl {
  std::mutex mutex;
  std::condition_variable_any start, finished;
  const std::function<void(std::int64_t)>* task = nullptr;  ///< Null if there is nothing to do.
  std::int64_t count = 0;
  std::int64_t next = 0;
  std::int64_t running = 0;
  std::int64_t failed_number = std::numeric_limits<std::int64_t>::max();
  std::exception_ptr failure;
  std::vector<std::jthread> workers;

  /// Takes tasks until none is left. REQUIRES: `lock` is held, and is held on return.
  void work(std::unique_lock<std::mutex>& lock) {
    while (task != nullptr && next < count) {
      const std::int64_t number = next++;
      const auto& function = *task;
      ++running;
      lock.unlock();
      std::exception_ptr caught;
      try {
        function(number);
      } catch (...) {
        caught = std::current_exception();
      }
      lock.lock();
      --running;
      if (caught && number < failed_number) {
        failed_number = number;
        failure = caught;
      }
    }
    if (running == 0) finished.notify_all();
  }
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>()) {
  for (int worker = 1; worker < threads; ++worker) {
    impl_->workers.emplace_back([impl = impl_.get()](const std::stop_token& stop) {
      std::unique_lock lock(impl->mutex);
      while (impl->start.wait(lock, stop,
                              [&] { return impl->task != nullptr && impl->next < impl->count; })) {
        impl->work(lock);
      }
    });
  }
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const noexcept {
  return static_cast<int>(impl_->workers.size()) + 1;
}

void ThreadPool::run(std::int64_t count, const std::function<void(std::int64_t)>& task) {
  std::unique_lock lock(impl_->mutex);
  impl_->task = &task;
  impl_->count = count;
  impl_->next = 0;
  impl_->failed_number = std::numeric_limits<std::int64_t>::max();
  impl_->failure = nullptr;
  impl_->start.notify_all();
  impl_->work(lock);
  impl_->finished.wait(lock, [this] { return impl_->running == 0; });
  impl_->task = nullptr;
  if (impl_->failure) std::rethrow_exception(std::exchange(impl_->failure, nullptr));
}

}  // namespace afterspike
