#include "afterspike/spiking/spike_file.hpp"

#include <cmath>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/table.hpp"
#include "afterspike/spiking/spike_trains.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {
namespace {

SpikeTrains read_csv_trains(const std::filesystem::path& path, std::int64_t index,
                            std::int64_t neurons) {
  const io::Table table = io::read_csv(path);
  const std::vector<std::string> expected = {"time_ms", "population", "neuron"};
  require(table.columns == expected, ErrorKind::data,
          "'{}': found the columns {}, expected {}, or SONATA's timestamps, population, node_ids",
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

SpikeTrains read_sonata_trains(const std::filesystem::path& path, std::string_view name,
                               std::int64_t neurons) {
  auto trains = find_spike_trains(path, name, neurons);
  require(trains.has_value(), ErrorKind::data,
          "'{}': found no '/spikes/{}', expected spikes of population '{}'", path.string(), name,
          name);
  return *std::move(trains);
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

/// The SONATA report of the neurons of a network, population by population.
class SonataReport {
 public:
  SonataReport(const std::filesystem::path& path, const Network& network)
      : file_(path, io::Hdf5File::Mode::create), network_(network) {
    append({});
    for (const Population& population : network.populations) {
      if (model(population.model).is_source()) continue;
      const std::string group = group_of(population);
      file_.write_text_attribute(group + "/timestamps", "units", "milliseconds");
      file_.write_text_attribute(group, "sorting", "by_time");
    }
  }

  void append(std::span<const Spike> spikes) {
    for (std::size_t index = 0; index < network_.populations.size(); ++index) {
      const Population& population = network_.populations[index];
      if (model(population.model).is_source()) continue;
      std::vector<double> times;
      std::vector<std::uint64_t> ids;
      for (const Spike& spike : spikes) {
        if (spike.population != static_cast<std::int64_t>(index)) continue;
        times.push_back(spike.time_ms);
        ids.push_back(static_cast<std::uint64_t>(spike.neuron));
      }
      const std::string group = group_of(population);
      file_.append<double>(group + "/timestamps", times);
      file_.append<std::uint64_t>(group + "/node_ids", ids);
    }
  }

 private:
  static std::string group_of(const Population& population) {
    require(population.name.find('/') == std::string::npos, ErrorKind::data,
            "population '{}': expected a name without '/', as a group of an HDF5 file",
            population.name);
    return fmt::format("/spikes/{}", population.name);
  }

  io::Hdf5File file_;
  const Network& network_;
};

void write_spikes_sonata(const std::filesystem::path& path, const Network& network,
                         std::span<const Spike> spikes) {
  io::AtomicFile staged(path);
  SonataReport(staged.staging(), network).append(spikes);
  staged.commit();
}

struct SpikeWriter::Impl {
  std::string csv_path;
  std::ofstream csv;
  std::optional<SonataReport> sonata;

  void require_csv() const {
    require(csv.good(), ErrorKind::data, "'{}' cannot be written", csv_path);
  }
};

SpikeWriter::SpikeWriter(const std::filesystem::path& csv, const std::filesystem::path& sonata,
                         const Network& network)
    : impl_(std::make_unique<Impl>(Impl{csv.string(), std::ofstream(csv), std::nullopt})) {
  impl_->csv << "time_ms,population,neuron\n";
  impl_->require_csv();
  impl_->sonata.emplace(sonata, network);
}

SpikeWriter::~SpikeWriter() = default;

void SpikeWriter::append(std::span<const Spike> spikes) {
  std::string text;
  for (const Spike& spike : spikes) {
    fmt::format_to(std::back_inserter(text), "{},{},{}\n", spike.time_ms, spike.population,
                   spike.neuron);
  }
  impl_->csv << text;
  impl_->require_csv();
  impl_->sonata->append(spikes);
}

void SpikeWriter::close() {
  impl_->csv.close();
  impl_->require_csv();
  impl_->sonata.reset();
}

SpikeTrains read_trains(const std::filesystem::path& path, std::string_view name,
                        std::int64_t index, std::int64_t neurons) {
  const bool sonata = io::is_hdf5(path) || is_sonata_spike_table(path);
  return sonata ? read_sonata_trains(path, name, neurons) : read_csv_trains(path, index, neurons);
}

}  // namespace afterspike::spiking
