#pragma once

#include "afterspike/io/toml_tree.hpp"
#include "afterspike/spiking/connect.hpp"

namespace afterspike::spiking {

/// Adds up the memory that a described network takes while it is drawn and simulated, and refuses
/// it before that.
class MemoryNeed {
 public:
  MemoryNeed();

  /// Throw Error(config) with file, line and the need if the network then takes more than is free.
  void add_population(io::TomlTable& table, const Population& population);
  void add_synapses(io::TomlTable& table, const Connection& connection, const Population& source,
                    const Population& target);

 private:
  double available_, kept_ = 0;  ///< bytes
};

}  // namespace afterspike::spiking
