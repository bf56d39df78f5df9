#include "spiking/exact/exact_neuron.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "networks.hpp"
#include "spiking/exact/exponentials.hpp"

namespace afterspike::spiking {
namespace {

using testing::make_population;

/// Taylor's series at 0 with the complete homogeneous symmetric polynomials of the rates.
double convolved_by_series(const std::vector<double>& rates, double time) {
  constexpr int kTerms = 120;
  std::vector<long double> polynomials(kTerms, 0);
  polynomials[0] = 1;
  for (const double rate : rates) {
    for (int order = 1; order < kTerms; ++order) {
      polynomials[static_cast<std::size_t>(order)] -=
          static_cast<long double>(rate * time) * polynomials[static_cast<std::size_t>(order - 1)];
    }
  }
  long double power = 1, sum = 0;
  for (std::size_t n = 1; n < rates.size(); ++n) {
    power *= static_cast<long double>(time) / static_cast<long double>(n);
  }
  for (std::size_t order = 0; order < kTerms; ++order) {
    sum += power * polynomials[order];
    power /= static_cast<long double>(rates.size() + order);
  }
  return static_cast<double>(sum);
}

TEST(Exponentials, ConvolutionsKeepTheirDigitsAlsoWhereRatesMeet) {
  Rng rng(1);
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<double> rates;
    const double spread = std::pow(10.0, rng.uniform(-9, 0.3));
    const double middle = rng.uniform(0.01, 1);
    const auto count = 1 + rng.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      rates.push_back(std::max(0.0, middle + spread * rng.uniform(-1, 1)));
    }
    if (count > 1 && trial % 3 == 0) rates[1] = rates[0];
    const double time = rng.uniform(1e-3, 6);
    const double expected = convolved_by_series(rates, time);
    std::vector<double> sorted = rates;
    EXPECT_NEAR(convolved_decays(sorted, time), expected, 3e-13 * std::abs(expected)) << trial;
  }
}

TEST(Exponentials, DecaysAreRightToTheLastPlace) {
  Rng rng(4);
  for (int trial = 0; trial < 20000; ++trial) {
    alignas(64) std::array<double, 16> rates, factors;
    for (double& rate : rates) rate = std::pow(10.0, rng.uniform(-6, 1));
    rates[3] = 0;
    const double time = std::pow(10.0, rng.uniform(-6, 3));
    decay_factors(rates.data(), rates.size(), time, factors.data());
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const double expected = std::exp(-rates[i] * time);
      if (rates[i] * time > 699.9) {
        EXPECT_LT(factors[i], 1e-303);
      } else {
        ASSERT_NEAR(factors[i], expected, 2.3e-16 * expected) << rates[i] * time;
      }
    }
    EXPECT_EQ(factors[3], 1);
  }
}

TEST(Exponentials, AStepIsThatOfEachAmount) {
  Rng rng(5);
  for (int trial = 0; trial < 1000; ++trial) {
    std::array<double, 16> rates, gains, from, to;
    for (std::size_t i = 0; i < 16; ++i) {
      rates[i] = rng.uniform(0, 2), gains[i] = rng.uniform(-1, 1), from[i] = rng.uniform(-9, 9);
    }
    const double time = rng.uniform(0, 5);
    double first = from[0] * std::exp(-rates[0] * time);
    for (std::size_t i = 1; i < 16; ++i) {
      first += from[i] * gains[i] * (std::exp(-rates[i] * time) - std::exp(-rates[0] * time));
    }
    const auto before = from;
    decaying_step()(rates.data(), gains.data(), 16, from.data(), time, to.data());
    EXPECT_EQ(from, before);
    EXPECT_NEAR(to[0], first, 1e-13);
    for (std::size_t i = 1; i < 16; ++i) {
      EXPECT_NEAR(to[i], from[i] * std::exp(-rates[i] * time), 1e-14);
    }
    decaying_step()(rates.data(), gains.data(), 16, from.data(), time, from.data());
    EXPECT_EQ(from, to);
  }
}

/// One neuron in a random state, and what drives it.
struct Case {
  ExactNeurons neurons;
  std::array<double, ExactNeurons::kMostState> state{};

  double excess_at(double time) const {
    std::array<double, ExactNeurons::kMostState> later{};
    neurons.propagate(0, state.data(), time, later.data());
    return neurons.excess(0, later.data());
  }
};

Leaky random_leaky(const std::string& model, SynapseShape shape, Rng& rng, double threshold) {
  auto population =
      make_population("n", model, 1, shape, {rng.uniform(0.5, 8), rng.uniform(0.5, 20)}, rng);
  population.columns["threshold"][0] = threshold;
  return lower_leaky(population);
}

Case random_case(const std::string& model, SynapseShape shape, Rng& rng, double threshold = -52) {
  Case result{ExactNeurons(random_leaky(model, shape, rng, threshold), 0, 1)};
  double* state = result.state.data();
  result.neurons.initial_state(rng.uniform(0, 17), state);
  state[ExactNeurons::kExternal] = rng.uniform(-60, 100);
  if (model != "glif1" && model != "glif3") state[ExactNeurons::kSpikePart] = rng.uniform(0, 3);
  if (model == "glif5") state[ExactNeurons::kVoltagePart] = rng.uniform(-0.5, 1.5);
  for (auto at = static_cast<std::int64_t>(ExactNeurons::kFirstCurrent);
       at < result.neurons.state_size(); ++at) {
    state[at] = rng.uniform(-150, 150);
  }
  return result;
}

constexpr std::array kModels = {"glif1", "glif2", "glif3", "glif4", "glif5"};
constexpr std::array kShapes = {SynapseShape::alpha, SynapseShape::exponential};

TEST(ExactNeurons, TwoStepsAreOne) {
  Rng rng(2);
  for (const char* model : kModels) {
    for (const SynapseShape shape : kShapes) {
      for (int trial = 0; trial < 50; ++trial) {
        const Case each = random_case(model, shape, rng);
        const double first = rng.uniform(0, 10), second = rng.uniform(0, 10);
        std::array<double, ExactNeurons::kMostState> twice{}, once{};
        each.neurons.propagate(0, each.state.data(), first, twice.data());
        each.neurons.propagate(0, twice.data(), second, twice.data());
        each.neurons.propagate(0, each.state.data(), first + second, once.data());
        for (std::int64_t at = 0; at < each.neurons.state_size(); ++at) {
          const auto i = static_cast<std::size_t>(at);
          ASSERT_NEAR(twice[i], once[i], 1e-11 * (1 + std::abs(once[i]))) << model << at;
        }
      }
    }
  }
}

/// The first of many times at which the voltage is above the threshold, or infinity.
double first_above(const Case& each, double end, int points) {
  for (int at = 1; at <= points; ++at) {
    const double time = end * at / points;
    if (each.excess_at(time) > 0) return time;
  }
  return ExactNeurons::kNone;
}

TEST(ExactNeurons, NoCrossingIsMissed) {
  Rng rng(3);
  int crossings = 0, quiet = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const Case each = random_case(kModels[static_cast<std::size_t>(trial % 5)],
                                  kShapes[static_cast<std::size_t>(trial % 2)], rng);
    if (each.excess_at(0) > 0) continue;
    constexpr double kEnd = 40;
    constexpr int kPoints = 4000;
    const double seen = first_above(each, kEnd, kPoints);
    const double found =
        each.neurons.first_crossing(0, each.state.data(), 0, each.state.data(), kEnd, 1e-12);
    ASSERT_LE(found, seen) << trial;
    (found == ExactNeurons::kNone ? quiet : crossings) += 1;
    if (found == ExactNeurons::kNone) continue;
    // There it crosses, and the search did not come too late by more than what is seen.
    EXPECT_NEAR(each.excess_at(found), 0, 1e-9);
    EXPECT_GE(each.excess_at(found + 1e-7), -1e-9);
    if (seen != ExactNeurons::kNone) {
      EXPECT_GE(found, seen - 2 * kEnd / kPoints) << trial;
    }
  }
  EXPECT_GT(crossings, 70);
  EXPECT_GT(quiet, 70);
}

TEST(ExactNeurons, AGrazingCrossingIsFoundAndANearMissIsNone) {
  Rng rng(4);
  int grazing = 0;
  for (int trial = 0; trial < 150; ++trial) {
    const std::string model = kModels[static_cast<std::size_t>(trial % 5)];
    const SynapseShape shape = kShapes[static_cast<std::size_t>(trial % 2)];
    const Rng same = rng.stream("case", static_cast<std::uint64_t>(trial));
    Rng draw = same;
    const Case low = random_case(model, shape, draw);
    // The highest excess, by sections about the best of many times.
    double best = 0;
    constexpr double kEnd = 30;
    for (int at = 0; at <= 3000; ++at) {
      if (low.excess_at(at * kEnd / 3000) > low.excess_at(best)) best = at * kEnd / 3000;
    }
    double left = std::max(0.0, best - 0.02), right = best + 0.02;
    while (right - left > 1e-10) {
      const double one = left + (right - left) / 3, other = right - (right - left) / 3;
      (low.excess_at(one) < low.excess_at(other) ? left : right) =
          low.excess_at(one) < low.excess_at(other) ? one : other;
    }
    if (left < 0.1 || left > kEnd - 0.1) continue;
    const double top = low.excess_at(left);
    for (const double margin : {1e-8, -1e-8}) {
      Rng again = same;
      const Case each = random_case(model, shape, again, -52 + top - margin);
      if (each.excess_at(0) > 0) continue;
      const double found =
          each.neurons.first_crossing(0, each.state.data(), 0, each.state.data(), kEnd, 1e-12);
      EXPECT_EQ(found != ExactNeurons::kNone, margin > 0) << trial;
      ++grazing;
    }
  }
  EXPECT_GT(grazing, 30);
}

TEST(ExactNeurons, TheyAreQuietAsLongAsSaid) {
  Rng rng(5);
  int for_ever = 0, for_now = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const Case each = random_case(kModels[static_cast<std::size_t>(trial % 5)],
                                  kShapes[static_cast<std::size_t>(trial % 2)], rng);
    if (each.excess_at(0) > 0) continue;
    const double quiet = each.neurons.quiet_time(0, each.state.data());
    ASSERT_GE(quiet, 0);
    const double end = std::min(quiet, 200.0);
    (quiet == ExactNeurons::kNone ? for_ever : for_now) += 1;
    EXPECT_GE(first_above(each, end, 2000), end) << trial;
  }
  EXPECT_GT(for_ever, 10);
  EXPECT_GT(for_now, 70);
}

}  // namespace
}  // namespace afterspike::spiking
