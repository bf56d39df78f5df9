#pragma once

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/train/ranks.hpp"

namespace afterspike::testing {

/// Ranks that are threads of one process, for tests of computations by several ranks.
class ThreadRanks {
 public:
  /// Parts have `part` elements, so that small tensors also need several.
  explicit ThreadRanks(int size, std::int64_t part = 1'000) : size_(size), part_(part) {}

  /// Calls work(ranks) on a thread per rank. Rethrows the exception of the lowest rank that has its
  /// own; the others end with it.
  void run(const std::function<void(train::Ranks&)>& work) {
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size_));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < size_; ++rank) {
      threads.emplace_back([&, rank] {
        Member member(*this, rank);
        try {
          work(member);
        } catch (const Stopped&) {
        } catch (...) {
          errors[static_cast<std::size_t>(rank)] = std::current_exception();
          stop();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }

 private:
  struct Stopped {};

  class Member final : public train::Ranks {
   public:
    Member(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const noexcept override { return rank_; }
    int size() const noexcept override { return all_.size_; }
    int on_this_host() const noexcept override { return all_.size_; }
    void fold(const at::Tensor& values, const Add& add) override { all_.fold(rank_, values, add); }
    void stop(const Error& /*error*/) noexcept override { all_.stop(); }

   private:
    ThreadRanks& all_;
    int rank_;
  };

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  /// Turns 0 to size - 1 go up, and size to 2 size - 1 take the result.
  void fold(int rank, const at::Tensor& values, const train::Ranks::Add& add) {
    const at::Tensor flat = values.view(-1);
    await_turn(rank);
    if (rank > 0) flat.copy_(passed_);
    for (std::int64_t begin = 0; begin < flat.numel(); begin += part_) {
      add(flat.narrow(0, begin, std::min(part_, flat.numel() - begin)), begin);
    }
    passed_ = flat.clone();
    next_turn();
    await_turn(size_ + rank);
    flat.copy_(passed_);
    next_turn();
  }

  void await_turn(int turn) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || turn_ == turn; });
    if (stopped_) throw Stopped();
  }

  void next_turn() {
    const std::lock_guard lock(mutex_);
    turn_ = (turn_ + 1) % (2 * size_);
    changed_.notify_all();
  }

  const int size_;
  const std::int64_t part_;
  std::mutex mutex_;
  std::condition_variable changed_;
  at::Tensor passed_;
  int turn_ = 0;
  bool stopped_ = false;
};

}  // namespace afterspike::testing
