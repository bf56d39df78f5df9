// A SONATA directory that NEST's SonataNetwork and BMTK read.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/conversion.hpp"
#include "afterspike/io/atomic.hpp"
#include "nest.hpp"
#include "rules.hpp"
#include "sonata.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using spiking::Network;
using spiking::Population;

constexpr double kDuration_ms = 1000;

std::vector<std::uint64_t> counting(std::int64_t count) {
  std::vector<std::uint64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
  return numbers;
}

class Writer {
 public:
  Writer(const Conversion& conversion, fs::path directory)
      : network_(conversion.network),
        resolution_ms_(conversion.resolution_ms),
        directory_(std::move(directory)) {}

  void run();

 private:
  const Population& population(std::int64_t index) const {
    return network_.populations[static_cast<std::size_t>(index)];
  }
  static bool is_virtual(const Population& population) {
    return spiking::model(population.model).is_source();
  }
  void text(const std::string& name, const std::string& content) const {
    fs::create_directories((directory_ / name).parent_path());
    io::write_file(directory_ / name, content);
  }
  template <typename T>
  static void array(io::Hdf5File& file, const std::string& name, const std::vector<T>& values) {
    file.write_values(name, values);
  }

  void write_nodes(const Population& population);
  std::vector<std::int64_t> write_cell_types(const Population& population);
  void write_edges(const spiking::Projection& projection, std::size_t number);
  void write_ports() const;
  void write_spikes(const Population& population);
  void write_config();

  const Network& network_;
  double resolution_ms_;
  fs::path directory_;
  io::Json nodes_ = io::Json::array(), edges_ = io::Json::array(), inputs_ = io::Json::object();
};

/// A type for each distinct neuron: readers ignore parameters of single nodes.
std::vector<std::int64_t> Writer::write_cell_types(const Population& population) {
  std::map<std::string, std::int64_t> known;
  std::vector<std::int64_t> types;
  std::string table = "node_type_id model_type model_template dynamics_params\n";
  for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
    const std::string parameters = nest_parameters(population, neuron).dump();
    const auto [place, is_new] = known.emplace(parameters, static_cast<std::int64_t>(known.size()));
    types.push_back(place->second);
    if (!is_new) continue;
    const std::string name = fmt::format("{}_{}.json", population.name, place->second);
    text("components/cells/" + name, parameters + "\n");
    table += fmt::format("{} point_neuron nest:glif_psc {}\n", place->second, name);
  }
  text(population.name + "_node_types.csv", table);
  return types;
}

void Writer::write_nodes(const Population& population) {
  std::vector<std::int64_t> types(static_cast<std::size_t>(population.size), 0);
  if (is_virtual(population)) {
    text(population.name + "_node_types.csv", "node_type_id model_type\n0 virtual\n");
    write_spikes(population);
  } else {
    types = write_cell_types(population);
  }
  const std::string name = population.name + "_nodes.h5", group = "/nodes/" + population.name;
  io::Hdf5File file = create_sonata_file(directory_ / name);
  file.make_group(group + "/0");
  array(file, group + "/node_type_id", types);
  array(file, group + "/node_id", counting(population.size));
  array<std::uint32_t>(file, group + "/node_group_id", std::vector<std::uint32_t>(types.size(), 0));
  array(file, group + "/node_group_index", counting(population.size));
  nodes_.push_back({{"nodes_file", "$BASE_DIR/" + name},
                    {"node_types_file", "$BASE_DIR/" + population.name + "_node_types.csv"}});
}

/// A file, if an empty one, for every population: NEST refuses virtual nodes without.
void Writer::write_spikes(const Population& population) {
  std::vector<std::pair<double, std::uint64_t>> spikes;
  const spiking::SpikeTrains& trains = population.trains;
  for (std::size_t train = 0; train + 1 < trains.offsets.size(); ++train) {
    for (auto spike = trains.offsets[train]; spike < trains.offsets[train + 1]; ++spike) {
      spikes.emplace_back(trains.times_ms[static_cast<std::size_t>(spike)], train);
    }
  }
  std::sort(spikes.begin(), spikes.end());
  std::vector<double> times;
  std::vector<std::uint64_t> ids;
  for (const auto& [time, id] : spikes) {
    times.push_back(time);
    ids.push_back(id);
  }
  const std::string name = population.name + "_spikes.h5", group = "/spikes/" + population.name;
  io::Hdf5File file = create_sonata_file(directory_ / name);
  array(file, group + "/timestamps", times);
  array(file, group + "/node_ids", ids);
  file.write_text_attribute(group + "/timestamps", "units", "milliseconds");
  file.write_text_attribute(group, "sorting", "by_time");
  inputs_[population.name] = {{"input_type", "spikes"},
                              {"module", "h5"},
                              {"input_file", "$BASE_DIR/" + name},
                              {"node_set", population.name}};
}

void Writer::write_edges(const spiking::Projection& projection, std::size_t number) {
  const Population &source = population(projection.source), &target = population(projection.target);
  std::vector<std::uint64_t> sources, targets;
  std::vector<std::int64_t> types;
  std::vector<double> delays;
  std::string table = "edge_type_id model_template dynamics_params\n";
  for (std::int64_t port = 1; port <= target.receptors; ++port) {
    table += fmt::format("{} static_synapse port{}.json\n", port, port);
  }
  for (std::size_t row = 0; row + 1 < projection.offsets.size(); ++row) {
    for (auto at = projection.offsets[row]; at < projection.offsets[row + 1]; ++at) {
      sources.push_back(row);
      targets.push_back(projection.targets[static_cast<std::size_t>(at)]);
      types.push_back(projection.receptor(at) + 1);
      delays.push_back(projection.delay_ms(at));
    }
  }
  const std::string stem = fmt::format("{}_{}_{}", source.name, target.name, number);
  const std::string group = fmt::format("/edges/{}_to_{}", source.name, target.name);
  io::Hdf5File file = create_sonata_file(directory_ / (stem + "_edges.h5"));
  array(file, group + "/source_node_id", sources);
  array(file, group + "/target_node_id", targets);
  file.write_text_attribute(group + "/source_node_id", "node_population", source.name);
  file.write_text_attribute(group + "/target_node_id", "node_population", target.name);
  array(file, group + "/edge_type_id", types);
  array<std::uint32_t>(file, group + "/edge_group_id", std::vector<std::uint32_t>(types.size(), 0));
  array(file, group + "/edge_group_index", counting(projection.synapses()));
  array(file, group + "/0/syn_weight", projection.weights);
  array(file, group + "/0/delay", delays);
  text(stem + "_edge_types.csv", table);
  edges_.push_back({{"edges_file", "$BASE_DIR/" + stem + "_edges.h5"},
                    {"edge_types_file", "$BASE_DIR/" + stem + "_edge_types.csv"}});
}

void Writer::write_ports() const {
  std::int64_t ports = 0;
  for (const Population& each : network_.populations) ports = std::max(ports, each.receptors);
  for (std::int64_t port = 1; port <= ports; ++port) {
    text(fmt::format("components/syn/port{}.json", port),
         io::Json({{"receptor_type", port}}).dump() + "\n");
  }
}

void Writer::write_config() {
  const io::Json config = {
      {"manifest", {{"$BASE_DIR", "."}, {"$COMP_DIR", "$BASE_DIR/components"}}},
      {"target_simulator", "NEST"},
      {"run", {{"dt", resolution_ms_}, {"tstop", kDuration_ms}}},
      {"components",
       {{"point_neuron_models_dir", "$COMP_DIR/cells"}, {"synaptic_models_dir", "$COMP_DIR/syn"}}},
      {"output", {{"output_dir", "$BASE_DIR/output"}, {"spikes_file", "spikes.h5"}}},
      {"inputs", inputs_},
      {"networks", {{"nodes", nodes_}, {"edges", edges_}}}};
  text("config.json", config.dump(1) + "\n");
}

void Writer::run() {
  write_ports();
  for (const Population& each : network_.populations) write_nodes(each);
  for (std::size_t index = 0; index < network_.projections.size(); ++index) {
    write_edges(network_.projections[index], index);
  }
  write_config();
}

void check(const Network& network) {
  for (const Population& population : network.populations) {
    const bool plain = std::all_of(population.name.begin(), population.name.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
    require(plain, ErrorKind::config,
            "population '{}': expected a name of letters, digits, '_' and '-': it names files",
            population.name);
  }
  require_no_poisson(network, "sonata");
  require_no_currents(network, "sonata");
}

/// SONATA's files have no place for values, even if NEST has. The network that still takes them can
/// be shown samples.
void drop_values(Conversion& conversion) {
  const auto is_analog = [](const Population& population) {
    return spiking::model(population.model).source_input == spiking::SourceInput::signal;
  };
  auto& populations = conversion.network.populations;
  if (std::none_of(populations.begin(), populations.end(), is_analog)) return;
  conversion.shown = conversion.network;
  for (Population& population : populations) {
    if (!is_analog(population)) continue;
    conversion.deviations.push_back(
        {"an analog source", "virtual nodes, which send spikes", population.name, {}, 0});
    population.model = "spike_source";
  }
}

Conversion convert(const Network& network, const Options& options) {
  check(network);
  Conversion conversion = as_nest(network, options);
  for (Population& population : conversion.network.populations) {
    drop_constant_current(population, conversion.deviations);
  }
  drop_values(conversion);
  list_readout(network, conversion.deviations);
  conversion.network.readout = {};
  return conversion;
}

void write(const Conversion& conversion, const fs::path& path) {
  io::AtomicDirectory directory(path);
  Writer(conversion, directory.staging()).run();
  directory.commit();
}

}  // namespace

ExporterEntry entry_sonata() {
  return {"sonata",
          "a SONATA directory for NEST and BMTK",
          convert,
          write,
          /*has_steps=*/true,
          "",
          "config.json *_node_types.csv *_nodes.h5 *_spikes.h5 *_edge_types.csv *_edges.h5 "
          "components/*.json"};
}

}  // namespace afterspike::formats
