#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/spiking/simulation.hpp"

namespace afterspike::spiking {

/// Writes spikes as CSV with the columns time_ms, population (its index in the network) and neuron,
/// atomically; times are read back as the same doubles. Throws Error(data).
void write_spikes_csv(const std::filesystem::path& path, std::span<const Spike> spikes);

/// Writes the spikes of the network's neurons as a SONATA report, by time:
/// /spikes/<population>/{timestamps, node_ids}. A population without spikes is written too, as
/// empty; sources are not, whose spikes are not known here: they are no silent ones. Throws
/// Error(data), also for a name with "/".
void write_spikes_sonata(const std::filesystem::path& path, const Network& network,
                         std::span<const Spike> spikes);

/// Writes spikes to both files as a simulation runs, so that they need not be kept: the files are
/// those of write_spikes_csv() and write_spikes_sonata(), but not atomic.
class SpikeWriter {
 public:
  /// Creates the files. `network` must outlive this. Throws Error(data).
  SpikeWriter(const std::filesystem::path& csv, const std::filesystem::path& sonata,
              const Network& network);
  ~SpikeWriter();
  SpikeWriter(const SpikeWriter&) = delete;
  SpikeWriter& operator=(const SpikeWriter&) = delete;

  /// Appends spikes that are later than those before. Throws Error(data).
  void append(std::span<const Spike> spikes);

  /// Completes the files. Throws Error(data).
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The spikes of one population of `neurons`, as trains: from a CSV file as above (by its index),
/// or from a SONATA spike file, HDF5 or text (by its name; spiking/spike_trains.hpp). Throws
/// Error(data) that names the file and what is wrong in it, also if it has nothing of the
/// population.
SpikeTrains read_trains(const std::filesystem::path& path, std::string_view name,
                        std::int64_t index, std::int64_t neurons);

}  // namespace afterspike::spiking
