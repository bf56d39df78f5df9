#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/io/toml_tree.hpp"
#include "afterspike/spiking/connect.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "network/expression.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::spiking {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using testing::TempDir;

class Descriptions : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) const {
    const auto path = directory_ / "net.toml";
    std::ofstream(path) << text;
    return path;
  }
  void expect_refused(const std::string& text, std::initializer_list<std::string> words) const {
    const auto path = write(text);
    expect_error(ErrorKind::config, words, [&] { read_description(path); });
  }

  TempDir directory_;
};

const std::string kBalanced = R"(
time_step = "0.1 ms"
until = "50 ms"
seed = 3

[parameters]
scale = 0.1
excitatory = "= 400 * scale"

[populations.E]
model = "lif"
size = "= excitatory"
E_L = -49.0
V_th = -50.0
V_m = { distribution = "uniform", min = -60, max = -50 }
tau_syn = [5, 10]

[populations.I]
model = "lif"
size = 10
tau_syn = [5, 10]

[populations.noise]
model = "poisson_source"
size = "= excitatory"
rate = 100

[[projections]]
source = "E"
target = ["E", "I"]
rule = "pairwise_bernoulli"
p = 0.2
weight = { distribution = "normal", mean = 16.2, std = 1.6, min = 0 }
delay = 1.5
receptor = 0

[[projections]]
source = "noise"
target = "E"
rule = "one_to_one"
weight = 100
delay = "= 10 * 0.1"
receptor = 0

[[currents]]
target = "I"
type = "steps"
times = [10, 20]
amplitudes = [300, 0]

[[record]]
population = "E"
variables = ["V"]
neurons = [0, 1]
)";

TEST_F(Descriptions, BecomeNetworksThatRunAndAreReadBackEqualFromHdf5) {
  const NetworkDescription description = read_description(write(kBalanced));
  const Network& network = description.network;
  ASSERT_EQ(network.populations.size(), 3U);
  EXPECT_EQ(network.populations[0].name, "E");
  EXPECT_EQ(network.populations[0].size, 40);
  EXPECT_EQ(network.populations[0].receptors, 2);
  const auto voltages = network.populations[0].column("initial_potential");
  EXPECT_GT(std::set<double>(voltages.begin(), voltages.end()).size(), 35U);
  // The default; a given E_L would move it.
  EXPECT_EQ(network.populations[1].column("initial_potential")[0], -70);
  ASSERT_EQ(network.projections.size(), 2U);
  EXPECT_NEAR(static_cast<double>(network.projections[0].synapses()), 40 * 40 * 0.2, 60);
  // A drive by Poisson spikes stays a rule.
  ASSERT_EQ(network.rule_projections.size(), 1U);
  EXPECT_EQ(network.synapses(network.rule_projections[0]), 40);
  EXPECT_DOUBLE_EQ(network.rule_projections[0].connection.delay.first, 1);
  EXPECT_EQ(description.until_ms, 50);
  EXPECT_EQ(description.seed, 3U);
  ASSERT_EQ(description.records.size(), 1U);
  EXPECT_THAT(description.records[0].neurons, ElementsAre(0, 1));

  write_network(directory_ / "net.h5", network);
  EXPECT_EQ(read_network(directory_ / "net.h5"), network);
  Simulation simulation(network, {.seed = 1});
  simulation.run_until(50);
  EXPECT_GT(simulation.spikes().size(), 20U);
}

TEST_F(Descriptions, SettingsReplaceValuesAndSeedsChangeNetworks) {
  const auto path = write(kBalanced);
  const Network network = read_description(path).network;
  EXPECT_EQ(read_description(path).network, network);
  EXPECT_NE(read_description(path, {{"seed", "4"}}).network, network);
  const Network larger = read_description(path, {{"parameters.scale", "0.2"},
                                                 {"projections.0.p", "1"},
                                                 {"populations.I.C_m", "300"}})
                             .network;
  EXPECT_EQ(larger.populations[0].size, 80);
  EXPECT_EQ(larger.projections[0].synapses(), 80 * 80);
  EXPECT_EQ(larger.populations[1].column("capacitance")[0], 300);
}

const std::string kGroups = R"(
[parameters]
kind = "weak"
strength = 1
sizes = [10, 20]
counts = [[5, 0], [7, 8]]

[populations.cells]
names = ["E", "I"]
model = "lif"
size = "= 2 * sizes"
tau_syn = 5
V_m = { distribution = "uniform", min = [-60, -70], max = -50 }

[[projections]]
source = ["E", "I"]
target = ["E", "I"]
rule = "fixed_total_number"
N = "= counts"
weight = { distribution = "normal", mean = ["= strength", "= -2 * strength"], std = 0.1, keep_sign = true }
delay = 1

[variants.kind.weak]

[variants.kind.strong]
parameters.strength = 10

[variants.kind.strong.populations.noise]
names = ["nE", "nI"]
model = "poisson_source"
size = "= 2 * sizes"
rate = 10

[[variants.kind.strong.projections]]
source = ["nE", "nI"]
target = ["E", "I"]
pairwise = true
rule = "one_to_one"
weight = 3
delay = 1
)";

TEST_F(Descriptions, GroupsVariantsAndArraysAreWrittenOut) {
  const auto path = write(kGroups);
  const Network weak = read_description(path).network;
  ASSERT_EQ(weak.populations.size(), 2U);
  EXPECT_EQ(weak.populations[0].name, "E");
  EXPECT_EQ(weak.populations[1].size, 40);
  EXPECT_LT(*std::min_element(weak.populations[1].column("initial_potential").begin(),
                              weak.populations[1].column("initial_potential").end()),
            -61);
  // Rows of N are targets; nothing connects I to E.
  ASSERT_EQ(weak.rule_projections.size(), 3U);
  EXPECT_EQ(weak.rule_projections[0].connection.count, 5);
  EXPECT_EQ(weak.rule_projections[1].target, 1);
  EXPECT_EQ(weak.rule_projections[1].connection.count, 7);
  EXPECT_EQ(weak.rule_projections[2].source, 1);
  EXPECT_EQ(weak.rule_projections[2].connection.weight.first, -2);
  EXPECT_EQ(weak.rule_projections[2].connection.weight.max, 0);
  EXPECT_EQ(weak.rule_projections[0].connection.weight.min, 0);

  const Network strong = read_description(path, {{"kind", "strong"}}).network;
  ASSERT_EQ(strong.populations.size(), 4U);
  EXPECT_EQ(strong.rule_projections[2].connection.weight.first, -20);
  ASSERT_EQ(strong.rule_projections.size(), 5U);
  EXPECT_EQ(strong.rule_projections[4].source, 3);
  EXPECT_EQ(strong.rule_projections[4].target, 1);
  // A setting is stronger than a variant.
  EXPECT_EQ(read_description(path, {{"kind", "strong"}, {"strength", "3"}})
                .network.rule_projections[2]
                .connection.weight.first,
            -6);
  expect_error(ErrorKind::config, {"parameters.kind: found 'week' (did you mean 'weak'?)"}, [&] {
    read_description(path, {{"kind", "week"}});
  });
  expect_error(ErrorKind::config,
               {"populations.cells.size: found 3 entries, expected one for each"}, [&] {
                 read_description(path, {{"sizes", "[1, 2, 3]"}});
               });
  expect_error(ErrorKind::config, {"projections.0.N: found 1 entries, expected 2 for the targets"},
               [&] {
                 read_description(path, {{"counts", "[[1, 2]]"}});
               });
}

TEST_F(Descriptions, AreRefusedWithFileLineAndTheNearestName) {
  expect_refused("[populations.E]\nmodel = \"lif\"\nC_mm = 3\ntau_syn = 5\n",
                 {"net.toml:3", "populations.E: no key 'C_mm' (did you mean 'C_m'?)"});
  expect_refused("[populations.E]\nmodel = \"liff\"\n", {"populations.E", "did you mean 'lif'"});
  expect_refused("[populations.E]\nmodel = \"lif\"\nsize = -3\n", {"found -3 neurons"});
  expect_refused("[populations.E]\nmodel = \"lif\"\ntau_syn = 5\nC_m = -3\n",
                 {"capacitance", "found -3 pF, expected above 0"});
  expect_refused("[populations.E]\nmodel = \"lif\"\nC_m = nan\ntau_syn = 5\n",
                 {"found no finite number"});
  expect_refused("[populations.E]\nmodel = \"lif\"\nsynapse = \"alfa\"\n",
                 {"found 'alfa', expected alpha, exponential, delta"});
  expect_refused("[populations.E]\nmodel = \"lif\"\npreset = \"fast\"\n",
                 {"model 'lif' has no presets"});
  expect_refused("times_step = 1\n[populations.E]\nmodel = \"lif\"\ntau_syn = 5\n",
                 {"no key 'times_step' (did you mean 'time_step'?)"});
  expect_refused("a = 1979-05-27\n", {"found a date or time"});
  expect_refused("", {"expected at least one population"});
}

TEST_F(Descriptions, CurrentsOfANeuronAreDrawnApart) {
  const Network network = read_description(write(R"(
[populations.E]
model = "glif3"
size = 50
tau_syn = 5
E_L = -65
asc_amps = [{ distribution = "normal", mean = 0, std = 1 },
            { distribution = "normal", mean = 0, std = 1 }]
)"))
                              .network;
  const auto amplitudes = network.populations[0].column("after_spike_amplitude");
  ASSERT_EQ(amplitudes.size(), 100U);
  EXPECT_NE(amplitudes[0], amplitudes[50]);
  EXPECT_EQ(network.populations[0].column("initial_potential")[0], -65);
}

TEST_F(Descriptions, ElectricalSynapsesCoupleAPairOnce) {
  const Network network = read_description(write(R"(
[populations.E]
model = "lif"
size = 20
tau_syn = 5

[[electrical]]
first = "E"
second = "E"
rule = "pairwise_bernoulli"
p = 1
conductance = 2
)"))
                              .network;
  EXPECT_EQ(network.electrical_synapses.at(0).conductances_ns.size(), 190U);
  const std::string cells = "[populations.E]\nmodel = \"lif\"\nsize = 2\ntau_syn = 5\n";
  expect_refused(cells +
                     "[[electrical]]\nfirst = \"E\"\nsecond = \"E\"\nrule = \"one_to_one\"\n"
                     "conductance = 2\n",
                 {"net.toml:8", "one_to_one couples each neuron of 'E' with itself"});
  expect_refused("coupling = \"iterate\"\n" + cells, {"did you mean 'iterated'"});
  EXPECT_EQ(read_description(write("coupling = \"iterated\"\n" + cells)).coupling,
            ElectricalCoupling::iterated);
  expect_refused(
      "[populations.E]\nmodel = \"lif\"\ntau_syn = 5\n[[currents]]\ntarget = \"E\"\n"
      "neurons = [0.5]\namplitude = 3\n",
      {"currents.0.neurons: found 0.5, expected a whole number"});
}

TEST_F(Descriptions, OddValuesAreRefused) {
  const std::string cell = "[populations.E]\nmodel = \"lif\"\nsize = 4\ntau_syn = 5\n";
  expect_refused("[populations.\"a/b\"]\nmodel = \"lif\"\n", {"found '/' in the name"});
  expect_refused(cell + "[[record]]\npopulation = \"E\"\nvariables = [\"V\"]\nneurons = [0, 0]\n",
                 {"found a neuron twice"});
  expect_refused(cell + "[[record]]\npopulation = \"E\"\nvariables = [\"V\"]\ninterval = -1\n",
                 {"expected a time above 0"});
  expect_refused(cell + "[[projections]]\nsource = \"E\"\ntarget = \"E\"\nweight = 1\ndelay = -5\n",
                 {"delay: found -5 ms, expected 0 or above"});
  expect_refused("[populations.E]\nmodel = \"lif\"\nsize = 2.5\n", {"found 2.5, expected a whole"});
  const auto rounded =
      write("[populations.E]\nmodel = \"lif\"\nsize = \"= 400 * 0.07\"\ntau_syn = 5\n");
  EXPECT_EQ(read_description(rounded).network.populations.at(0).size, 28);
}

TEST_F(Descriptions, QuantitiesMayHaveUnits) {
  const Network network = read_description(write(R"(
[populations.E]
model = "lif"
size = 2
tau_m = "0.02 s"
E_L = ["-65 mV", "-0.07 V"]
I_e = { distribution = "uniform", min = "0.1 nA", max = "100 pA" }
tau_syn = ["5 ms"]

[[projections]]
source = "E"
target = "E"
weight = "0.1 nA"
delay = "1500 us"

[[currents]]
target = "E"
amplitude = "0.3 nA"
)"))
                              .network;
  const Population& cells = network.populations[0];
  EXPECT_THAT(cells.column("membrane_time_constant"), ::testing::Each(20));
  EXPECT_THAT(cells.column("resting_potential"), ElementsAre(-65, -70));
  EXPECT_THAT(cells.column("constant_current"), ::testing::Each(100));
  EXPECT_THAT(cells.synapse_time_constants_ms, ::testing::Each(5));
  EXPECT_THAT(network.projections[0].weights, ::testing::Each(100));
  EXPECT_DOUBLE_EQ(network.projections[0].delays_ms[0], 1.5);
  EXPECT_THAT(network.step_currents[0].amplitudes_pa, ElementsAre(300));
  expect_refused("[populations.E]\nmodel = \"lif\"\ntau_syn = 5\ntau_m = \"20 mV\"\n",
                 {"net.toml:4: populations.E.tau_m: '20 mV' is not in a unit of the kind of ms"});
  expect_refused("[populations.E]\nmodel = \"morris_lecar\"\nC = \"20 uF\"\n",
                 {"net.toml:3: populations.E.C: found '20 uF'. Write a number, in uF/cm2"});
}

TEST_F(Descriptions, NetworksBeyondTheMemoryAreRefusedWithTheirSize) {
  expect_refused("[populations.E]\nmodel = \"lif\"\nsize = 4000000000\ntau_syn = 5\n",
                 {"net.toml:1: populations.E: 4000000000 neurons of model 'lif' need", "TiB",
                  "Lower the size"});
  expect_refused(
      "[populations.E]\nmodel = \"lif\"\nsize = 300000\ntau_syn = 5\n"
      "[[projections]]\nsource = \"E\"\ntarget = \"E\"\nweight = 1\ndelay = 1\n",
      {"projections.0: about 9e+10 synapses from 'E' to 'E' need 5.0 TiB", "are free. Lower"});
}

TEST_F(Descriptions, ModelsWithoutDefaultsNeedTheirParameters) {
  expect_refused("[populations.E]\nmodel = \"glifr\"\n",
                 {"net.toml:1: populations.E: model 'glifr' has no defaults for", "(mV)",
                  "afterspike export"});
}

TEST_F(Descriptions, ProjectionsAreRefusedByName) {
  const std::string neurons =
      "[populations.E]\nmodel = \"lif\"\nsize = 4\ntau_syn = [5, 10]\n"
      "[populations.I]\nmodel = \"lif\"\nsize = 3\ntau_syn = [5]\n";
  const auto refused = [&](const std::string& projection,
                           std::initializer_list<std::string> words) {
    expect_refused(neurons + "[[projections]]\n" + projection, words);
  };
  refused("source = \"EE\"\ntarget = \"E\"\n", {"no population", "projections.0.source"});
  refused("source = \"E\"\ntarget = \"I\"\nrule = \"one_to_one\"\nweight = 1\ndelay = 1\n",
          {"found 4 sources and 3 targets"});
  refused("source = \"E\"\ntarget = \"I\"\nrule = \"fixed_indegre\"\n",
          {"no rule called 'fixed_indegre' (did you mean 'fixed_indegree'?)"});
  refused("source = \"E\"\ntarget = \"I\"\nweight = 1\ndelay = 1\nreceptor = 1\n",
          {"receptor: found 1, expected 0 to 0"});
  refused(
      "source = \"E\"\ntarget = \"I\"\nrule = \"pairwise_bernoulli\"\np = 1.5\nweight = 1\n"
      "delay = 1\n",
      {"found p = 1.5, expected 0 to 1"});
  refused(
      "source = \"E\"\ntarget = \"E\"\nrule = \"fixed_indegree\"\nindegree = 4\n"
      "allow_autapses = false\nallow_multapses = false\nweight = 1\ndelay = 1\n",
      {"found 4 synapses per neuron, expected at most 3"});
  refused("source = \"E\"\ntarget = \"E\"\nweight = { distribution = \"gauss\" }\ndelay = 1\n",
          {"found 'gauss', expected normal"});
}

/// The examples of tasks/networks, with at most 64 neurons a population.
TEST_F(Descriptions, ExamplesRunAndAreReadBackEqualFromHdf5) {
  const std::filesystem::path folder =
      std::filesystem::path(AFTERSPIKE_TEST_SOURCE_DIR) / "tasks/networks";
  std::int64_t examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename());
    std::vector<DescriptionSetting> small;
    const io::TomlNode root = io::read_toml(entry.path());
    for (io::TomlTable table : io::TomlTable(root, "").named_tables("populations")) {
      if (table.find("grid") != nullptr) {
        small.emplace_back(table.name() + ".grid", "[8, 8]");
        small.emplace_back("currents.0.neurons.center", "[4, 4]");
      } else if (table.find("names") != nullptr) {
        small.emplace_back("scale", "0.01");
      } else if (table.name() != "populations.cell") {
        small.emplace_back(table.name() + ".size", "50");
      }
    }
    const NetworkDescription description = read_description(entry.path(), small);
    EXPECT_GT(description.until_ms, 0);
    const auto file = directory_ / entry.path().stem().string();
    write_network(file, description.network);
    EXPECT_EQ(read_network(file), description.network);
    Simulation simulation(description.network, {.seed = 1});
    simulation.run_until(5);
    ++examples;
  }
  EXPECT_GE(examples, 10);
}

TEST_F(Descriptions, GridsConnectNeighbours) {
  const std::string sheet =
      "[populations.E]\nmodel = \"lif\"\ngrid = [5, 4]\nspacing = 2\ntau_syn = 5\n"
      "[[projections]]\nsource = \"E\"\ntarget = \"E\"\nweight = 1\ndelay = 1\n";
  const auto out_degrees = [&](const std::string& keys,
                               const std::vector<DescriptionSetting>& settings = {}) {
    const Network network = read_description(write(sheet + keys), settings).network;
    const Projection& projection = network.projections.at(0);
    EXPECT_EQ(network.populations.at(0).size, 20);
    std::vector<std::int64_t> degrees;
    for (std::size_t row = 0; row + 1 < projection.offsets.size(); ++row) {
      degrees.push_back(projection.offsets[row + 1] - projection.offsets[row]);
    }
    return degrees;
  };
  const std::vector<DescriptionSetting> torus = {{"populations.E.edge_wrap", "true"}};
  const std::string others = "allow_autapses = false\n";
  EXPECT_THAT(out_degrees("radius = 2\n" + others),
              ElementsAre(2, 3, 3, 3, 2, 3, 4, 4, 4, 3, 3, 4, 4, 4, 3, 2, 3, 3, 3, 2));
  EXPECT_THAT(out_degrees("radius = 2\n" + others, torus), ::testing::Each(4));
  EXPECT_THAT(out_degrees("radius = 2.83\n" + others, torus), ::testing::Each(8));
  EXPECT_THAT(out_degrees("radius = 1.9\n"), ::testing::Each(1));
  EXPECT_THAT(out_degrees("radius = 100\n", torus), ::testing::Each(20));
  const auto drawn = out_degrees("radius = 100\nrule = \"pairwise_bernoulli\"\np = 0.5\n");
  EXPECT_NEAR(std::accumulate(drawn.begin(), drawn.end(), 0.0), 200, 4 * std::sqrt(100));
}

TEST_F(Descriptions, GridsSelectNeuronsAndAreRefusedByName) {
  const std::string sheet = "[populations.E]\nmodel = \"lif\"\ngrid = [5, 4]\ntau_syn = 5\n";
  const std::string current = "[[currents]]\ntarget = \"E\"\namplitude = 1\nneurons = ";
  const auto selected =
      read_description(write(sheet + current + "{ center = [2.5, 0.5], radius = 1 }\n"));
  EXPECT_THAT(selected.network.step_currents.at(0).neurons, ElementsAre(1, 2, 3, 7));
  expect_refused(sheet + current + "{ center = [9, 9], radius = 1 }\n", {"no neurons within"});
  expect_refused(sheet + current + "{ center = [9], radius = 1 }\n", {"expected [x, y]"});
  expect_refused("[populations.E]\nmodel = \"lif\"\ngrid = [5, 4]\nsize = 20\ntau_syn = 5\n",
                 {"expected [COLUMNS, ROWS], and no size"});
  const std::string points = "[populations.P]\nmodel = \"lif\"\nsize = 20\ntau_syn = 5\n";
  const std::string rest = "weight = 1\ndelay = 1\nradius = 1\n";
  expect_refused(sheet + points + "[[projections]]\nsource = \"P\"\ntarget = \"E\"\n" + rest,
                 {"population 'P' has no grid. Give it grid = [COLUMNS, ROWS]"});
  expect_refused(sheet +
                     "[[projections]]\nsource = \"E\"\ntarget = \"E\"\nrule = "
                     "\"fixed_indegree\"\nindegree = 1\n" +
                     rest,
                 {"rule 'fixed_indegree': found a radius, which it does not take"});
  const std::string torus =
      "[populations.T]\nmodel = \"lif\"\ngrid = [5, 5]\nedge_wrap = true\ntau_syn = 5\n";
  expect_refused(sheet + torus + "[[projections]]\nsource = \"E\"\ntarget = \"T\"\n" + rest,
                 {"expected grids of one extent, found 5 x 4 and 5 x 5"});
}

TEST(Expressions, FollowTheRulesOfArithmetic) {
  const Values names = {{"scale", 0.25}, {"N", 800}};
  const auto number = [&](const char* expression) {
    return evaluate(expression, names).numbers[0];
  };
  EXPECT_DOUBLE_EQ(number("1 + 2 * 3 - 4 / 8"), 6.5);
  EXPECT_DOUBLE_EQ(number("-2^2"), -4);
  EXPECT_DOUBLE_EQ(number("2^3^2"), 512);
  EXPECT_DOUBLE_EQ(number("round(N * scale / 3)"), 67);
  EXPECT_DOUBLE_EQ(number("max(1, min(N, 3)) * sqrt(scale)"), 1.5);
  expect_error(ErrorKind::config, {"no parameter called 'scal' (did you mean 'scale'?)"},
               [&] { evaluate("2 * scal", names); });
  expect_error(ErrorKind::config, {"expected ')'"}, [&] { evaluate("(1 + 2", names); });
  expect_error(ErrorKind::config, {"not finite"}, [&] { evaluate("1 / 0", names); });
  expect_error(ErrorKind::config, {"100 nested"},
               [&] { evaluate(std::string(10000, '('), names); });
  expect_error(ErrorKind::config, {"100 nested"},
               [&] { evaluate(std::string(100000, '-'), names); });
}

TEST(Expressions, CombineArraysEntryByEntry) {
  const Values names = {{"row", {{2}, {1, 2}}}, {"rows", {{3, 2}, {1, 2, 3, 4, 5, 6}}}};
  EXPECT_EQ(evaluate("2 * row + 1", names), (Value{{2}, {3, 5}}));
  EXPECT_EQ(evaluate("rows * row", names), (Value{{3, 2}, {1, 4, 3, 8, 5, 12}}));
  EXPECT_EQ(evaluate("sum(rows * row)", names), (Value{{3}, {5, 11, 17}}));
  EXPECT_EQ(evaluate("sum(row)", names), Value{3});
  EXPECT_EQ(evaluate("-rows ^ 2", names).numbers[5], -36);
  expect_error(ErrorKind::config, {"found arrays of [2] and [3] numbers"},
               [&] { evaluate("row + sum(rows)", names); });
}

/// Degrees of a drawn projection.
struct Degrees {
  std::vector<std::int64_t> in, out;
};
Degrees degrees_of(const Projection& projection, std::int64_t sources, std::int64_t targets) {
  Degrees degrees;
  degrees.in.resize(static_cast<std::size_t>(targets));
  for (std::int64_t source = 0; source < sources; ++source) {
    const auto row = static_cast<std::size_t>(source);
    degrees.out.push_back(projection.offsets[row + 1] - projection.offsets[row]);
  }
  for (const std::uint32_t target : projection.targets) ++degrees.in[target];
  return degrees;
}

TEST(Connections, HaveTheDegreesOfTheirRules) {
  std::vector<Population> populations(2);
  for (Population& population : populations) {
    population.model = "lif";
    population.size = &population == &populations[0] ? 50 : 70;
    population.synapse_time_constants_ms.assign(static_cast<std::size_t>(population.size), 5);
    set_defaults(population);
  }
  Connection connection;
  connection.weight.first = 2;
  connection.delay.first = 1.52;
  connection.count = 7;
  const auto drawn = [&](ConnectionRule rule) {
    connection.rule = rule;
    return connect(populations, 0, 1, connection, 0.1, Rng(5));
  };
  const Projection in = drawn(ConnectionRule::fixed_indegree);
  EXPECT_THAT(degrees_of(in, 50, 70).in, ::testing::Each(7));
  EXPECT_DOUBLE_EQ(in.delay_ms(0), 1.5);  // Rounded to the grid.
  EXPECT_THAT(degrees_of(drawn(ConnectionRule::fixed_outdegree), 50, 70).out, ::testing::Each(7));
  EXPECT_EQ(drawn(ConnectionRule::fixed_total_number).synapses(), 7);
  EXPECT_EQ(drawn(ConnectionRule::all_to_all).synapses(), 50 * 70);
  connection.probability = 0.3;
  const double mean = 50 * 70 * 0.3, deviation = std::sqrt(mean * 0.7);
  EXPECT_NEAR(static_cast<double>(drawn(ConnectionRule::pairwise_bernoulli).synapses()), mean,
              4 * deviation);
}

TEST(Connections, OfMorePairsThanCanBeCountedAreRefused) {
  std::vector<Population> populations(1);
  populations[0].model = "lif";
  populations[0].size = 4'000'000'000;
  expect_error(ErrorKind::config, {"found 4000000000 sources and 4000000000 targets"},
               [&] { connect(populations, 0, 0, {}, 0.1, Rng(1)); });
}

TEST(Connections, HaveAboutTheExpectedNumber) {
  Connection connection;
  connection.count = 7;
  connection.probability = 0.25;
  const std::map<ConnectionRule, double> expected = {
      {ConnectionRule::one_to_one, 50},        {ConnectionRule::all_to_all, 3500},
      {ConnectionRule::fixed_indegree, 490},   {ConnectionRule::fixed_outdegree, 350},
      {ConnectionRule::fixed_total_number, 7}, {ConnectionRule::pairwise_bernoulli, 875}};
  for (const auto& [rule, count] : expected) {
    connection.rule = rule;
    EXPECT_DOUBLE_EQ(expected_synapses(connection, 50, 70), count) << name_of(rule);
  }
}

TEST(Distributions, HaveTheirMomentsAndKeepTheirBounds) {
  const auto moments = [](const Distribution& distribution) {
    Rng rng(11);
    double sum = 0, squares = 0;
    constexpr int kDraws = 100'000;
    for (int drawn = 0; drawn < kDraws; ++drawn) {
      const double value = draw(distribution, rng);
      EXPECT_TRUE(value >= distribution.min && value <= distribution.max);
      sum += value;
      squares += value * value;
    }
    const double mean = sum / kDraws;
    return std::pair(mean, std::sqrt(squares / kDraws - mean * mean));
  };
  using Kind = Distribution::Kind;
  const auto [normal_mean, normal_sd] = moments({Kind::normal, 1.5, 0.75});
  EXPECT_NEAR(normal_mean, 1.5, 0.01);
  EXPECT_NEAR(normal_sd, 0.75, 0.01);
  const auto [log_mean, log_sd] = moments({Kind::lognormal, 0.1, 0.5});
  EXPECT_NEAR(log_mean, std::exp(0.1 + 0.125), 0.01);
  EXPECT_NEAR(log_sd, std::exp(0.1 + 0.125) * std::sqrt(std::exp(0.25) - 1), 0.02);
  EXPECT_NEAR(moments({Kind::exponential, 2}).first, 2, 0.03);
  EXPECT_NEAR(moments({Kind::uniform, -1, 3}).first, 1, 0.02);
  EXPECT_GT(moments({Kind::normal, 0, 1, 0.5, 2}).first, 0.9);
  Rng rng(1);
  expect_error(ErrorKind::config, {"expected a wider range"}, [&] {
    draw({Kind::normal, 0, 1, 50, 60}, rng);
  });
}

}  // namespace
}  // namespace afterspike::spiking
