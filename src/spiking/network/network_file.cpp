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
#include "afterspike/io/hdf5.hpp"
#include "network/seal.hpp"

namespace afterspike::spiking {
namespace {

constexpr std::string_view kFormat = "afterspike-network";
constexpr std::int64_t kFirstSealed = 3;
const std::string kNoise = "/noise_currents";
constexpr std::array kShapes = {SynapseShape::alpha, SynapseShape::exponential, SynapseShape::delta,
                                SynapseShape::model};

std::string member(std::string_view group, std::string_view name) {
  return fmt::format("{}/{}", group, name);
}

template <typename T>
std::int64_t length(const std::vector<T>& values) {
  return static_cast<std::int64_t>(values.size());
}

/// Writes fields of groups. Arrays make their group; attributes need it to be there.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : file_(path, io::Hdf5File::Mode::create) {}

  template <typename T>
  void array(const std::string& group, std::string_view name, const std::vector<T>& values,
             std::vector<std::int64_t> shape = {}) {
    file_.write_values(member(group, name), values, std::move(shape));
  }
  void number(const std::string& group, std::string_view name, double value) {
    file_.write_attribute<double>(group, name, {{}, {value}});
  }
  void integer(const std::string& group, std::string_view name, std::int64_t value) {
    file_.write_attribute<std::int64_t>(group, name, {{}, {value}});
  }
  void text(const std::string& group, std::string_view name, std::string_view value) {
    file_.write_text_attribute(group, name, value);
  }

 private:
  io::Hdf5File file_;
};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : file_(path) {}

  const io::Hdf5File& file() const { return file_; }

  template <typename T>
  std::vector<T> array(const std::string& group, std::string_view name) const {
    return file_.read<T>(member(group, name)).values;
  }
  double number(const std::string& group, std::string_view name) const {
    return scalar<double>(group, name);
  }
  std::int64_t integer(const std::string& group, std::string_view name) const {
    return scalar<std::int64_t>(group, name);
  }
  std::string text(const std::string& group, std::string_view name) const {
    return file_.text_attribute(group, name);
  }

  /// The groups "0", "1", ... below a group.
  std::vector<std::string> numbered(const std::string& group) const {
    std::vector<std::string> names;
    if (!file_.exists(group)) return names;
    const std::size_t count = file_.members(group).size();
    for (std::size_t index = 0; index < count; ++index) {
      names.push_back(member(group, std::to_string(index)));
      require(file_.exists(names.back()), ErrorKind::data, "'{}' is missing among its {} members",
              names.back(), count);
    }
    return names;
  }

 private:
  template <typename T>
  T scalar(const std::string& group, std::string_view name) const {
    const auto values = file_.attribute<T>(group, name).values;
    require(values.size() == 1, ErrorKind::data,
            "'{}': attribute '{}': found {} values, expected 1", group, name, values.size());
    return values[0];
  }

  io::Hdf5File file_;
};

void write_population(Writer& writer, const std::string& group, const Population& population) {
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
}

Population read_population(const Reader& reader, const std::string& group) {
  Population population;
  population.name = reader.text(group, "name");
  population.model = reader.text(group, "model");
  const std::string synapse = reader.text(group, "synapse");
  const auto shape = std::find_if(kShapes.begin(), kShapes.end(),
                                  [&](SynapseShape each) { return name_of(each) == synapse; });
  require(shape != kShapes.end(), ErrorKind::data,
          "'{}': found synapse '{}', expected alpha, exponential or delta", group, synapse);
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
  return population;
}

void write_projection(Writer& writer, const std::string& group, const Projection& projection) {
  writer.array(group, "offsets", projection.offsets);
  writer.integer(group, "source", projection.source);
  writer.integer(group, "target", projection.target);
  writer.array<std::int64_t>(group, "targets",
                             {projection.targets.begin(), projection.targets.end()});
  writer.array(group, "weights", projection.weights);
  writer.array(group, "delays_ms", projection.delays_ms);
  writer.array(group, "receptors", projection.receptors);
}

Projection read_projection(const Reader& reader, const std::string& group) {
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

void write_currents(Writer& writer, const Network& network) {
  for (std::size_t index = 0; index < network.step_currents.size(); ++index) {
    const StepCurrent& current = network.step_currents[index];
    const std::string group = fmt::format("/step_currents/{}", index);
    writer.array(group, "neurons", current.neurons);
    writer.array(group, "times_ms", current.times_ms);
    writer.array(group, "amplitudes_pa", current.amplitudes_pa);
    writer.integer(group, "population", current.population);
  }
  std::vector<std::int64_t> populations;
  std::vector<double> means, deviations, intervals;
  for (const NoiseCurrent& current : network.noise_currents) {
    populations.push_back(current.population);
    means.push_back(current.mean_pa);
    deviations.push_back(current.standard_deviation_pa);
    intervals.push_back(current.interval_ms);
  }
  writer.array(kNoise, "population", populations);
  writer.array(kNoise, "mean_pa", means);
  writer.array(kNoise, "standard_deviation_pa", deviations);
  writer.array(kNoise, "interval_ms", intervals);
}

/// Groups of networks without such currents are absent, so their files do not change.
void write_moving_currents(Writer& writer, const Network& network) {
  for (std::size_t index = 0; index < network.sinusoid_currents.size(); ++index) {
    const SinusoidCurrent& current = network.sinusoid_currents[index];
    const std::string group = fmt::format("/sinusoid_currents/{}", index);
    writer.array(group, "neurons", current.neurons);
    writer.array<double>(group, "values",
                         {current.offset_pa, current.amplitude_pa, current.frequency_hz,
                          current.phase_deg, current.start_ms, current.stop_ms});
    writer.integer(group, "population", current.population);
  }
  for (std::size_t index = 0; index < network.ornstein_uhlenbeck_currents.size(); ++index) {
    const OrnsteinUhlenbeckCurrent& current = network.ornstein_uhlenbeck_currents[index];
    const std::string group = fmt::format("/ornstein_uhlenbeck_currents/{}", index);
    writer.array<double>(
        group, "values",
        {current.mean_pa, current.standard_deviation_pa, current.tau_ms, current.interval_ms});
    writer.integer(group, "population", current.population);
  }
}

void write_electrical(Writer& writer, const Network& network) {
  for (std::size_t index = 0; index < network.electrical_synapses.size(); ++index) {
    const ElectricalSynapses& synapses = network.electrical_synapses[index];
    const std::string group = fmt::format("/electrical_synapses/{}", index);
    writer.array(group, "first_neurons", synapses.first_neurons);
    writer.array(group, "second_neurons", synapses.second_neurons);
    writer.array(group, "conductances_ns", synapses.conductances_ns);
    writer.integer(group, "first", synapses.first);
    writer.integer(group, "second", synapses.second);
  }
}

void read_electrical(const Reader& reader, Network& network) {
  const std::string groups = "/electrical_synapses";
  if (!reader.file().exists(groups)) return;
  for (const std::string& group : reader.numbered(groups)) {
    network.electrical_synapses.push_back({reader.integer(group, "first"),
                                           reader.integer(group, "second"),
                                           reader.array<std::int64_t>(group, "first_neurons"),
                                           reader.array<std::int64_t>(group, "second_neurons"),
                                           reader.array<double>(group, "conductances_ns")});
  }
}

std::vector<double> current_values(const Reader& reader, const std::string& group,
                                   std::size_t count) {
  std::vector<double> values = reader.array<double>(group, "values");
  require(values.size() == count, ErrorKind::data, "'{}': found {} values, expected {}", group,
          values.size(), count);
  return values;
}

void read_moving_currents(const Reader& reader, Network& network) {
  const std::string sinusoids = "/sinusoid_currents", processes = "/ornstein_uhlenbeck_currents";
  if (reader.file().exists(sinusoids)) {
    for (const std::string& group : reader.numbered(sinusoids)) {
      const auto v = current_values(reader, group, 6);
      network.sinusoid_currents.push_back({reader.integer(group, "population"),
                                           reader.array<std::int64_t>(group, "neurons"), v[0], v[1],
                                           v[2], v[3], v[4], v[5]});
    }
  }
  if (reader.file().exists(processes)) {
    for (const std::string& group : reader.numbered(processes)) {
      const auto v = current_values(reader, group, 4);
      network.ornstein_uhlenbeck_currents.push_back(
          {reader.integer(group, "population"), v[0], v[1], v[2], v[3]});
    }
  }
}

void read_currents(const Reader& reader, Network& network) {
  for (const std::string& group : reader.numbered("/step_currents")) {
    network.step_currents.push_back(
        {reader.integer(group, "population"), reader.array<std::int64_t>(group, "neurons"),
         reader.array<double>(group, "times_ms"), reader.array<double>(group, "amplitudes_pa")});
  }
  const auto populations = reader.array<std::int64_t>(kNoise, "population");
  const auto means = reader.array<double>(kNoise, "mean_pa");
  const auto deviations = reader.array<double>(kNoise, "standard_deviation_pa");
  const auto intervals = reader.array<double>(kNoise, "interval_ms");
  const std::size_t count = populations.size();
  require(means.size() == count && deviations.size() == count && intervals.size() == count,
          ErrorKind::data, "'{}': found {}, {}, {} and {} values, expected as many of each", kNoise,
          count, means.size(), deviations.size(), intervals.size());
  for (std::size_t index = 0; index < count; ++index) {
    network.noise_currents.push_back(
        {populations[index], means[index], deviations[index], intervals[index]});
  }
}

void write_readout(Writer& writer, const Readout& readout) {
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

Readout read_readout(const Reader& reader) {
  const std::string group = "/readout";
  if (!reader.file().exists(group)) return {};
  return {reader.integer(group, "population"), reader.number(group, "window_ms"),
          reader.number(group, "scale"), reader.array<double>(group, "weights"),
          reader.array<double>(group, "bias")};
}

void write_all(const std::filesystem::path& path, const Network& network) {
  Writer writer(path);
  writer.text("/", "format", kFormat);
  writer.integer("/", "version", kFileVersion);
  writer.number("/", "time_step_ms", network.time_step_ms);
  for (std::size_t index = 0; index < network.populations.size(); ++index) {
    write_population(writer, fmt::format("/populations/{}", index), network.populations[index]);
  }
  for (std::size_t index = 0; index < network.projections.size(); ++index) {
    write_projection(writer, fmt::format("/projections/{}", index), network.projections[index]);
  }
  write_currents(writer, network);
  write_moving_currents(writer, network);
  write_electrical(writer, network);
  write_readout(writer, network.readout);
  const std::string provenance = nlohmann::json(network.provenance).dump();
  writer.array<std::uint8_t>("", "provenance", {provenance.begin(), provenance.end()});
}

std::map<std::string, std::string> read_provenance(const Reader& reader) {
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

Network read_all(const Reader& reader, bool is_sealed) {
  const bool ours =
      reader.file().has_attribute("/", "format") && reader.text("/", "format") == kFormat;
  require(ours, ErrorKind::data,
          "not a network of afterspike: expected the attribute 'format' to be '{}'", kFormat);
  const std::int64_t version = reader.integer("/", "version");
  require(version >= 1 && version <= kFileVersion, ErrorKind::data,
          "found version {} of the format, expected 1 to {}", version, kFileVersion);
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
  read_currents(reader, network);
  read_moving_currents(reader, network);
  read_electrical(reader, network);
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
  const Reader reader(path);
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
