// Networks of tasks/networks do what their comments promise.

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "example_run.hpp"

namespace afterspike::spiking {
namespace {

using testing::Example;
using testing::NetworkStatistics;

/// Slope of the times of first spikes over the distance from the middle of the sheet, and the
/// residual of the line.
struct Front {
  double speed, residual_ms;
};
Front front_of(const NetworkStatistics& sheet) {
  double n = 0, r = 0, t = 0, rr = 0, rt = 0, tt = 0;
  for (std::size_t neuron = 0; neuron < sheet.trains().size(); ++neuron) {
    const double x = static_cast<double>(neuron % 64) - 31.5;
    const double y = static_cast<double>(neuron / 64) - 31.5, distance = std::hypot(x, y);
    if (distance < 8 || distance > 30) continue;
    const double time = sheet.trains()[neuron].at(0);
    n += 1, r += distance, t += time;
    rr += distance * distance, rt += distance * time, tt += time * time;
  }
  const double slope = (n * rt - r * t) / (n * rr - r * r);
  const double rest = (tt - t * t / n) - slope * slope * (rr - r * r / n);
  return {1 / slope, std::sqrt(std::max(rest, 0.0) / n)};
}

/// A circular front: every neuron spikes once, at a time proportional to its distance. A plane
/// front of the equations for V alone moves at 0.96 neurons/ms; recovery and curvature slow it.
TEST(Examples, WavesTravelThroughASheetOfFitzHughNagumoNeurons) {
  const Example wave("fhn_sheet", 0, 0);
  const NetworkStatistics sheet = wave["sheet"];
  for (const auto& train : sheet.trains()) ASSERT_EQ(train.size(), 1U);
  const Front front = front_of(sheet);
  EXPECT_NEAR(front.speed, 0.74, 0.02);
  EXPECT_LT(front.residual_ms, 0.3);

  const Example apart("fhn_sheet", 0, 0, {{"electrical.0.conductance", "0"}});
  const NetworkStatistics uncoupled = apart["sheet"];
  std::int64_t spiked = 0;
  for (const auto& train : uncoupled.trains()) spiked += train.empty() ? 0 : 1;
  EXPECT_EQ(spiked, 52);  // Neurons that the current reaches.
}

TEST(Examples, ElectricalSynapsesSynchroniseQuadraticNeurons) {
  const Example coupled("qif_gap", 0, 200);
  const Example apart("qif_gap", 0, 200, {{"electrical.0.conductance", "0"}});
  EXPECT_GT(coupled["cells"].synchrony(2), 15);
  EXPECT_LT(apart["cells"].synchrony(2), 1.5);
  EXPECT_NEAR(coupled["cells"].rate(), 33, 1);
  EXPECT_NEAR(apart["cells"].rate(), 32, 1);
}

/// NEST, 2 runs of 30 s: 10.93 and 11.07 spikes/s, CV 2.07 and 2.05, peak at 1.46 Hz; a second
/// simulator, 3 runs of 60 s: 11.0 to 11.2, 2.05, 1.71 Hz. The rhythm is irregular.
TEST(Examples, GifNeuronsOscillate) {
  const Example run("gif_population", 16000, 1000);
  const NetworkStatistics cells = run["cells"];
  EXPECT_NEAR(cells.rate(), 11, 0.5);
  EXPECT_NEAR(cells.cv(3), 2.05, 0.08);
  const double peak = cells.peak_hz(2, 2048, 0.3);
  EXPECT_GE(peak, 1.2);
  EXPECT_LE(peak, 2.0);
}

/// NEST, 2 runs: 5.88 and 5.89 spikes/s before the step, 14.13 and 14.19 in the 2 s after it, 20.1
/// and 19.7 in the first 100 ms of these.
TEST(Examples, GifNeuronsAnswerToAStepAsInNest) {
  const Example run("gif_step", 0, 300);
  for (const char* name : {"E", "I"}) {
    const NetworkStatistics population = run[name];
    EXPECT_NEAR(population.rate(300, 6000), 5.89, 0.1);
    EXPECT_NEAR(population.rate(6000, 8000), 14.15, 0.3);
    EXPECT_NEAR(population.rate(6000, 6100), 19.9, 1.5);
  }
}

}  // namespace
}  // namespace afterspike::spiking
