#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "afterspike/io/json.hpp"
#include "sonata.hpp"
#include "sonata_config.hpp"

namespace afterspike::formats {

/// The nodes of a population as their files describe them.
struct NodeTable {
  TextTable types;
  std::vector<std::size_t> rows;     ///< The row in `types` of each node, by node id.
  std::set<std::string> attributes;  ///< Names of values that single nodes have.
  bool is_virtual = false;
};

using NodeTables = std::map<std::string, NodeTable>;

/// Node ids, ascending, by population.
using NodeSet = std::map<std::string, std::vector<std::int64_t>>;

/// Reads the population `name` of a nodes file. Node ids may come in any order. Throws Error(data)
/// for ids other than 0 to the number of nodes, and for parameters of single nodes.
NodeTable read_node_table(const io::Hdf5File& file, const std::string& name,
                          const TextTable& types);

/// Resolves a "node_set" of the configuration: the name of a node set, "all", the name of a
/// population; an object of population, node_id and columns of the node types, each a value or a
/// list; or a list of these. Throws Error(data) that begins with `where` if it selects no node, or
/// if it asks for something that is not known.
NodeSet resolve_node_set(const io::Json& set, const NodeTables& tables, const SonataConfig& config,
                         const std::string& where);

}  // namespace afterspike::formats
