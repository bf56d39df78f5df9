#include "afterspike/base/log.hpp"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace afterspike::log {
namespace {

using Messages = std::vector<std::pair<Level, std::string>>;

/// Collects messages while it lives and restores what was there before.
class Log : public ::testing::Test {
 protected:
  Log()
      : previous_(set_sink([this](Level level, std::string_view message) {
          messages_.emplace_back(level, message);
        })) {}
  ~Log() override {
    set_level(Level::info);
    set_sink(previous_);
  }

  Messages messages_;

 private:
  Sink previous_;
};

TEST_F(Log, MessagesAreFormattedAndBearTheirLevel) {
  info("step {} of {}", 1, 2);
  warning("late");
  EXPECT_EQ(messages_, (Messages{{Level::info, "step 1 of 2"}, {Level::warning, "late"}}));
}

TEST_F(Log, MessagesBelowTheLevelAreDropped) {
  debug("hidden");
  set_level(Level::debug);
  debug("shown");
  set_level(Level::warning);
  info("hidden too");
  EXPECT_EQ(messages_, (Messages{{Level::debug, "shown"}}));
}

TEST_F(Log, SetSinkReturnsTheSinkBefore) {
  Messages inner;
  const Sink outer =
      set_sink([&](Level level, std::string_view message) { inner.emplace_back(level, message); });
  info("inner");
  set_sink(outer);
  info("outer");
  EXPECT_EQ(inner, (Messages{{Level::info, "inner"}}));
  EXPECT_EQ(messages_, (Messages{{Level::info, "outer"}}));
}

TEST_F(Log, NoMessageOfManyThreadsIsLost) {
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([thread] {
        for (int i = 0; i < 100; ++i) info("{} {}", thread, i);
      });
    }
  }
  EXPECT_EQ(messages_.size(), 400u);
}

}  // namespace
}  // namespace afterspike::log
