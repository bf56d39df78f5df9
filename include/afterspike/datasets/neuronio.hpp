#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

/// Simulations of a cortical pyramidal cell with its inputs (Beniaguev, Segev, London 2021), as
/// HDF5; runs in consecutive compressed rows, steps of 1 ms:
///
///   /input/ptr          [runs + 1]: run r has the input spikes from ptr[r] to before ptr[r + 1]
///   /input/times_ms     step of each input spike, whole numbers
///   /input/synapse      synapse: excitatory ones first, then as many inhibitory ones
///   /output/ptr         [runs + 1]: the same for the spikes of the cell
///   /output/times_ms    spike times of the cell, ms
///   /soma_mV            [runs, steps]
///   /segment_is_apical  [segments]: one excitatory and one inhibitory synapse each
///
/// scripts/convert_neuronio.py makes such files from the published ones.
namespace afterspike::datasets {

/// One simulation.
struct NeuronRun {
  std::vector<std::uint32_t> first;     ///< [steps + 1]: step k has the synapses from
                                        ///< synapses[first[k]] on.
  std::vector<std::uint16_t> synapses;  ///< One for each input spike.
  std::vector<std::int64_t> spikes;     ///< Steps in which the cell fires, ascending.
  std::vector<float> soma_mV;           ///< [steps]
};

struct NeuronSimulations {
  std::int64_t segments = 0;  ///< Synapses 0 ... segments - 1 excite; equally many more inhibit.
  std::int64_t steps = 0;
  std::vector<NeuronRun> runs;
};

/// Reads a file, run by run. A spike of the cell at time t belongs to step floor(t - 0.5), as in
/// the authors' code. Throws Error(data) that names file and data set, the value found and the
/// value expected: something missing, shapes that do not fit, rows out of order, times, synapses or
/// voltages out of range.
NeuronSimulations read_neuronio(const std::filesystem::path& path);

}  // namespace afterspike::datasets
