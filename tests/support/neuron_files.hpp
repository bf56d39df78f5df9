#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/io/hdf5.hpp"

namespace afterspike::testing {

/// A file of simulations, in the documented layout unless a test changes it.
struct NeuronFile {
  std::int64_t segments = 0, steps = 0;
  std::vector<std::int64_t> input_ptr = {0}, input_times, synapses;
  std::vector<std::int64_t> output_ptr = {0};
  std::vector<double> output_times;
  std::vector<double> soma;  ///< [runs, steps]

  void write(const std::filesystem::path& path) const {
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    io::Hdf5File file(path, io::Hdf5File::Mode::create);
    const auto put = [&]<typename T>(std::string_view name, const std::vector<T>& values) {
      file.write<T>(name, {{std::ssize(values)}, values});
    };
    put("/input/ptr", input_ptr);
    put("/input/times_ms", input_times);
    put("/input/synapse", synapses);
    put("/output/ptr", output_ptr);
    put("/output/times_ms", output_times);
    put("/segment_is_apical", std::vector<std::int64_t>(static_cast<std::size_t>(segments), 1));
    file.write<double>("/soma_mV", {{std::ssize(soma) / steps, steps}, soma});
  }
};

/// Returns `runs` runs of an artificial cell: random spikes, about `rate` input spikes of each
/// synapse in a hundred steps, one of the cell in ten; some synapses spike twice in a step.
inline NeuronFile random_simulations(std::int64_t runs, std::int64_t segments, std::int64_t steps,
                                     Rng rng, std::uint64_t rate = 10) {
  NeuronFile file;
  file.segments = segments;
  file.steps = steps;
  for (std::int64_t run = 0; run < runs; ++run) {
    for (std::int64_t step = 0; step < steps; ++step) {
      for (std::int64_t synapse = 0; synapse < 2 * segments; ++synapse) {
        for (const std::uint64_t percent : {rate, rate / 5}) {
          if (rng.below(100) >= percent) continue;
          file.input_times.push_back(step);
          file.synapses.push_back(synapse);
        }
      }
      if (rng.below(10) == 0) file.output_times.push_back(static_cast<double>(step) + 0.75);
      file.soma.push_back(rng.uniform(-80, -40));
    }
    file.input_ptr.push_back(std::ssize(file.synapses));
    file.output_ptr.push_back(std::ssize(file.output_times));
  }
  return file;
}

}  // namespace afterspike::testing
