#include "afterspike/base/parallel.hpp"

#include <atomic>
#include <cstdint>
#include <latch>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike {
namespace {

class ThreadPools : public ::testing::TestWithParam<int> {};

TEST_P(ThreadPools, EveryTaskRunsOnceInEveryRun) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.threads(), GetParam());
  for (const std::int64_t count : {0, 1, 2, 7, 1000, 3}) {
    std::vector<int> runs(static_cast<std::size_t>(count));
    pool.run(count, [&](std::int64_t number) { ++runs.at(static_cast<std::size_t>(number)); });
    EXPECT_EQ(runs, std::vector<int>(static_cast<std::size_t>(count), 1));
  }
}

TEST_P(ThreadPools, TheFailureOfTheLowestNumberComesOutAndThePoolGoesOn) {
  ThreadPool pool(GetParam());
  for (int repetition = 0; repetition < 20; ++repetition) {
    testing::expect_error(ErrorKind::numeric, {"task 3"}, [&] {
      pool.run(100, [](std::int64_t number) {
        require(number % 10 != 3, ErrorKind::numeric, "task {}", number);
      });
    });
    std::atomic<std::int64_t> sum = 0;
    pool.run(100, [&](std::int64_t number) { sum += number; });
    EXPECT_EQ(sum, 4950);
  }
}

TEST_P(ThreadPools, TasksRunAtTheSameTime) {
  // Each task waits until all of them have begun: fewer threads would never end.
  ThreadPool pool(GetParam());
  std::latch begun(GetParam());
  pool.run(GetParam(), [&](std::int64_t) { begun.arrive_and_wait(); });
  EXPECT_TRUE(begun.try_wait());
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPools, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace afterspike
