#include "network/memory_need.hpp"

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/size_limit.hpp"

namespace afterspike::spiking {
namespace {

// Measured with 10 million synapses, and rounded up.
constexpr double kDrawn = 61;  ///< Bytes of a synapse while it is drawn: list and projection.
constexpr double kKept = 41;   ///< Bytes of a synapse while the simulation is built.

/// Bytes of a neuron: its parameters as columns and as coefficients, and its state.
double neuron_bytes(const Population& population) {
  constexpr double kCopies = 4, kStates = 32;
  const auto parameters = static_cast<double>(model(population.model).parameters.size());
  return sizeof(double) * (kCopies * parameters + kStates);
}

}  // namespace

MemoryNeed::MemoryNeed() : available_(io::available_bytes()) {}

void MemoryNeed::add_population(io::TomlTable& table, const Population& population) {
  kept_ += neuron_bytes(population) * static_cast<double>(population.size);
  require(kept_ <= available_, ErrorKind::config,
          "{}: {}: {} neurons of model '{}' need {} of memory with those above, and {} are free."
          " Lower the size, or use a machine with more memory",
          table.where(), table.name(), population.size, population.model, io::size_text(kept_),
          io::size_text(available_));
}

void MemoryNeed::add_synapses(io::TomlTable& table, const Connection& connection,
                              const Population& source, const Population& target) {
  const double synapses = expected_synapses(connection, source.size, target.size);
  const double needed = kept_ + kDrawn * synapses;
  require(
      needed <= available_, ErrorKind::config,
      "{}: {}: about {:.3g} synapses from '{}' to '{}' need {} of memory with those above, and {}"
      " are free. Lower the sizes or the number of synapses per neuron (--set PATH=VALUE), or"
      " use a machine with more memory",
      table.where(), table.name(), synapses, source.name, target.name, io::size_text(needed),
      io::size_text(available_));
  kept_ += kKept * synapses;
}

}  // namespace afterspike::spiking
