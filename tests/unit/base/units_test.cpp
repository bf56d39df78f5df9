#include "afterspike/base/units.hpp"

#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "support/expect_error.hpp"

namespace afterspike::units {
namespace {

using testing::expect_error;

struct Conversion {
  std::string text, unit;
  double expected;
};

void PrintTo(const Conversion& conversion, std::ostream* out) {
  *out << conversion.text << " in " << conversion.unit;
}

class Conversions : public ::testing::TestWithParam<Conversion> {};

TEST_P(Conversions, GiveTheDoubleClosestToTheExactValue) {
  EXPECT_EQ(parse(GetParam().text, GetParam().unit, "x"), GetParam().expected) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    All, Conversions,
    ::testing::Values(Conversion{"15 ms", "ms", 15}, Conversion{"15ms", "ms", 15},
                      Conversion{" +15\tms ", "ms", 15}, Conversion{"-70 mV", "mV", -70},
                      Conversion{"50 us", "ms", 0.05}, Conversion{"2e-3 s", "ms", 2},
                      Conversion{"0.1 s", "ms", 100}, Conversion{"20 ms", "s", 0.02},
                      Conversion{"1.5 min", "s", 90}, Conversion{"2 h", "min", 120},
                      Conversion{"30 min", "h", 0.5}, Conversion{"-0.07 V", "mV", -70},
                      Conversion{"300 uV", "mV", 0.3}, Conversion{"0.1 nA", "pA", 100},
                      Conversion{"3 fA", "pA", 0.003}, Conversion{"2 uA", "pA", 2e6},
                      Conversion{"100 MOhm", "GOhm", 0.1}, Conversion{"5 Ohm", "MOhm", 5e-6},
                      Conversion{"20 Hz", "1/ms", 0.02}, Conversion{"20 Hz", "1/s", 20},
                      Conversion{"3 kHz", "1/ms", 3}, Conversion{"7 1/s", "Hz", 7},
                      Conversion{"0.2 nF", "pF", 200}, Conversion{"5 nS", "uS", 0.005}));

struct Refusal {
  std::string text, unit, message;
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.text;
}

class Refusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refusals, NameTheOptionTheTextAndTheReason) {
  expect_error(ErrorKind::config, {"leak: ", GetParam().text, GetParam().message},
               [] { parse(GetParam().text, GetParam().unit, "leak"); });
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    ::testing::Values(
        Refusal{"", "ms", "is not a quantity"}, Refusal{"ms", "ms", "is not a quantity"},
        Refusal{"+-5 ms", "ms", "is not a quantity"}, Refusal{"five ms", "ms", "is not a quantity"},
        Refusal{"15", "ms", "has no unit"},
        Refusal{"15 mV", "ms", "not in a unit of the kind of ms"},
        Refusal{"15 msec", "ms", "not in a unit of the kind of ms"},
        Refusal{"15 MS", "ms", "not in a unit of the kind of ms"},
        Refusal{"1 2 ms", "ms", "not in a unit of the kind of ms"},
        Refusal{"nan ms", "ms", "is not finite"}, Refusal{"inf ms", "ms", "is not finite"},
        Refusal{"1e308 s", "ms", "is not finite"}, Refusal{"1e999 ms", "ms", "is not a quantity"}));

TEST(Units, TheUnitAskedForMustExist) {
  expect_error(ErrorKind::internal, {"no unit called 'parsec'"},
               [] { parse("1 ms", "parsec", "x"); });
}

TEST(Units, FormatIsReadBackAsTheSameDouble) {
  Rng rng(1);
  for (const char* unit : {"us", "ms", "s", "min", "h", "mV", "fA", "GOhm", "1/ms", "kHz"}) {
    for (int i = 0; i < 1000; ++i) {
      const double value = std::ldexp(rng.uniform(-1, 1), static_cast<int>(rng.below(200)) - 100);
      ASSERT_EQ(parse(format(value, unit), unit, "x"), value) << format(value, unit);
    }
  }
  EXPECT_EQ(format(15, "ms"), "15 ms");
  EXPECT_EQ(format(0.05, "ms"), "0.05 ms");
}

struct Quotient {
  double duration_ms, dt_ms;
  std::int64_t steps;
};

void PrintTo(const Quotient& quotient, std::ostream* out) {
  *out << quotient.duration_ms << " / " << quotient.dt_ms;
}

class Quotients : public ::testing::TestWithParam<Quotient> {};

TEST_P(Quotients, OfDecimalsAreTheWholeNumberThatPeopleMean) {
  const auto duration = Duration::milliseconds(GetParam().duration_ms);
  EXPECT_EQ(duration.in_steps(GetParam().dt_ms, "delay"), GetParam().steps);
}

// 0.15 / 0.05 is 2.9999999999999996 and 0.3 / 0.1 is 2.9999999999999996 in doubles.
INSTANTIATE_TEST_SUITE_P(All, Quotients,
                         ::testing::Values(Quotient{15, 0.05, 300}, Quotient{0.15, 0.05, 3},
                                           Quotient{0.3, 0.1, 3}, Quotient{0.05, 0.05, 1},
                                           Quotient{0, 0.05, 0}, Quotient{1.1, 0.1, 11},
                                           Quotient{3600000, 0.1, 36000000}));

TEST(Duration, AMultipleOfTheStepIsThatManySteps) {
  for (std::int64_t steps = 0; steps <= 20000; ++steps) {
    for (const double dt_ms : {0.05, 0.1, 0.025, 1.0, 0.3}) {
      const auto duration = Duration::milliseconds(static_cast<double>(steps) * dt_ms);
      ASSERT_EQ(duration.in_steps(dt_ms, "delay"), steps) << dt_ms;
    }
  }
}

TEST(Duration, AFractionOfAStepIsRefused) {
  expect_error(ErrorKind::config, {"delay: 0.16 ms is 3.2 steps of 0.05 ms", "whole number"},
               [] { Duration::milliseconds(0.16).in_steps(0.05, "delay"); });
  expect_error(ErrorKind::config, {"delay"},
               [] { Duration::milliseconds(0.15001).in_steps(0.05, "delay"); });
  expect_error(ErrorKind::config, {"delay"},
               [] { Duration::milliseconds(1e300).in_steps(0.05, "delay"); });
  expect_error(ErrorKind::config, {"delay"},
               [] { Duration::milliseconds(1).in_steps(0, "delay"); });
}

TEST(Duration, StepsDoNotDependOnTheirLength) {
  EXPECT_EQ(Duration::steps(300).in_steps(0.05, "delay"), 300);
  EXPECT_EQ(Duration::steps(300).in_steps(1, "delay"), 300);
}

TEST(Duration, ParseKnowsTimesAndSteps) {
  EXPECT_EQ(Duration::parse("15ms", "x"), Duration::milliseconds(15));
  EXPECT_EQ(Duration::parse("0.2 s", "x"), Duration::milliseconds(200));
  EXPECT_EQ(Duration::parse("300steps", "x"), Duration::steps(300));
  EXPECT_EQ(Duration::parse("1 step", "x"), Duration::steps(1));
}

TEST(Duration, TextIsReadBackAsTheSame) {
  for (const auto& duration : {Duration::steps(0), Duration::steps(1), Duration::steps(123456789),
                               Duration::milliseconds(0.1), Duration::milliseconds(15)}) {
    EXPECT_EQ(Duration::parse(duration.text(), "x"), duration) << duration.text();
  }
}

TEST(Duration, WhatIsNoDurationIsRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"15", "does not say of what"},     {"", "does not say of what"},
      {"-1 steps", "whole number"},       {"1.5 steps", "whole number"},
      {"1e20 steps", "whole number"},     {"nan steps", "whole number"},
      {"-1 ms", "duration of 0 or more"}, {"3 mV", "not in a unit of the kind of ms"},
  };
  for (const auto& [text, message] : cases) {
    expect_error(ErrorKind::config, {"delay: '" + text + "'", message},
                 [&text = text] { Duration::parse(text, "delay"); });
  }
}

}  // namespace
}  // namespace afterspike::units
