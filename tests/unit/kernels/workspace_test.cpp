#include "afterspike/kernels/workspace.hpp"

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike::kernels {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(Workspace, IsTakenAgainWhenItWasGivenBack) {
  Workspace::release_all();
  const std::size_t before = Workspace::allocated();
  const std::byte* first = nullptr;
  {
    const Workspace one(5 * kMiB);
    first = one.data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0U);
    std::memset(one.data(), 1, 5 * kMiB);
  }
  const std::size_t once = Workspace::allocated() - before;
  EXPECT_GE(once, 5 * kMiB);
  EXPECT_LT(once, 8 * kMiB);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Workspace(4 * kMiB).data(), first) << "large enough";
  EXPECT_EQ(Workspace::allocated() - before, once);
  {
    const Workspace one(5 * kMiB), two(5 * kMiB);
    EXPECT_NE(one.data(), two.data()) << "both in use";
  }
  EXPECT_EQ(Workspace::allocated() - before, 2 * once);
  { const Workspace small(kMiB); }
  EXPECT_EQ(Workspace::allocated() - before, 2 * once + 2 * kMiB) << "the others are far too large";
  Workspace::release_all();
  EXPECT_EQ(Workspace::allocated(), before);
}

TEST(Workspace, GoesFromOneOwnerToAnother) {
  Workspace one(kMiB);
  std::byte* data = one.data();
  const Workspace two = std::move(one);
  EXPECT_EQ(two.data(), data);
}

TEST(Workspace, IsSharedByThreads) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (int i = 0; i < 200; ++i) {
        const Workspace mine((1 + static_cast<std::size_t>(i) % 3) * kMiB);
        std::memset(mine.data(), thread, 4096);
        for (int k = 0; k < 4096; ++k) {
          ASSERT_EQ(mine.data()[k], static_cast<std::byte>(thread)) << "somebody else writes here";
        }
      }
    });
  }
}

TEST(Workspace, ThatNoMachineHasIsRefused) {
  testing::expect_error(ErrorKind::config, {"cannot be allocated", "not enough memory", "MiB"},
                        [] { Workspace(std::size_t{1} << 60); });
}

}  // namespace
}  // namespace afterspike::kernels
