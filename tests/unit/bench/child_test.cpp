#include "bench/child.hpp"

#include <csignal>
#include <new>
#include <numeric>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike::bench {
namespace {

TEST(InChild, GivesWhatTheOtherProcessComputed) {
  int here = 1;
  const auto values = in_child<int>([&] {
    here = 2;
    std::vector<int> many(100'000);  // More than a pipe holds.
    std::iota(many.begin(), many.end(), here);
    return many;
  });
  ASSERT_TRUE(values.has_value());
  ASSERT_EQ(values->size(), 100'000U);
  EXPECT_EQ(values->front(), 2);
  EXPECT_EQ(values->back(), 100'001);
  EXPECT_EQ(here, 1) << "a copy worked, not this process";
  EXPECT_TRUE(in_child<int>([] { return std::vector<int>(); })->empty());
}

TEST(InChild, RethrowsErrors) {
  testing::expect_error(ErrorKind::data, {"in the child"}, [] {
    in_child<int>([]() -> std::vector<int> { fail(ErrorKind::data, "in the child"); });
  });
  testing::expect_error(ErrorKind::internal, {"another"}, [] {
    in_child<int>([]() -> std::vector<int> { throw std::runtime_error("another"); });
  });
}

TEST(InChild, TellsTheSignalThatEndedIt) {
  testing::expect_error(ErrorKind::config, {"ended by signal 15"}, [] {
    in_child<int>([]() -> std::vector<int> {
      std::raise(SIGTERM);
      return {};
    });
  });
}

TEST(InChild, GivesNothingWhereMemoryIsShort) {
  EXPECT_FALSE(in_child<int>([]() -> std::vector<int> { throw std::bad_alloc(); }).has_value());
  // Like the system with a process that takes too much memory.
  EXPECT_FALSE(in_child<int>([]() -> std::vector<int> {
                 std::raise(SIGKILL);
                 return {};
               }).has_value());
}

}  // namespace
}  // namespace afterspike::bench
