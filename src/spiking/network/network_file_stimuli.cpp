// Injected currents and electrical synapses in the file of a network.

#include <cstddef>

#include "network/network_file_access.hpp"

namespace afterspike::spiking {
namespace {

const std::string kNoise = "/noise_currents";

void write_currents(NetworkWriter& writer, const Network& network) {
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
void write_moving_currents(NetworkWriter& writer, const Network& network) {
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

void write_electrical(NetworkWriter& writer, const Network& network) {
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

void read_electrical(const NetworkReader& reader, Network& network) {
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

std::vector<double> current_values(const NetworkReader& reader, const std::string& group,
                                   std::size_t count) {
  std::vector<double> values = reader.array<double>(group, "values");
  require(values.size() == count, ErrorKind::data, "'{}': found {} values, expected {}", group,
          values.size(), count);
  return values;
}

void read_moving_currents(const NetworkReader& reader, Network& network) {
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

void read_currents(const NetworkReader& reader, Network& network) {
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

}  // namespace

void write_stimuli(NetworkWriter& writer, const Network& network) {
  write_currents(writer, network);
  write_moving_currents(writer, network);
  write_electrical(writer, network);
}

void read_stimuli(const NetworkReader& reader, Network& network) {
  read_currents(reader, network);
  read_moving_currents(reader, network);
  read_electrical(reader, network);
}

}  // namespace afterspike::spiking
