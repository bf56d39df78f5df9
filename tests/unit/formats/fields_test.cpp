// Whatever is changed in a network is seen in a format's files, or listed as left out.

#include <functional>
#include <map>
#include <regex>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/io/hdf5.hpp"
#include "glifr_network.hpp"
#include "support/temp_dir.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using spiking::Network;
using spiking::SynapseShape;
using testing::glifr_network;
using testing::make_population;
using testing::TempDir;

void add_content(const io::Hdf5File& file, const std::string& path, std::string& text) {
  for (const std::string& name : file.members(path.empty() ? "/" : path)) {
    const std::string own = path + "/" + name;
    text += own + "\n";
    if (file.is_group(own)) {
      add_content(file, own, text);
      continue;
    }
    try {
      text += fmt::format("{}\n", fmt::join(file.read<double>(own).values, " "));
    } catch (const Error&) {
      text += fmt::format("{}\n", fmt::join(file.read_texts(own).values, " "));
    }
  }
}

std::string content_of_hdf5(const fs::path& path) {
  const io::Hdf5File file(path);
  std::string text;
  add_content(file, "", text);
  if (file.has_attribute("/", "params")) text += file.text_attribute("/", "params");
  for (const char* number : {"dt", "input_step"}) {
    if (!file.has_attribute("/", number)) continue;
    text += fmt::format("{} {}\n", number, file.attribute<double>("/", number).values.at(0));
  }
  return text;
}

std::string content_of_file(const fs::path& path) {
  const bool hdf5 = path.extension() == ".h5" || path.extension() == ".nir";
  return hdf5 ? content_of_hdf5(path) : testing::slurp(path);
}

/// All that is in a file or the files of a directory, by name.
std::map<std::string, std::string> content_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {{"", content_of_file(path)}};
  std::map<std::string, std::string> content;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    content[fs::relative(entry.path(), path).string()] = content_of_file(entry.path());
  }
  return content;
}

struct Written {
  bool refused = false;
  std::map<std::string, std::string> content;
  std::string deviations;

  bool operator==(const Written&) const = default;
};

Written written(const ExporterEntry& format, const Network& network) {
  const TempDir directory;
  Written result;
  try {
    const Conversion conversion =
        export_network(format, network, directory / "net.nir", {/*approximate=*/true});
    for (const Deviation& each : conversion.deviations) result.deviations += text_of(each) + "\n";
    result.content = content_of(directory / "net.nir");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config) << error.what();
    result.refused = true;
  }
  return result;
}

/// A change of a network, and the words by which a format that leaves it out says so, with |
/// between.
struct Change {
  std::string what;
  std::function<void(Network&)> apply;
  std::string words;
  /// Formats, for reasons of their own, to which it makes no difference.
  std::string makes_no_difference_to = "";
};

/// Every change is seen, listed or refused, in every format.
void expect_seen(const Network& network, const std::vector<Change>& changes) {
  for (const ExporterEntry& format : entries()) {
    if (format.name == "native") continue;  // It is held to equality elsewhere.
    const Written before = written(format, network);
    ASSERT_FALSE(before.refused) << format.name;
    EXPECT_EQ(written(format, network), before) << "what is written is not the same twice";
    for (const Change& change : changes) {
      if (change.makes_no_difference_to == format.name) continue;
      Network changed = network;
      change.apply(changed);
      validate(changed);
      const Written after = written(format, changed);
      const bool listed =
          !change.words.empty() && std::regex_search(after.deviations, std::regex(change.words));
      EXPECT_TRUE(after.refused || listed || after.content != before.content)
          << format.name << ": " << change.what;
    }
  }
}

/// A small change of each column.
std::vector<Change> columns_of(const std::string& model) {
  const std::map<std::string, std::string> words = {
      {"constant_current", "a constant current"},
      {"refractory", "a refractory period"},
      {"after_spike_multiplicative", "multiplier of an after-spike current"}};
  std::vector<Change> changes;
  for (const spiking::Parameter& column : spiking::model(model).parameters) {
    const std::string name(column.name);
    const auto word = words.find(name);
    const auto apply = [name](Network& network) {
      double& value = network.populations[0].columns.at(name)[1];
      value = value * 1.01 + 1e-3;
    };
    changes.push_back({model + " " + name, apply, word == words.end() ? "" : word->second});
    // A rule of its own resets these; AllenSDK has no other voltage for it.
    if (name == "reset" && spiking::model(model).leaky->spike_threshold) {
      changes.back().makes_no_difference_to = "allen";
    }
  }
  return changes;
}

Network network_of(const std::string& model) {
  if (model == "glifr") return glifr_network({}, 2, 1);
  Network network;
  network.populations = {
      make_population("cells", model, 3, SynapseShape::alpha, {2, 5}, Rng(1)),
      make_population("input", "spike_source", 2, SynapseShape::delta, {}, Rng(2))};
  network.populations[1].trains = {{0, 1, 2}, {1, 7}};
  const auto& cells = network.populations[0];
  network.projections = {
      make_projection(
          network.populations, 1, 0,
          testing::random_synapses(network.populations[1], cells, 2, 20, 0.1, 20, Rng(3))),
      make_projection(network.populations, 0, 0,
                      testing::random_synapses(cells, cells, 2, 20, 0.1, 20, Rng(4)))};
  return network;
}

TEST(Fields, OfAllModelsOfNeuronsAreSeenOrListed) {
  // GLIF5 has every mechanism of a leaky neuron.
  for (const char* model : {"glif5", "glifr"}) expect_seen(network_of(model), columns_of(model));
}

TEST(Fields, OfSynapsesAndSourcesAreSeenOrListed) {
  expect_seen(
      network_of("glif4"),
      {{"time step", [](Network& n) { n.time_step_ms = 0.05; }, ""},
       {"weight", [](Network& n) { n.projections[1].weights[2] += 1; }, "synapses from"},
       {"delay", [](Network& n) { n.projections[1].delays_ms[2] += 0.1; }, "synapses from"},
       {"delay off the grid", [](Network& n) { n.projections[1].delays_ms[2] += 0.02; },
        "delays that are not whole steps|synapses from"},
       {"target",
        [](Network& n) { n.projections[1].targets[2] = (n.projections[1].targets[2] + 1) % 3; },
        "synapses from"},
       {"receptor", [](Network& n) { n.projections[1].receptors[2] ^= 1; }, "synapses from"},
       {"time constant of a second receptor",
        [](Network& n) {
          // One that synapses have.
          const auto& onto = n.projections[1];
          std::int64_t synapse = 0;
          while (onto.receptor(synapse) == 0) ++synapse;
          n.populations[0]
              .synapse_time_constants_ms[3 + onto.targets[static_cast<std::size_t>(synapse)]] = 6;
        },
        "time constants of synapses"},
       {"kind of synapses",
        [](Network& n) { n.populations[0].synapse = SynapseShape::exponential; },
        "time constants of synapses"},
       {"recorded spike", [](Network& n) { n.populations[1].trains.times_ms[0] = 2; }, "'input': "},
       {"spike at 0", [](Network& n) { n.populations[1].trains.times_ms[0] = 0; }, "'input': "},
       {"Poisson spikes",
        [](Network& n) {
          n.populations[1].model = "poisson_source";
          n.populations[1].columns["rate"] = {5, 5};
          n.populations[1].trains = {};
        },
        "oisson"},
       {"Poisson spikes of a rate in steps",
        [](Network& n) {
          n.populations[1].model = "inhomogeneous_poisson_source";
          n.populations[1].rates = {{0, 5}, {10, 20}};
          n.populations[1].trains = {};
        },
        "oisson"},
       {"Poisson spikes of a sinusoidal rate",
        [](Network& n) {
          n.populations[1].model = "sinusoidal_poisson_source";
          for (const char* name : {"rate", "amplitude", "frequency", "phase"}) {
            n.populations[1].columns[name] = {5, 5};
          }
          n.populations[1].trains = {};
        },
        "oisson"},
       {"analog input",
        [](Network& n) {
          n.populations[1].model = "analog_source";
          n.populations[1].trains = {};
        },
        "analog"},
       {"step current",
        [](Network& n) {
          n.step_currents = {{0, {}, {1}, {10}}};
        },
        "a step current"},
       {"noise current",
        [](Network& n) {
          n.noise_currents = {{0, 1, 2, 1}};
        },
        "a noise current"},
       {"readout",
        [](Network& n) {
          n.readout = {0, 5, 1, {1, 1, 1}, {0}};
        },
        "the readout"}});
}

TEST(Fields, OfTheReadoutAreSeenOrListed) {
  Network network = network_of("glif3");
  network.readout = {0, 5, 0.5, {1, 2, 3}, {0.25}};
  expect_seen(network, {{"weight", [](Network& n) { n.readout.weights[1] = 7; }, "the readout"},
                        {"bias", [](Network& n) { n.readout.bias[0] = 7; }, "the readout"},
                        {"window", [](Network& n) { n.readout.window_ms = 7; }, "the readout"},
                        {"scale", [](Network& n) { n.readout.scale = 7; }, "the readout"}});
}

}  // namespace
}  // namespace afterspike::formats
