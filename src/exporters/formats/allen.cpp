// The Allen Institute's neuron_config.json, one for each neuron.

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "allen.hpp"

namespace afterspike::exporters {
namespace {

using glifnet::Dynamics;
using glifnet::Network;
using glifnet::Population;

/// What the files, which know single neurons, leave out.
std::vector<Deviation> left_out(const Network& network) {
  std::vector<Deviation> deviations;
  for (const glifnet::Projection& projection : network.projections) {
    const auto& source = network.populations[static_cast<std::size_t>(projection.source)];
    const auto& target = network.populations[static_cast<std::size_t>(projection.target)];
    deviations.push_back({fmt::format("synapses from '{}'", source.name),
                          "none: neurons alone",
                          target.name,
                          {},
                          projection.synapses()});
  }
  for (const Population& population : network.populations) {
    if (glifnet::model(population.model).is_source()) continue;
    Deviation current{"a constant current", "none", population.name, {}, 0};
    const auto values = population.column("constant_current");
    for (std::size_t neuron = 0; neuron < values.size(); ++neuron) {
      if (values[neuron] == 0) continue;
      current.neurons.push_back(static_cast<std::int64_t>(neuron));
      ++current.values;
    }
    if (current.values > 0) deviations.push_back(std::move(current));
  }
  return deviations;
}

void check(const Population& population) {
  if (glifnet::model(population.model).dynamics != Dynamics::glifr) return;
  const auto softness = population.column("softness");
  const bool hard = std::all_of(softness.begin(), softness.end(), [](double s) { return s == 0; });
  require(hard && population.copies == 1, ErrorKind::config,
          "population '{}': found neurons that escape, expected a network exported with --mode"
          " threshold",
          population.name);
}

Conversion convert(const Network& network, const Options&) {
  for (const Population& population : network.populations) check(population);
  return {network, left_out(network), network.time_step_ms};
}

void write(const Conversion& conversion, const std::filesystem::path& path) {
  const Network& network = conversion.network;
  io::AtomicDirectory directory(path);
  for (const Population& population : network.populations) {
    if (glifnet::model(population.model).is_source()) continue;
    for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
      io::write_file(
          directory.staging() / fmt::format("{}_{}_neuron_config.json", population.name, neuron),
          allen_config(population, neuron, network.time_step_ms).dump(1) + "\n");
    }
  }
  directory.commit();
}

}  // namespace

ExporterEntry entry_allen() {
  return {"allen", "a directory of neuron_config.json files, one for each neuron", convert, write};
}

}  // namespace afterspike::exporters
