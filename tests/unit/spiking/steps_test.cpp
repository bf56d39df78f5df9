#include "spiking/simulation/steps.hpp"

#include <gtest/gtest.h>

#include "busy_network.hpp"
#include "support/expect_error.hpp"

namespace afterspike::spiking {
namespace {

using testing::expect_error;

TEST(Steps, RoundingIsForgivenAndNothingElse) {
  for (const double step : {0.1, 1.0, 1e-3, 1.0 / 3, 0.7}) {
    for (const std::int64_t count : {1LL, 3LL, 17LL, 500'000LL, 123'456'789LL, 3'000'000'001LL}) {
      SCOPED_TRACE(::testing::Message() << count << " steps of " << step);
      const double whole = static_cast<double>(count);
      EXPECT_EQ(whole_steps(whole * step, step, "time"), count);
      for (const double off : {-0.5, -1e-4, 1e-4, 0.5}) {
        EXPECT_FALSE(is_at_step((whole + off) * step, step)) << off;
        EXPECT_EQ(steps_over((whole + off) * step, step), off < 0 ? whole - 1 : whole) << off;
        EXPECT_EQ(steps_until((whole + off) * step, step), off < 0 ? whole : whole + 1) << off;
      }
      for (const double off : {-5e-7, 0.0, 5e-7}) {
        EXPECT_TRUE(is_at_step((whole + off) * step, step)) << off;
        EXPECT_EQ(steps_over((whole + off) * step, step), whole) << off;
        EXPECT_EQ(steps_until((whole + off) * step, step), whole) << off;
      }
    }
  }
}

TEST(Steps, WhatCannotBeCountedIsRefused) {
  expect_error(ErrorKind::config,
               {"end: found 50000.05 ms, expected a whole number of steps of 0.1 ms"},
               [] { whole_steps(50000.05, 0.1, "end"); });
  expect_error(ErrorKind::config, {"end: found 1e+16 ms, expected less than 2^48 steps of 0.1 ms"},
               [] { whole_steps(1e16, 0.1, "end"); });
}

TEST(Steps, ARunEndsAtAStep) {
  Simulation simulation(testing::busy_network(3), {1});
  expect_error(ErrorKind::config, {"end of the run: found 50000.05 ms", "steps of 0.1 ms"},
               [&] { simulation.run_until(50000.05); });
  // Three steps of 0.1 ms are 0.30000000000000004 ms, which is not later than 0.3 ms.
  for (const double until : {0.3, 0.3, 3 * 0.1, 0.30000001, 0.3}) {
    simulation.run_until(until);
    EXPECT_EQ(simulation.now_ms(), 3 * 0.1);
  }
}

}  // namespace
}  // namespace afterspike::spiking
