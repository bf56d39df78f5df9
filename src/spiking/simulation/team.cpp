#include "simulation/team.hpp"

#include <cstddef>
#include <system_error>
#include <utility>

#include "afterspike/base/error.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace afterspike::spiking {
namespace {

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#endif
}

/// Returns when `value` is no longer `old`.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  constexpr int kSpins = 1000;  // About 10 to 40 microseconds.
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

Team::Team(int threads) {
  try {
    for (int thread = 1; thread < threads; ++thread) {
      threads_.emplace_back([this, thread] { follow(thread); });
    }
  } catch (const std::system_error& error) {
    finish();
    fail(ErrorKind::config, "threads: the system starts {} of {} ({}). Use fewer.",
         threads_.size() + 1, threads, error.what());
  }
}

Team::~Team() {
  finish();
}

void Team::finish() {
  is_over_ = true;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::work(std::int64_t thread) {
  const auto threads = static_cast<std::int64_t>(threads_.size()) + 1;
  const std::int64_t first = count_ * thread / threads, last = count_ * (thread + 1) / threads;
  for (std::int64_t number = first; number < last; ++number) {
    try {
      (*task_)(number);
    } catch (...) {
      failures_[static_cast<std::size_t>(number)] = std::current_exception();
    }
  }
}

void Team::follow(std::int64_t thread) {
  for (std::uint32_t seen = 0;;) {
    wait_for_change(round_, seen);
    ++seen;
    if (is_over_) return;
    work(thread);
    if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
  }
}

void Team::run(std::int64_t count, const std::function<void(std::int64_t)>& task) {
  task_ = &task;
  count_ = count;
  failures_.assign(static_cast<std::size_t>(count), nullptr);
  working_.store(static_cast<std::uint32_t>(threads_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work(0);
  for (std::uint32_t left = working_.load(std::memory_order_acquire); left > 0;
       left = working_.load(std::memory_order_acquire)) {
    wait_for_change(working_, left);
  }
  for (std::exception_ptr& failure : failures_) {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
  }
}

}  // namespace afterspike::spiking
