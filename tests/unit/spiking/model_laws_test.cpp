// Laws of every model: the same bits from the same beginning, however it is run.

#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/spiking/simulation.hpp"
#include "support/expect_error.hpp"

namespace afterspike::spiking {
namespace {

constexpr std::int64_t kSize = 37;  // Not a multiple of any vector.
constexpr double kEnd = 60;

/// A stop between samples where there are no steps: a sample at the stop may come a rounding later
/// in a run that goes on.
double middle_of(Engine engine) {
  return engine == Engine::grid ? 23.7 : 23.75;
}

/// A current that makes neurons fire, and a weight, by unit.
double drive_of(std::string_view unit) {
  if (unit == "pA") return 800;
  if (unit == "uA/cm2") return 60;
  if (unit == "mV/ms") return 15;
  return unit == "mV" ? 3 : 0.6;
}
double weight_of(std::string_view unit) {
  if (unit == "pA") return 20;
  if (unit == "nS") return 1;
  return unit == "mV" ? 0.3 : 0.05;
}

/// Values that differ from neuron to neuron.
void add_columns(Population& population, const Model& kind) {
  constexpr double kOther = 0.1;  // Of parameters without a default: those of glifr.
  for (const Parameter& parameter : kind.parameters) {
    auto& values = population.columns[std::string(parameter.name)];
    std::vector<double> initial = parameter.initial;
    if (initial.empty()) initial = {kOther};
    if (parameter.extent == Extent::neuron) initial.resize(1);
    for (const double value : initial) values.insert(values.end(), kSize, value);
    if (parameter.symbol != "V_m") continue;
    for (std::size_t n = 0; n < values.size(); ++n) values[n] += 0.05 * static_cast<double>(n);
  }
}

Population population_of(const ModelEntry& entry) {
  Population population;
  population.name = "neurons";
  population.model = entry.name;
  population.size = kSize;
  const Model& kind = entry.model;
  if (kind.receptors.empty()) {
    population.synapse = kind.shapes.front();
    population.receptors = 1;
    if (population.synapse != SynapseShape::delta) {
      population.synapse_time_constants_ms.assign(kSize, 3.0);
    }
  } else {
    population.synapse = SynapseShape::model;
    population.receptors = static_cast<std::int64_t>(kind.receptors.size());
  }
  add_columns(population, kind);
  return population;
}

/// Receptors that an engine computes.
std::vector<std::uint8_t> receptors_of(const ModelEntry& entry, Engine engine) {
  if (engine == Engine::exact && entry.name == "theta") return {};
  if (engine == Engine::exact && entry.name == "qif") return {1};
  std::vector<std::uint8_t> receptors(std::max<std::size_t>(entry.model.receptors.size(), 1));
  std::iota(receptors.begin(), receptors.end(), 0);
  return receptors;
}

/// Recurrent synapses on every receptor, a Poisson source, a step and a noise current.
Network network_of(const ModelEntry& entry, Engine engine = Engine::grid) {
  Network network;
  network.time_step_ms = 0.1;
  network.populations.push_back(population_of(entry));
  Population source;
  source.name = "source";
  source.model = "poisson_source";
  source.size = kSize;
  source.receptors = 0;
  source.synapse = SynapseShape::delta;
  source.columns["rate"].assign(kSize, 300.0);
  network.populations.push_back(source);
  const auto receptors = receptors_of(entry, engine);
  for (std::int64_t from = 0; from < 2 && !receptors.empty(); ++from) {
    std::vector<Synapse> synapses;
    for (std::int64_t n = 0; n < kSize; ++n) {
      const std::uint8_t receptor = receptors[static_cast<std::size_t>(n) % receptors.size()];
      const double weight = weight_of(network.populations[0].weight_unit(receptor));
      synapses.push_back(
          {n, (5 * n + 3) % kSize, weight, 0.1 * static_cast<double>(3 + n % 9), receptor});
    }
    network.projections.push_back(make_projection(network.populations, from, 0, synapses));
  }
  if (entry.model.current_unit.empty()) return network;
  const double drive = drive_of(entry.model.current_unit);
  network.step_currents.push_back({0, {}, {2.0, 45.0}, {drive, 0.5 * drive}});
  network.noise_currents.push_back({0, 0, 0.1 * drive, 1.0});
  return network;
}

/// Everything that a run shows.
struct Shown {
  std::vector<Spike> spikes;
  std::vector<std::vector<double>> values;
  State state;

  bool operator==(const Shown&) const = default;
};

class Trial {
 public:
  Trial(const ModelEntry& entry, Engine engine, int threads)
      : entry_(entry), simulation_(network_of(entry, engine), options(engine, threads)) {
    for (const Variable& variable : entry.model.variables) {
      simulation_.record("neurons", variable.name, 0.1);
    }
  }

  Simulation& simulation() { return simulation_; }

  Shown shown() {
    Shown shown{simulation_.spikes(), {}, simulation_.save()};
    for (std::size_t at = 0; at < entry_.model.variables.size(); ++at) {
      shown.values.push_back(simulation_.recording(at).values);
    }
    return shown;
  }

 private:
  static Options options(Engine engine, int threads) {
    Options options{7, engine};
    options.dt_ms = 0.1;
    options.threads = threads;
    return options;
  }

  const ModelEntry& entry_;
  Simulation simulation_;
};

class ModelEntries : public ::testing::TestWithParam<std::size_t> {
 protected:
  const ModelEntry& entry() const { return models()[GetParam()]; }
};

struct Case {
  std::size_t entry;
  Engine engine;
};

class ModelLaws : public ::testing::TestWithParam<Case> {
 protected:
  const ModelEntry& entry() const { return models()[GetParam().entry]; }
  Engine engine() const { return GetParam().engine; }

  Shown whole(int threads = 1) const {
    Trial run(entry(), engine(), threads);
    run.simulation().run_until(kEnd);
    return run.shown();
  }
};

TEST_P(ModelLaws, SpikesAndVariablesAreThere) {
  const Shown shown = whole();
  EXPECT_GT(shown.spikes.size(), 5u);
  ASSERT_FALSE(entry().model.variables.empty());
  for (std::size_t at = 0; at < shown.values.size(); ++at) {
    const auto& values = shown.values[at];
    EXPECT_EQ(values.size(), kSize * 600u) << entry().model.variables[at].name;
    EXPECT_TRUE(
        std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }));
  }
}

TEST_P(ModelLaws, ResetIsFresh) {
  const Shown expected = whole();
  Trial run(entry(), engine(), 1);
  run.simulation().run_until(middle_of(engine()));
  run.simulation().reset();
  run.simulation().run_until(kEnd);
  EXPECT_TRUE(run.shown() == expected);
}

TEST_P(ModelLaws, HalvesAreTheWhole) {
  const Shown expected = whole();
  Trial run(entry(), engine(), 1);
  run.simulation().run_until(middle_of(engine()));
  run.simulation().run_until(kEnd);
  EXPECT_TRUE(run.shown() == expected);
}

TEST_P(ModelLaws, ThreadsDoNotChangeBits) {
  const Shown expected = whole();
  EXPECT_TRUE(whole(2) == expected);
  EXPECT_TRUE(whole(3) == expected);
}

TEST_P(ModelLaws, RestoredContinuesWithTheSameBits) {
  const Shown expected = whole();
  Trial first(entry(), engine(), 1);
  first.simulation().run_until(middle_of(engine()));
  const State saved = first.simulation().save();
  Trial second(entry(), engine(), 2);
  second.simulation().restore(saved);
  second.simulation().run_until(kEnd);
  const Shown found = second.shown();
  EXPECT_TRUE(found.state == expected.state);
  for (std::size_t at = 0; at < found.values.size(); ++at) {
    const auto& all = expected.values[at];
    const auto later = static_cast<std::ptrdiff_t>(all.size() - found.values[at].size());
    EXPECT_EQ(later, 237 * kSize);
    EXPECT_TRUE(std::equal(all.begin() + later, all.end(), found.values[at].begin()));
  }
}

TEST_P(ModelEntries, ParametersOutOfRangeAreRefusedByName) {
  for (const Parameter& parameter : entry().model.parameters) {
    Network network = network_of(entry());
    auto& values = network.populations[0].columns[std::string(parameter.name)];
    const double before = values[3];
    values[3] = std::numeric_limits<double>::quiet_NaN();
    testing::expect_error(ErrorKind::data, {std::string(parameter.name)},
                          [&] { validate(network); });
    if (parameter.range == Range::any) continue;
    values[3] = -1;
    testing::expect_error(ErrorKind::data, {std::string(parameter.name)},
                          [&] { validate(network); });
    if (parameter.range == Range::positive) {
      values[3] = 0;
      testing::expect_error(ErrorKind::data, {std::string(parameter.name)},
                            [&] { validate(network); });
    }
    values[3] = before;
    validate(network);
  }
}

TEST_P(ModelEntries, InputThatIsNotFiniteIsRefused) {
  Network network = network_of(entry());
  network.projections[0].weights[0] = std::numeric_limits<double>::infinity();
  testing::expect_error(ErrorKind::data, {std::string("weights")}, [&] { validate(network); });
  network = network_of(entry());
  if (network.step_currents.empty()) return;
  network.step_currents[0].amplitudes_pa[0] = std::numeric_limits<double>::quiet_NaN();
  testing::expect_error(ErrorKind::data, {std::string("amplitudes")}, [&] { validate(network); });
}

std::vector<std::size_t> neurons() {
  std::vector<std::size_t> indices;
  for (std::size_t at = 0; at < models().size(); ++at) {
    if (!models()[at].model.is_source()) indices.push_back(at);
  }
  return indices;
}

TEST_P(ModelEntries, TheExactEngineHasTheModelOrAReason) {
  EXPECT_NE(entry().model.make_exact == nullptr, entry().model.no_exact.empty());
  if (entry().model.make_exact != nullptr) return;
  const Network network = network_of(entry());
  testing::expect_error(ErrorKind::config,
                        {"the exact engine has no model '" + std::string(entry().name) + "'",
                         std::string(entry().model.no_exact)},
                        [&] {
                          Simulation(network, {1, Engine::exact});
                        });
}

std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const std::size_t entry : neurons()) {
    cases.push_back({entry, Engine::grid});
    if (models()[entry].model.make_exact != nullptr) cases.push_back({entry, Engine::exact});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Every, ModelLaws, ::testing::ValuesIn(cases()),
                         [](const ::testing::TestParamInfo<Case>& each) {
                           const bool exact = each.param.engine == Engine::exact;
                           return std::string(models()[each.param.entry].name) +
                                  (exact ? "_exact" : "");
                         });

INSTANTIATE_TEST_SUITE_P(Every, ModelEntries, ::testing::ValuesIn(neurons()),
                         [](const ::testing::TestParamInfo<std::size_t>& each) {
                           return std::string(models()[each.param].name);
                         });

TEST(OdeGroup, SaysWhichNeuronIsNoLongerFinite) {
  const auto found = std::find_if(models().begin(), models().end(), [](const ModelEntry& each) {
    return each.name == "fitzhugh_nagumo";
  });
  Network network = network_of(*found);
  network.projections.clear();
  network.noise_currents.clear();
  network.step_currents[0] = {0, {5}, {1.0}, {1e200}};
  Options options{1};
  Simulation simulation(network, options);
  testing::expect_error(ErrorKind::numeric,
                        {std::string("population 'neurons': the state of neuron 5")},
                        [&] { simulation.run_until(10); });
}

/// Every 32 steps, voltages that became infinite and those that an infinite input reset.
TEST(LeakyGroup, SaysWhichNeuronIsNoLongerFinite) {
  for (const std::string_view name : {"iaf_psc_exp", "iaf_psc_alpha", "iaf_psc_delta", "glif5"}) {
    for (const double sign : {1.0, -1.0}) {
      SCOPED_TRACE(fmt::format("{} {}", name, sign));
      const auto found = std::find_if(models().begin(), models().end(),
                                      [&](const ModelEntry& each) { return each.name == name; });
      Network network = network_of(*found);
      network.projections.clear();
      network.noise_currents.clear();
      // Each is finite, the sum is not.
      network.step_currents = {{0, {5}, {1.0}, {sign * 1e308}}, {0, {5}, {1.0}, {sign * 1e308}}};
      Simulation simulation(network, Options{1});
      testing::expect_error(
          ErrorKind::numeric,
          {std::string("population 'neurons': the state of neuron 5 is not finite at 3.2 ms")},
          [&] { simulation.run_until(10); });
    }
  }
}

TEST(OdeGroup, SaysWhichNeuronFiresTwiceInAStep) {
  const auto found = std::find_if(models().begin(), models().end(),
                                  [](const ModelEntry& each) { return each.name == "qif"; });
  Network network = network_of(*found);
  network.projections.clear();
  network.noise_currents.clear();
  network.step_currents.clear();
  network.populations[0].columns["reset"][6] = 34;
  network.populations[0].columns["constant_current"][6] = 1e5;
  Options options{1};
  Simulation simulation(network, options);
  testing::expect_error(ErrorKind::numeric, {std::string("neuron 6 spikes more than once")},
                        [&] { simulation.run_until(10); });
}

}  // namespace
}  // namespace afterspike::spiking
