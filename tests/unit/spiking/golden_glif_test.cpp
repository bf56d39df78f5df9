// Single GLIF neurons against NEST's glif_psc on its grid, and against the exact solution.

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/spiking/simulation.hpp"
#include "golden_spiking.hpp"

namespace afterspike::spiking {
namespace {

using testing::add_ports;
using testing::from_nest;
using testing::glif_level;
using testing::golden_parameters;
using testing::golden_spiking;
using testing::single_neuron;

/// The groups "/<set>/<level>/<protocol>" of a file.
std::vector<std::string> cases(const io::Hdf5File& file) {
  std::vector<std::string> found;
  for (const std::string& set : file.members("/")) {
    for (const std::string& level : file.members("/" + set)) {
      for (const std::string& protocol : file.members("/" + set + "/" + level)) {
        found.push_back("/" + set + "/" + level + "/" + protocol);
      }
    }
  }
  return found;
}

Network glif_case(const io::Hdf5File& file, const std::string& group) {
  const auto p = golden_parameters(file, group);
  auto neuron = from_nest("neuron", glif_level(p), {p});
  add_ports(neuron, {p});
  return single_neuron(file, group, std::move(neuron));
}

std::vector<double> times(const std::vector<Spike>& spikes) {
  std::vector<double> result;
  for (const Spike& spike : spikes) result.push_back(spike.time_ms);
  return result;
}

void expect_trace(const io::Hdf5File& file, const std::string& group, const std::string& name,
                  const Recording& recording, double tolerance) {
  const auto expected = file.read<double>(group + "/" + name).values;
  ASSERT_GE(recording.values.size(), expected.size());
  double worst = 0;
  for (std::size_t at = 0; at < expected.size(); ++at) {
    worst = std::max(worst, std::abs(recording.values[at] - expected[at]));
  }
  EXPECT_LT(worst, tolerance) << name;
  ::testing::Test::RecordProperty("worst " + name, std::to_string(worst));
}

TEST(GoldenGlif, GridRepeatsNestToRounding) {
  const io::Hdf5File file(golden_spiking("golden_glif_psc.h5"));
  int compared = 0;
  for (const std::string& group : cases(file)) {
    for (const std::string& step : file.members(group)) {
      const std::string place = group + "/" + step;
      SCOPED_TRACE(place);
      const double dt = file.attribute<double>(place, "dt").values.at(0);
      const double until = file.attribute<double>(place, "T").values.at(0);
      Options options{1};
      options.dt_ms = dt;
      Simulation simulation(glif_case(file, place), options);
      const bool traces = file.exists(place + "/V_m");
      if (traces) {
        simulation.record("neuron", "V", dt);
        simulation.record("neuron", "threshold", dt);
        simulation.record("neuron", "threshold_spike", dt);
        simulation.record("neuron", "threshold_voltage", dt);
      }
      simulation.run_until(until);
      const auto expected = file.read<double>(place + "/spike_times").values;
      EXPECT_THAT(times(simulation.spikes()),
                  ::testing::Pointwise(::testing::DoubleNear(1e-6), expected));
      if (traces) {
        expect_trace(file, place, "V_m", simulation.recording(0), 1e-9);
        expect_trace(file, place, "threshold", simulation.recording(1), 1e-9);
        expect_trace(file, place, "threshold_spike", simulation.recording(2), 1e-9);
        expect_trace(file, place, "threshold_voltage", simulation.recording(3), 1e-9);
      }
      ++compared;
    }
  }
  EXPECT_GE(compared, 30);
}

TEST(GoldenGlif, ExactSpikesAreThoseOfTheContinuousEquations) {
  const io::Hdf5File file(golden_spiking("golden_glif_exact.h5"));
  const io::Hdf5File inputs(golden_spiking("golden_glif_psc.h5"));
  double worst = 0;
  for (const std::string& group : cases(file)) {
    SCOPED_TRACE(group);
    Options options{1, Engine::exact};
    Simulation simulation(glif_case(inputs, group + "/dt0.1"), options);
    simulation.run_until(inputs.attribute<double>(group + "/dt0.1", "T").values.at(0));
    const auto expected = file.read<double>(group + "/spike_times").values;
    const auto found = times(simulation.spikes());
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t at = 0; at < found.size(); ++at) {
      worst = std::max(worst, std::abs(found[at] - expected[at]));
      EXPECT_NEAR(found[at], expected[at], 1e-9);
    }
  }
  RecordProperty("worst_ms", std::to_string(worst));
  std::printf("worst exact error %g ms\n", worst);
}

}  // namespace
}  // namespace afterspike::spiking
