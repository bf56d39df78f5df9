#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/io/hdf5.hpp"
#include "sonata.hpp"
#include "sonata_config.hpp"

namespace afterspike::formats {

/// The edges of a population, each with its own values or those of its type.
struct SonataEdges {
  std::string source, target;  ///< Names of populations of nodes.
  std::vector<std::int64_t> sources, targets;
  std::vector<std::int64_t> synapses;  ///< How many equal ones an edge stands for.
  std::vector<double> weights, delays;
  std::vector<std::int64_t> ports;  ///< NEST's receptor_type, from 1; 0 if it is given as 0.
};

/// Delays default to 1 ms, as in NEST. Throws Error(data) that names a value that is wrong, and one
/// that would be taken otherwise than it is meant, as a weight function.
SonataEdges read_sonata_edges(const io::Hdf5File& file, const std::string& group,
                              const TextTable& types, const SonataConfig& config);

}  // namespace afterspike::formats
