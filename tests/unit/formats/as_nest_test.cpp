// Delays, recorded spikes and the script of NEST's formats.

#include <sys/wait.h>

#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/formats/conversion.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "glifr_network.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike::formats {
namespace {

using testing::glifr_network;
using ::testing::HasSubstr;
using testing::make_population;
using testing::TempDir;

/// How many synapses the deviations say have another delay; -1 where none speaks of delays.
std::int64_t listed_delays(const Conversion& conversion) {
  std::int64_t count = -1;
  for (const Deviation& deviation : conversion.deviations) {
    if (deviation.what.starts_with("delays"))
      count = std::max<std::int64_t>(count, 0) + deviation.values;
  }
  return count;
}

TEST(AsNest, HalvesOfAStepComeToTheLaterWhateverTheNoise) {
  // The lag of half a step puts every delay between two steps; decimal times are not exact there.
  for (const double step : {0.05, 0.1, 1.0}) {
    for (int steps = 1; steps <= 100; ++steps) {
      auto network = glifr_network({}, 12, 4, step);
      const double delay = steps * step;
      network.projections[1].delays_ms = {delay};
      const Conversion conversion = as_nest(network, {});
      EXPECT_EQ(conversion.network.projections[1].delays_ms, std::vector<double>{delay}) << steps;
      EXPECT_EQ(listed_delays(conversion), -1) << steps;
    }
  }
}

TEST(AsNest, EverySynapseWithAnotherDelayIsCounted) {
  auto network = glifr_network();
  // 4 x 12 synapses of 1 ms, 12 x 12 of 2 ms, each kind with one delay for all.
  const Conversion finer = as_nest(network, {true, 0.1, 0.1});
  EXPECT_EQ(listed_delays(finer), 48 + 144);
  EXPECT_NEAR(finer.network.projections[1].delays_ms.at(0), 1.8, 1e-12);
  const Conversion late = as_nest(network, {true, 1, 0.75});
  EXPECT_EQ(late.network.projections[0].delays_ms.at(0), 1);
  EXPECT_EQ(late.network.projections[1].delays_ms.at(0), 1);
  EXPECT_EQ(listed_delays(late), 48 + 144);
}

TEST(AsNest, DelaysAndSpikesThatAreOffItsGridAreListed) {
  spiking::Network network;
  network.time_step_ms = 0.1;
  network.populations = {
      make_population("cells", "glif1", 3, spiking::SynapseShape::alpha, {2}, Rng(1)),
      make_population("input", "spike_source", 2, spiking::SynapseShape::delta, {}, Rng(2))};
  network.populations[1].trains = {{0, 3, 4}, {0, 0.1, 0.25, 7}};
  network.projections = {make_projection(
      network.populations, 1, 0,
      std::vector<spiking::Synapse>{{0, 1, 5, 0, 0}, {0, 2, 5, 0.3, 0}, {1, 0, 5, 0.34, 0}})};
  Conversion conversion = as_nest(network, {});
  EXPECT_EQ(listed_delays(conversion), 2);
  EXPECT_EQ(conversion.deviations.at(0).neurons, std::vector<std::int64_t>{0});
  EXPECT_EQ(conversion.deviations.at(1).neurons, std::vector<std::int64_t>{1});
  const auto& delays = conversion.network.projections[0].delays_ms;
  EXPECT_EQ(delays.at(0), 0.1);
  EXPECT_EQ(delays.at(1), 0.3);
  EXPECT_NEAR(delays.at(2), 0.3, 1e-12);
  const auto& times = conversion.network.populations[1].trains.times_ms;
  EXPECT_EQ(times.at(0), 0.1);
  EXPECT_EQ(times.at(1), 0.1);
  EXPECT_NEAR(times.at(2), 0.3, 1e-12);
  EXPECT_EQ(times.at(3), 7);
  ASSERT_EQ(conversion.deviations.size(), 3u);
  EXPECT_THAT(
      text_of(conversion.deviations[2]),
      HasSubstr("population 'input': recorded spikes at 0 ms or within a step (2 values of 1"
                " neurons: 0)"));
  // On the grid of a coarser simulator.
  network.populations[1].trains = {};
  network.projections[0].delays_ms = {0.5};
  conversion = as_nest(network, {true, 0.2, 0});
  EXPECT_EQ(listed_delays(conversion), 3);
  EXPECT_THAT(text_of(conversion.deviations.back()), HasSubstr("not whole steps of 0.2 ms"));
}

TEST(AsNest, AConstantCurrentIsAHigherRest) {
  for (const char* level : {"glif1", "glif2", "glif3", "glif4", "glif5"}) {
    SCOPED_TRACE(level);
    spiking::Network network;
    network.populations = {
        make_population("cells", level, 3, spiking::SynapseShape::alpha, {2}, Rng(1))};
    network.populations[0].columns["constant_current"] = {250, 0, 120};
    const Conversion conversion = as_nest(network, {});
    EXPECT_TRUE(conversion.deviations.empty());
    const auto& columns = conversion.network.populations[0].columns;
    const bool follows = columns.contains("threshold_voltage_index");
    EXPECT_EQ(columns.at("constant_current"),
              follows ? std::vector<double>({250, 0, 120}) : std::vector<double>(3, 0.0));
    std::vector<spiking::Recording> recordings;
    std::vector<std::size_t> spikes;
    for (const spiking::Network& each : {network, conversion.network}) {
      spiking::Simulation simulation(each, {1});
      simulation.record("cells", "V", 0.1);
      simulation.run_until(300);
      recordings.push_back(simulation.recording(0));
      spikes.push_back(simulation.spikes().size());
    }
    EXPECT_GT(spikes[0], 20u);
    EXPECT_EQ(spikes[0], spikes[1]);
    for (std::size_t at = 0; at < recordings[0].values.size(); ++at) {
      ASSERT_NEAR(recordings[0].values[at], recordings[1].values[at], 1e-9) << at;
    }
  }
}

/// Takes the place of NEST and writes down what it is told.
constexpr const char* kStub = R"(
import json
resolution = 0.1
calls = []
class Nodes:
    def __init__(self, first, count):
        self.first, self.count = first, count
        self.events = {"times": [5.0], "senders": [1]}
    @property
    def global_id(self):
        return self.first
    def __getitem__(self, at):
        return Nodes(self.first + at, 1)
    def __iter__(self):
        return (Nodes(self.first + at, 1) for at in range(self.count))
    def set(self, values):
        calls.append(["set", self.first, json.loads(json.dumps(values, default=list))])
nodes = 1
def ResetKernel():
    pass
def Create(model, count=1, params=None):
    global nodes
    calls.append(["Create", model, count, params and {k: float(v) for k, v in params.items()}])
    nodes += count
    return Nodes(nodes - count, count)
def ids(nodes):
    return [nodes.first, nodes.count] if isinstance(nodes, Nodes) else list(map(int, nodes))
def Connect(pre, post, conn_spec=None, syn_spec=None):
    listed = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in (syn_spec or {}).items()}
    calls.append(["Connect", ids(pre), ids(post), conn_spec, listed])
def Simulate(duration):
    calls.append(["Simulate", duration])
    open("calls.json", "w").write(json.dumps(calls))
)";

/// The calls of a kind that the script made, with this first argument where one is given.
std::vector<io::Json> calls_of(const io::Json& calls, const char* kind,
                               const std::string& what = "") {
  std::vector<io::Json> found;
  for (const io::Json& call : calls) {
    if (call[0] == kind && (what.empty() || call[1] == what)) found.push_back(call);
  }
  return found;
}

int shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Neurons that hear each other, values, spikes and a constant current.
spiking::Network script_network() {
  auto network = glifr_network({}, 3, 2, 2.5);
  network.populations.push_back(
      make_population("spikes", "spike_source", 1, spiking::SynapseShape::delta, {}, Rng(2)));
  network.populations.back().trains = {{0, 2}, {2.5, 5}};
  network.projections.push_back(make_projection(
      network.populations, 2, 0, std::vector<spiking::Synapse>{{0, 1, 0.5, 2.5, 0}}));
  // A constant current that is no other resting potential.
  network.populations.push_back(
      make_population("adapting", "glif5", 1, spiking::SynapseShape::alpha, {2}, Rng(2)));
  return network;
}

TEST(PynestScript, GivesEveryConnectionADelayOfItsOwn) {
  const std::string python = AFTERSPIKE_SYSTEM_PYTHON;
  if (shell(python + " -c 'import h5py, numpy' 2>/dev/null") != 0) GTEST_SKIP() << "no h5py";
  const TempDir directory;
  export_network(find_entry<ExporterEntry>(entries(), "pynest", "format"), script_network(),
                 directory / "net", {true});
  testing::spill(directory / "net/nest.py", kStub);
  testing::spill(directory / "net/values.csv", "1,0\n0.5,2\n");
  ASSERT_EQ(shell("cd '" + (directory / "net").string() + "' && " + python +
                  " run_nest.py 10 values.csv > out.csv"),
            0);
  EXPECT_EQ(testing::slurp(directory / "net/out.csv"), "2.5000,0\n");
  const io::Json calls = io::read_json(directory / "net/calls.json", ErrorKind::data);
  // NEST's default of 1 ms is below the resolution of 2.5 ms: it would refuse.
  const auto connections = calls_of(calls, "Connect");
  EXPECT_EQ(connections.size(), 3u + 1 + 1);
  for (const io::Json& connection : connections) {
    ASSERT_TRUE(connection[4].contains("delay")) << connection;
    const io::Json& delay = connection[4]["delay"];
    for (const double each : delay.is_array() ? delay.get<std::vector<double>>()
                                              : std::vector<double>{delay.get<double>()}) {
      EXPECT_GE(each, 2.5);
    }
  }
  EXPECT_EQ(calls_of(calls, "Create", "dc_generator").size(), 1u);
  EXPECT_EQ(calls_of(calls, "Create", "glif_psc").at(0)[2], 4);
  EXPECT_EQ(calls_of(calls, "Create", "spike_generator").at(0)[2], 1);
  // All begins a step later than NEST does, and is printed as if it did not.
  EXPECT_EQ(calls_of(calls, "Simulate").at(0)[1], 12.5);
  EXPECT_EQ(calls_of(calls, "set").at(1)[2][0]["spike_times"], (std::vector<double>{5, 7.5}));
  const io::Json currents = calls_of(calls, "set").back()[2];
  EXPECT_EQ(currents[1]["amplitude_times"], (std::vector<double>{2.5, 5, 7.5}));
  EXPECT_EQ(currents[1]["amplitude_values"], (std::vector<double>{0, 2, 0}));
}

}  // namespace
}  // namespace afterspike::formats
