#include "afterspike/sim/spike_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/table.hpp"
#include "part.hpp"

namespace afterspike::sim {
namespace {

/// Trains from times and neurons in any order.
glifnet::SpikeTrains trains_of(const std::vector<double>& times,
                               const std::vector<std::int64_t>& ids, std::int64_t neurons,
                               const std::string& where) {
  std::vector<std::pair<std::int64_t, double>> spikes;
  for (std::size_t at = 0; at < times.size(); ++at) {
    require(ids[at] >= 0 && ids[at] < neurons, ErrorKind::data,
            "{}: spike {}: found neuron {}, expected 0 to {}", where, at, ids[at], neurons - 1);
    require(std::isfinite(times[at]) && times[at] >= 0, ErrorKind::data,
            "{}: spike {}: found {} ms, expected a time of 0 or later", where, at, times[at]);
    spikes.emplace_back(ids[at], times[at]);
  }
  std::sort(spikes.begin(), spikes.end());
  glifnet::SpikeTrains trains;
  trains.offsets.assign(static_cast<std::size_t>(neurons) + 1, 0);
  for (const auto& [neuron, time] : spikes) {
    ++trains.offsets[static_cast<std::size_t>(neuron) + 1];
    trains.times_ms.push_back(time);
  }
  for (std::size_t row = 1; row < trains.offsets.size(); ++row) {
    trains.offsets[row] += trains.offsets[row - 1];
  }
  return trains;
}

glifnet::SpikeTrains read_csv_trains(const std::filesystem::path& path, std::int64_t index,
                                     std::int64_t neurons) {
  const io::Table table = io::read_csv(path);
  const std::vector<std::string> expected = {"time_ms", "population", "neuron"};
  require(table.columns == expected, ErrorKind::data, "'{}': found the columns {}, expected {}",
          path.string(), fmt::join(table.columns, ", "), fmt::join(expected, ", "));
  std::vector<double> times;
  std::vector<std::int64_t> ids;
  for (std::size_t at = 0; at < table.rows.size(); ++at) {
    const auto& row = table.rows[at];
    require(is_index(row[1], 0, kMostWhole), ErrorKind::data,
            "'{}': line {}: found population {}, expected a whole number, 0 or more", path.string(),
            at + 2, row[1]);
    if (row[1] != static_cast<double>(index)) continue;
    require(is_index(row[2], 0, static_cast<double>(neurons)), ErrorKind::data,
            "'{}': line {}: found neuron {}, expected a whole number, 0 to {}", path.string(),
            at + 2, row[2], neurons - 1);
    times.push_back(row[0]);
    ids.push_back(static_cast<std::int64_t>(row[2]));
  }
  require(table.rows.empty() || !times.empty(), ErrorKind::data,
          "'{}': found spikes of other populations only, expected some of population {}",
          path.string(), index);
  return trains_of(times, ids, neurons, fmt::format("'{}'", path.string()));
}

glifnet::SpikeTrains read_sonata_trains(const std::filesystem::path& path, std::string_view name,
                                        std::int64_t neurons) {
  const io::Hdf5File file(path);
  const std::string group = fmt::format("/spikes/{}", name);
  require(file.exists(group), ErrorKind::data,
          "'{}': found no '{}', expected spikes of population '{}'", path.string(), group, name);
  const auto times = file.read<double>(group + "/timestamps").values;
  const auto ids = file.read<std::int64_t>(group + "/node_ids").values;
  require(times.size() == ids.size(), ErrorKind::data,
          "'{}': '{}': found {} timestamps and {} node_ids, expected as many", path.string(), group,
          times.size(), ids.size());
  if (file.has_attribute(group + "/timestamps", "units")) {
    const std::string units = file.text_attribute(group + "/timestamps", "units");
    require(units == "milliseconds" || units == "ms", ErrorKind::data,
            "'{}': '{}': found timestamps in {}, expected milliseconds", path.string(), group,
            units);
  }
  return trains_of(times, ids, neurons, fmt::format("'{}': '{}'", path.string(), group));
}

}  // namespace

void write_spikes_csv(const std::filesystem::path& path, std::span<const Spike> spikes) {
  io::Table table{{"time_ms", "population", "neuron"}, {}};
  for (const Spike& spike : spikes) {
    table.rows.push_back(
        {spike.time_ms, static_cast<double>(spike.population), static_cast<double>(spike.neuron)});
  }
  io::write_csv(path, table);
}

void write_spikes_sonata(const std::filesystem::path& path, const glifnet::Network& network,
                         std::span<const Spike> spikes) {
  io::AtomicFile staged(path);
  {
    io::Hdf5File file(staged.staging(), io::Hdf5File::Mode::create);
    for (std::size_t index = 0; index < network.populations.size(); ++index) {
      const glifnet::Population& population = network.populations[index];
      if (glifnet::model(population.model).is_source()) continue;
      require(population.name.find('/') == std::string::npos, ErrorKind::data,
              "population '{}': expected a name without '/', as a group of an HDF5 file",
              population.name);
      std::vector<double> times;
      std::vector<std::uint64_t> ids;
      for (const Spike& spike : spikes) {
        if (spike.population != static_cast<std::int64_t>(index)) continue;
        times.push_back(spike.time_ms);
        ids.push_back(static_cast<std::uint64_t>(spike.neuron));
      }
      const std::string group = fmt::format("/spikes/{}", population.name);
      const auto count = static_cast<std::int64_t>(times.size());
      file.write<double>(group + "/timestamps", {{count}, std::move(times)});
      file.write<std::uint64_t>(group + "/node_ids", {{count}, std::move(ids)});
      file.write_text_attribute(group + "/timestamps", "units", "milliseconds");
      file.write_text_attribute(group, "sorting", "by_time");
    }
  }
  staged.commit();
}

glifnet::SpikeTrains read_trains(const std::filesystem::path& path, std::string_view name,
                                 std::int64_t index, std::int64_t neurons) {
  const std::string extension = path.extension().string();
  const bool sonata = extension == ".h5" || extension == ".hdf5";
  return sonata ? read_sonata_trains(path, name, neurons) : read_csv_trains(path, index, neurons);
}

}  // namespace afterspike::sim
