// neuron_config.json against a plain AllenSDK (its order of updates, written down) and golden data.

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/formats/importer.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "glifr_network.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "unit/spiking/golden_spiking.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using testing::expect_error;
using testing::glifr_network;
using testing::TempDir;

void write(const spiking::Network& network, const fs::path& path) {
  export_network(find_entry<ExporterEntry>(entries(), "allen", "format"), network, path, {true});
}

/// GlifNeuron.dynamics of AllenSDK, for threshold 'inf': the voltage takes currents as they were at
/// the start of the step, then these decay; a spike resets both. In SI units; steps with a spike.
std::vector<std::int64_t> allen_spikes(const io::Json& config,
                                       const std::vector<double>& stimulus) {
  const double dt = config["dt"], C = config["C"], R = config["R_input"], th = config["th_inf"];
  const std::vector<double> taus = config["asc_tau_array"], amps = config["asc_amp_array"];
  std::vector<double> currents(taus.size(), 0.0), r(taus.size(), 0.0);
  if (!taus.empty()) r = config["AScurrent_reset_method"]["params"]["r"].get<std::vector<double>>();
  const io::Json& reset = config["voltage_reset_method"];
  EXPECT_EQ(config["spike_cut_length"], 0);
  double voltage = 0;
  std::vector<std::int64_t> spikes;
  for (std::size_t step = 0; step < stimulus.size(); ++step) {
    double sum = stimulus[step];
    for (const double current : currents) sum += current;
    voltage += (sum - voltage / R) * dt / C;
    for (std::size_t j = 0; j < currents.size(); ++j) currents[j] *= std::exp(-dt / taus[j]);
    if (voltage <= th) continue;
    spikes.push_back(static_cast<std::int64_t>(step) + 1);
    voltage = reset["params"]["a"].get<double>() * voltage + reset["params"]["b"].get<double>();
    for (std::size_t j = 0; j < currents.size(); ++j) currents[j] = currents[j] * r[j] + amps[j];
  }
  return spikes;
}

TEST(Allen, AGlifrNeuronIsItselfInAllenSdksOrderOfUpdates) {
  const TempDir directory;
  constexpr std::int64_t kSteps = 1500;
  auto network = glifr_network(
      {{"constant_current", {0, 0}}, {"spike_fraction", {0.6, 1}}, {"reset", {-0.1, 0.1}}});
  network.projections.pop_back();  // The files know single neurons.
  write(network, directory / "cells");
  const auto signal = testing::random_signal(kSteps);
  spiking::Simulation simulation(network, {1});
  simulation.set_signal("input", signal);
  simulation.run_until(kSteps);
  for (std::int64_t n = 0; n < 12; ++n) {
    const io::Json config = io::read_json(
        directory / ("cells/hidden_" + std::to_string(n) + "_neuron_config.json"), ErrorKind::data);
    // Input of step t moves the voltage in that step: a current C u / dt.
    std::vector<double> stimulus;
    for (std::int64_t t = 0; t < kSteps; ++t) {
      double u = 0;
      for (std::int64_t k = 0; k < 4; ++k) {
        u += signal[static_cast<std::size_t>(t * 4 + k)] *
             network.projections[0].weights[static_cast<std::size_t>(k * 12 + n)];
      }
      stimulus.push_back(config["C"].get<double>() * u * 1e-3 / config["dt"].get<double>());
    }
    std::vector<std::int64_t> expected;
    for (const spiking::Spike& spike : simulation.spikes()) {
      if (spike.neuron == n) expected.push_back(std::llround(spike.time_ms));
    }
    EXPECT_EQ(allen_spikes(config, stimulus), expected) << n;
  }
  EXPECT_GT(simulation.spikes().size(), 1000u);
}

TEST(Allen, EveryLevelComesBackAsItWas) {
  const TempDir directory;
  for (const char* level : {"glif1", "glif2", "glif3", "glif4", "glif5"}) {
    spiking::Network network;
    network.populations = {testing::make_population("cell", level, 1, spiking::SynapseShape::alpha,
                                                    {5.5, 8.5, 2.8, 5.8}, Rng(2))};
    auto& columns = network.populations[0].columns;
    columns["constant_current"] = {0};
    // Methods that depend on the voltage reset by a rule of their own.
    const bool rule = columns.contains("reset_fraction");
    if (rule) columns["reset"] = columns["resting_potential"];
    write(network, directory / level);
    const auto found =
        import_allen({directory / level / "cell_0_neuron_config.json"}).populations.at(0);
    EXPECT_EQ(found.model, level);
    EXPECT_EQ(found.synapse_time_constants_ms, network.populations[0].synapse_time_constants_ms);
    ASSERT_EQ(found.columns.size(), columns.size());
    for (const auto& [name, values] : columns) {
      for (std::size_t at = 0; at < values.size(); ++at) {
        EXPECT_NEAR(found.columns.at(name).at(at), values[at], 1e-9 * (1 + std::abs(values[at])))
            << level << " " << name;
      }
    }
  }
}

/// AllenSDK's own spikes at 0.01 ms, by the exact engine: it comes close as its step goes to 0.
TEST(Allen, ImportedNeuronsSpikeAsAllenSdksDo) {
  const TempDir directory;
  const io::Hdf5File file(testing::golden_spiking("golden_allen_glif.h5"));
  for (const std::string& level : file.members("/")) {
    const std::string group = "/" + level + "/dt1e-05";
    testing::spill(directory / "config.json", file.text_attribute(group, "config"));
    spiking::Network network = import_allen({directory / "config.json"});
    spiking::StepCurrent current;
    const auto stimulus = file.read<double>(group + "/stim").values;
    for (std::size_t step = 0; step < stimulus.size(); ++step) {
      const double amplitude = stimulus[step] * 1e12;
      if (step > 0 && amplitude == current.amplitudes_pa.back()) continue;
      current.times_ms.push_back(static_cast<double>(step) * 0.01);
      current.amplitudes_pa.push_back(amplitude);
    }
    network.step_currents = {current};
    spiking::Options options{1};
    options.engine = spiking::Engine::exact;
    spiking::Simulation simulation(network, options);
    simulation.run_until(static_cast<double>(stimulus.size()) * 0.01);
    const auto expected = file.read<double>(group + "/spike_times_ms_end_of_step").values;
    ASSERT_EQ(simulation.spikes().size(), expected.size()) << level;
    for (std::size_t at = 0; at < expected.size(); ++at) {
      EXPECT_NEAR(simulation.spikes()[at].time_ms, expected[at], 0.2) << level << " " << at;
    }
  }
}

TEST(Allen, WhatIsWrittenIsNeuronsAlone) {
  const auto& format = find_entry<ExporterEntry>(entries(), "allen", "format");
  auto network = glifr_network();
  network.readout = {0, 2, 1, std::vector<double>(12, 1), {0}};
  const Conversion conversion = format.convert(network, {});
  ASSERT_EQ(conversion.network.populations.size(), 1u);
  EXPECT_TRUE(conversion.network.projections.empty());
  EXPECT_EQ(conversion.network.readout, spiking::Readout{});
  EXPECT_EQ(conversion.network.populations[0].columns.at("constant_current"),
            std::vector<double>(12, 0.0));
  EXPECT_NO_THROW(validate(conversion.network));
  // Periods are counted in steps.
  spiking::Network leaky;
  leaky.populations = {testing::make_population("cell", "glif1", 2, spiking::SynapseShape::alpha,
                                                {5.5, 8.5, 2.8, 5.8}, Rng(2))};
  leaky.populations[0].columns["constant_current"] = {0, 0};
  leaky.populations[0].columns["refractory"] = {2.5, 2.53};
  const Conversion rounded = format.convert(leaky, {});
  ASSERT_EQ(rounded.deviations.size(), 1u);
  EXPECT_EQ(rounded.deviations[0].neurons, std::vector<std::int64_t>{1});
  EXPECT_DOUBLE_EQ(rounded.network.populations[0].columns.at("refractory")[1], 2.5);
}

TEST(Allen, NeuronsOfWhichItHasNoFormAreRefused) {
  const auto& format = find_entry<ExporterEntry>(entries(), "allen", "format");
  const auto refuse = [&](const spiking::Network& network, const char* part) {
    expect_error(ErrorKind::config, {"population", part}, [&] { format.convert(network, {}); });
  };
  refuse(glifr_network({{"membrane_decay", {1, 1.2}}}), "found a membrane decay of 1");
  refuse(glifr_network({{"membrane_decay", {0, 0}}}), "found a membrane decay of 0");
  refuse(glifr_network({{"resistance", {0, 0}}}), "a resistance of 0 GOhm");
  refuse(glifr_network({{"after_spike_decay", {1.5, 2}}}), "found an after-spike decay of");
  refuse(glifr_network({{"softness", {0.1, 0.1}}}), "found a soft threshold");
  spiking::Network lif;
  lif.populations = {
      testing::make_population("cell", "lif", 1, spiking::SynapseShape::alpha, {2}, Rng(2))};
  refuse(lif, "found model 'lif', expected glif1 to glif5 or glifr");
}

TEST(Allen, FilesOfOneNetworkHaveOneStep) {
  const TempDir directory;
  spiking::Network network;
  network.populations = {testing::make_population("cell", "glif1", 1, spiking::SynapseShape::alpha,
                                                  {5.5, 8.5, 2.8, 5.8}, Rng(2))};
  std::vector<fs::path> files;
  for (const char* name : {"a", "b"}) {
    network.time_step_ms = *name == 'a' ? 0.05 : 0.1;
    write(network, directory / name);
    files.push_back(directory / name / "cell_0_neuron_config.json");
  }
  EXPECT_DOUBLE_EQ(import_allen({files[0]}).time_step_ms, 0.05);
  expect_error(ErrorKind::data, {"b/cell_0", "found a step (dt) of 0.1 ms, expected 0.05 ms"},
               [&] { import_allen(files); });
}

TEST(Allen, AFileMayHoldSeveralCellsOrOneOfNest) {
  const TempDir directory;
  spiking::Network network;
  network.populations = {testing::make_population("cell", "glif3", 2, spiking::SynapseShape::alpha,
                                                  {5.5, 8.5, 2.8, 5.8}, Rng(2))};
  write(network, directory / "cells");
  const fs::path one = directory / "cells/cell_0_neuron_config.json",
                 two = directory / "cells/cell_1_neuron_config.json";
  const io::Json first = io::read_json(one, ErrorKind::data),
                 second = io::read_json(two, ErrorKind::data);
  const auto alone = import_allen({one, two});
  testing::spill(directory / "many.json", io::Json({{"501", first}, {"502", second}}).dump());
  auto read = import_allen({directory / "many.json"});
  ASSERT_EQ(read.populations.size(), 2u);
  EXPECT_EQ(read.populations[1].name, "502");
  EXPECT_EQ(read.populations[1].columns, alone.populations[1].columns);
  EXPECT_EQ(read.time_step_ms, alone.time_step_ms);
  testing::spill(directory / "list.json", io::Json::array({first, second}).dump());
  read = import_allen({directory / "list.json"});
  EXPECT_EQ(read.populations.at(1).name, "list_1");
  EXPECT_EQ(read.populations.at(0).columns, alone.populations[0].columns);
  // A component of BMTK, without the multipliers that NEST takes for 1.
  testing::spill(directory / "7_glif_lif_asc_psc.json",
                 R"({"V_th": -48, "g": 4, "E_L": -72, "C_m": 90, "t_ref": 3, "V_reset": -72,
                     "asc_decay": [0.01, 0.1], "asc_amps": [-5, -20], "tau_syn": [5.5, 8.5],
                     "after_spike_currents": true})");
  read = import_allen({directory / "7_glif_lif_asc_psc.json"});
  EXPECT_EQ(read.populations.at(0).name, "7_glif_lif_asc_psc");
  EXPECT_EQ(read.populations.at(0).model, "glif3");
  EXPECT_EQ(read.populations.at(0).columns.at("threshold"), std::vector<double>{-48});
  EXPECT_EQ(read.populations.at(0).columns.at("after_spike_multiplier"),
            (std::vector<double>{1, 1}));
  EXPECT_EQ(read.populations.at(0).receptors, 2);
  testing::spill(directory / "none.json", R"({"a": 1})");
  expect_error(ErrorKind::data, {"none.json", "'type' is missing", "neuron_config.json"},
               [&] { import_allen({directory / "none.json"}); });
}

TEST(Allen, WhatIsLeftOutIsListedAndFilesThatAreNoneAreRefused) {
  const TempDir directory;
  const auto& format = find_entry<ExporterEntry>(entries(), "allen", "format");
  expect_error(
      ErrorKind::config,
      {"synapses from 'input' (48 values of 12 neurons: 0, 1, 2", "expected --approximate"},
      [&] { export_network(format, glifr_network(), directory / "no", {}); });
  EXPECT_FALSE(fs::exists(directory / "no"));
  const auto refuse = [&](const char* name, const char* content, const char* part) {
    testing::spill(directory / name, content);
    expect_error(ErrorKind::data, {name, part}, [&] { import_allen({directory / name}); });
  };
  refuse("a.json", "{\"type\": \"GLIF\"}", "'voltage_reset_method' is missing");
  refuse("b.json", "{\"type\": \"LIF\"}", "found type 'LIF'");
  refuse("c.json",
         R"({"type": "GLIF", "voltage_reset_method": {"name": "zero"},
             "threshold_dynamics_method": {"name": "spike_component"},
             "AScurrent_dynamics_method": {"name": "none"}})",
         "are no level of GLIF");
}

spiking::Network one_cell(const char* level, std::int64_t size = 1) {
  spiking::Network network;
  network.populations = {testing::make_population("cell", level, size, spiking::SynapseShape::alpha,
                                                  {5.5, 8.5, 2.8, 5.8}, Rng(2))};
  const auto neurons = static_cast<std::size_t>(size);
  auto& columns = network.populations[0].columns;
  columns["constant_current"].assign(neurons, 0);
  columns["refractory"].assign(neurons, 2);
  if (columns.contains("reset_fraction")) columns["reset"] = columns["resting_potential"];
  return network;
}

TEST(Allen, WhatWouldBeReadAsSomethingElseIsRefused) {
  const TempDir directory;
  write(one_cell("glif4"), directory / "cells");
  const fs::path file = directory / "cells/cell_0_neuron_config.json";
  const io::Json whole = io::read_json(file, ErrorKind::data);
  const auto refuse = [&](const char* pointer, const io::Json& value, const char* part) {
    io::Json config = whole;
    config[io::Json::json_pointer(pointer)] = value;
    testing::spill(file, config.dump());
    expect_error(ErrorKind::data, {"cell_0", part}, [&] { import_allen({file}); });
  };
  refuse("/init_AScurrents", {0, 1e-12}, "'init_AScurrents': found 1e-12 A, expected 0");
  refuse(
      "/voltage_dynamics_method/name", "quadratic",
      "found voltage_dynamics_method 'quadratic', expected linear_forward_euler or linear_exact");
  refuse("/threshold_reset_method/name", "inf",
         "found threshold_reset_method 'inf', expected three_components");
  refuse("/AScurrent_reset_method/name", "none", "found AScurrent_reset_method 'none'");
  refuse("/threshold_reset_method/params/a_spike", 1,
         "for the dynamics of the threshold and 1 for its reset, expected one value");
}

TEST(Allen, PopulationsAreCalledAsTheirFiles) {
  const TempDir directory;
  write(one_cell("glif1", 12), directory / "cells");
  const auto files = allen_configs(directory / "cells");
  auto network = import_allen(files);
  ASSERT_EQ(network.populations.size(), 12u);
  EXPECT_EQ(network.populations[2].name, "cell_2");
  EXPECT_EQ(network.populations[10].name, "cell_10");
  // As the Institute's files come, in a directory for each cell; and some of the same name.
  for (const char* cell : {"490626718", "637930677"}) {
    fs::create_directory(directory / cell);
    fs::copy(files[0], directory / cell / "neuron_config.json");
  }
  fs::copy(files[0], directory / "637930677.json");
  network =
      import_allen({directory / "490626718/neuron_config.json",
                    directory / "637930677/neuron_config.json", directory / "637930677.json"});
  EXPECT_EQ(network.populations[0].name, "490626718");
  EXPECT_EQ(network.populations[1].name, "637930677");
  EXPECT_EQ(network.populations[2].name, "637930677_2");
  EXPECT_TRUE(allen_configs(directory.path()).empty());
}

TEST(Allen, FilesComeInTheOrderOfTheirNumbers) {
  const TempDir directory;
  for (const char* prefix : {"aaa", "bb"}) {
    for (int neuron = 0; neuron < 12; ++neuron) {
      testing::spill(directory / fmt::format("{}_{}_{}", prefix, neuron, kAllenConfig), "{}");
    }
  }
  testing::spill(directory / "aaa_03_neuron_config.json", "{}");
  testing::spill(directory / "neuron_config.json", "{}");
  std::vector<std::string> names;
  for (const fs::path& file : allen_configs(directory.path())) {
    names.push_back(file.filename().string());
    names.back().resize(names.back().size() - kAllenConfig.size());
  }
  EXPECT_THAT(
      names, ::testing::ElementsAre("aaa_0_", "aaa_1_", "aaa_2_", "aaa_03_", "aaa_3_", "aaa_4_",
                                    "aaa_5_", "aaa_6_", "aaa_7_", "aaa_8_", "aaa_9_", "aaa_10_",
                                    "aaa_11_", "bb_0_", "bb_1_", "bb_2_", "bb_3_", "bb_4_", "bb_5_",
                                    "bb_6_", "bb_7_", "bb_8_", "bb_9_", "bb_10_", "bb_11_", ""));
  expect_error(ErrorKind::data, {"nowhere", "expected a directory that can be read"},
               [&] { allen_configs(directory / "nowhere"); });
}

/// AllenSDK: the voltage counts from El_reference, and comes to a voltage + b.
TEST(Allen, AResetCountsFromTheReferenceAndNotFromRest) {
  const TempDir directory;
  write(one_cell("glif4"), directory / "cells");
  const fs::path file = directory / "cells/cell_0_neuron_config.json";
  io::Json config = io::read_json(file, ErrorKind::data);
  config["El"] = -0.001;
  testing::spill(file, config.dump());
  const auto columns = import_allen({file}).populations.at(0).columns;
  const io::Json& reset = config["voltage_reset_method"]["params"];
  const double reference = config["El_reference"].get<double>() * 1e3,
               rest = columns.at("resting_potential")[0];
  EXPECT_NEAR(rest, reference - 1, 1e-9);
  for (const double voltage : {-2.0, 0.0, 17.0, 40.0}) {
    const double after =
        reset["a"].get<double>() * voltage + reset["b"].get<double>() * 1e3 + reference;
    const double own = columns.at("reset_fraction")[0] * (voltage + reference - rest) +
                       columns.at("reset_add")[0] + rest;
    EXPECT_NEAR(own, after, 1e-9);
  }
}

}  // namespace
}  // namespace afterspike::formats
