#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/io/hdf5.hpp"
#include "sonata.hpp"
#include "sonata_config.hpp"

namespace afterspike::exporters {

/// The edges of a population, each with what it says itself or its type does.
struct SonataEdges {
  std::string source, target;  ///< Names of populations of nodes.
  std::vector<std::int64_t> sources, targets;
  std::vector<std::int64_t> synapses;  ///< How many equal ones an edge stands for.
  std::vector<double> weights, delays;
  std::vector<std::uint8_t> receptors;  ///< From 0.
};

/// Throws Error(data) that names what is wrong or would be taken otherwise than it is meant.
SonataEdges read_sonata_edges(const io::Hdf5File& file, const std::string& group,
                              const TextTable& types, const SonataConfig& config);

}  // namespace afterspike::exporters
