#include "afterspike/spiking/network_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "network/network_file_access.hpp"
#include "network/seal.hpp"

namespace afterspike::spiking {
namespace {

constexpr std::string_view kFormat = "afterspike-network";
constexpr std::int64_t kFirstSealed = 3;
constexpr std::array kShapes = {SynapseShape::alpha, SynapseShape::exponential, SynapseShape::delta,
                                SynapseShape::model};

template <typename T>
std::int64_t length(const std::vector<T>& values) {
  return static_cast<std::int64_t>(values.size());
}

void write_population(NetworkWriter& writer, const std::string& group,
                      const Population& population) {
  writer.array(group, "synapse_time_constants_ms", population.synapse_time_constants_ms);
  writer.text(group, "name", population.name);
  writer.text(group, "model", population.model);
  writer.text(group, "synapse", name_of(population.synapse));
  writer.integer(group, "size", population.size);
  writer.integer(group, "receptors", population.receptors);
  writer.integer(group, "copies", population.copies);
  for (const auto& [name, values] : population.columns) {
    writer.array(
        group + "/columns", name, values,
        length(values) == population.size
            ? std::vector<std::int64_t>{}
            : std::vector<std::int64_t>{length(values) / population.size, population.size});
  }
  writer.array(group + "/spikes", "offsets", population.trains.offsets);
  writer.array(group + "/spikes", "times_ms", population.trains.times_ms);
  if (population.rates.times_ms.empty()) return;
  writer.array(group + "/rates", "times_ms", population.rates.times_ms);
  writer.array(group + "/rates", "rates_hz", population.rates.rates_hz);
}

Population read_population(const NetworkReader& reader, const std::string& group) {
  Population population;
  population.name = reader.text(group, "name");
  population.model = reader.text(group, "model");
  const std::string synapse = reader.text(group, "synapse");
  const auto shape = std::find_if(kShapes.begin(), kShapes.end(),
                                  [&](SynapseShape each) { return name_of(each) == synapse; });
  require(shape != kShapes.end(), ErrorKind::data,
          "'{}': found synapse '{}', expected alpha, exponential, delta or model", group, synapse);
  population.synapse = *shape;
  population.size = reader.integer(group, "size");
  population.receptors = reader.integer(group, "receptors");
  population.copies = reader.integer(group, "copies");
  population.synapse_time_constants_ms = reader.array<double>(group, "synapse_time_constants_ms");
  const std::string columns = group + "/columns";
  if (reader.file().exists(columns)) {
    for (const std::string& name : reader.file().members(columns)) {
      population.columns[name] = reader.array<double>(columns, name);
    }
  }
  population.trains.offsets = reader.array<std::int64_t>(group + "/spikes", "offsets");
  population.trains.times_ms = reader.array<double>(group + "/spikes", "times_ms");
  if (reader.file().exists(group + "/rates")) {
    population.rates = {reader.array<double>(group + "/rates", "times_ms"),
                        reader.array<double>(group + "/rates", "rates_hz")};
  }
  return population;
}

void write_projection(NetworkWriter& writer, const std::string& group,
                      const Projection& projection) {
  writer.array(group, "offsets", projection.offsets);
  writer.integer(group, "source", projection.source);
  writer.integer(group, "target", projection.target);
  writer.array<std::int64_t>(group, "targets",
                             {projection.targets.begin(), projection.targets.end()});
  writer.array(group, "weights", projection.weights);
  writer.array(group, "delays_ms", projection.delays_ms);
  writer.array(group, "receptors", projection.receptors);
}

Projection read_projection(const NetworkReader& reader, const std::string& group) {
  Projection projection;
  projection.source = reader.integer(group, "source");
  projection.target = reader.integer(group, "target");
  projection.offsets = reader.array<std::int64_t>(group, "offsets");
  for (const std::int64_t target : reader.array<std::int64_t>(group, "targets")) {
    require(target >= 0 && target <= std::numeric_limits<std::uint32_t>::max(), ErrorKind::data,
            "'{}': targets: found {}, expected 0 to 2^32 - 1", group, target);
    projection.targets.push_back(static_cast<std::uint32_t>(target));
  }
  projection.weights = reader.array<double>(group, "weights");
  projection.delays_ms = reader.array<double>(group, "delays_ms");
  projection.receptors = reader.array<std::uint8_t>(group, "receptors");
  return projection;
}

void write_readout(NetworkWriter& writer, const Readout& readout) {
  if (readout.population < 0) return;
  const std::string group = "/readout";
  const std::int64_t outputs = length(readout.bias);
  writer.array(group, "weights", readout.weights,
               {outputs, outputs == 0 ? 0 : length(readout.weights) / outputs});
  writer.array(group, "bias", readout.bias);
  writer.integer(group, "population", readout.population);
  writer.number(group, "window_ms", readout.window_ms);
  writer.number(group, "scale", readout.scale);
}

Readout read_readout(const NetworkReader& reader) {
  const std::string group = "/readout";
  if (!reader.file().exists(group)) return {};
  return {reader.integer(group, "population"), reader.number(group, "window_ms"),
          reader.number(group, "scale"), reader.array<double>(group, "weights"),
          reader.array<double>(group, "bias")};
}

void write_all(const std::filesystem::path& path, const Network& network) {
  NetworkWriter writer(path);
  writer.text("/", "format", kFormat);
  writer.integer("/", "version",
                 network.rule_projections.empty() ? kFileVersion : kFileVersionOfRules);
  writer.number("/", "time_step_ms", network.time_step_ms);
  for (std::size_t index = 0; index < network.populations.size(); ++index) {
    write_population(writer, fmt::format("/populations/{}", index), network.populations[index]);
  }
  for (std::size_t index = 0; index < network.projections.size(); ++index) {
    write_projection(writer, fmt::format("/projections/{}", index), network.projections[index]);
  }
  write_rules(writer, network);
  write_stimuli(writer, network);
  write_readout(writer, network.readout);
  const std::string provenance = nlohmann::json(network.provenance).dump();
  writer.array<std::uint8_t>("", "provenance", {provenance.begin(), provenance.end()});
}

std::map<std::string, std::string> read_provenance(const NetworkReader& reader) {
  const auto bytes = reader.array<std::uint8_t>("", "provenance");
  const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
  require(json.is_object(), ErrorKind::data, "'/provenance': expected a JSON object of texts");
  std::map<std::string, std::string> provenance;
  for (const auto& [name, value] : json.items()) {
    require(value.is_string(), ErrorKind::data, "'/provenance': '{}': found {}, expected a text",
            name, value.dump());
    provenance[name] = value.get<std::string>();
  }
  return provenance;
}

Network read_all(const NetworkReader& reader, bool is_sealed) {
  const bool ours =
      reader.file().has_attribute("/", "format") && reader.text("/", "format") == kFormat;
  require(ours, ErrorKind::data,
          "not a network of afterspike: expected the attribute 'format' to be '{}'", kFormat);
  const std::int64_t version = reader.integer("/", "version");
  require(version >= 1 && version <= kFileVersionOfRules, ErrorKind::data,
          "found version {} of the format, expected 1 to {}", version, kFileVersionOfRules);
  require(is_sealed || version < kFirstSealed, ErrorKind::data,
          "found no checksum at the end, expected one, as files of version {} have", version);
  Network network;
  network.time_step_ms = reader.number("/", "time_step_ms");
  for (const std::string& group : reader.numbered("/populations")) {
    network.populations.push_back(read_population(reader, group));
    const Population& population = network.populations.back();
    require(
        version > 1 || population.copies == 1, ErrorKind::data,
        "population '{}': found {} copies in version 1 of the format, where they meant something"
        " else; expected a network that is exported anew",
        population.name, population.copies);
  }
  for (const std::string& group : reader.numbered("/projections")) {
    network.projections.push_back(read_projection(reader, group));
  }
  read_rules(reader, network);
  read_stimuli(reader, network);
  network.readout = read_readout(reader);
  network.provenance = read_provenance(reader);
  return network;
}

}  // namespace

void write_network(const std::filesystem::path& path, const Network& network) {
  validate(network);
  io::AtomicFile file(path);
  write_all(file.staging(), network);
  seal(file.staging());
  file.commit();
}

Network read_network(const std::filesystem::path& path) {
  // Before HDF5 sees it, which some damaged files make divide by zero.
  const bool is_sealed = check_seal(path);
  const NetworkReader reader(path);
  try {
    Network network = read_all(reader, is_sealed);
    validate(network);
    return network;
  } catch (const Error& error) {
    // Messages of HDF5 name the file, those of the content do not.
    const bool named = std::string(error.what()).find(path.string()) != std::string::npos;
    throw named ? error
                : Error(ErrorKind::data, error.within(fmt::format("'{}'", path.string())).what());
  }
}

}  // namespace afterspike::spiking
