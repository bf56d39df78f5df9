#include "sonata_nodes.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::formats {
namespace {

/// Node ids in the order of the file.
std::vector<std::int64_t> read_node_ids(const io::Hdf5File& file, const std::string& name,
                                        std::size_t count) {
  std::vector<std::int64_t> ids(count);
  if (!file.exists(name)) {
    for (std::size_t at = 0; at < count; ++at) ids[at] = static_cast<std::int64_t>(at);
    return ids;
  }
  ids = file.read<std::int64_t>(name).values;
  require(ids.size() == count, ErrorKind::data, "'{}': found {} values, expected {}", name,
          ids.size(), count);
  std::vector<bool> is_known(count);
  for (std::size_t at = 0; at < count; ++at) {
    const bool inside = ids[at] >= 0 && ids[at] < static_cast<std::int64_t>(count);
    require(inside && !is_known[static_cast<std::size_t>(ids[at])], ErrorKind::data,
            "'{}': value {}: found {}, expected each of 0 to {} once", name, at, ids[at],
            count - 1);
    is_known[static_cast<std::size_t>(ids[at])] = true;
  }
  return ids;
}

/// Model types of nodes must agree: neurons and virtual nodes are different populations here.
bool are_virtual(const NodeTable& table, const std::string& group) {
  const std::string first = table.types.cell(table.rows.front(), "model_type");
  for (const std::size_t row : table.rows) {
    const std::string kind = table.types.cell(row, "model_type");
    require(kind == first, ErrorKind::data,
            "'{}': found nodes of model_type '{}' and '{}', expected one for all", group, first,
            kind);
  }
  return first == "virtual";
}

}  // namespace

NodeTable read_node_table(const io::Hdf5File& file, const std::string& name,
                          const TextTable& types) {
  const std::string group = "/nodes/" + name;
  const auto type_ids = file.read<std::int64_t>(group + "/node_type_id").values;
  require(!type_ids.empty(), ErrorKind::data, "'{}': expected nodes, found none", group);
  const auto ids = read_node_ids(file, group + "/node_id", type_ids.size());
  const SonataGroups groups =
      read_sonata_groups(file, group, "node", type_ids.size(),
                         {"dynamics_params", "model_type", "model_template", "model_processing"});
  NodeTable table{types, std::vector<std::size_t>(type_ids.size()), {}, false};
  const std::vector<std::size_t> rows = rows_of(type_ids, types, "node_type_id", group);
  for (std::size_t at = 0; at < rows.size(); ++at) {
    table.rows[static_cast<std::size_t>(ids[at])] = rows[at];
  }
  for (const std::int64_t id : groups.distinct) {
    const std::string own = fmt::format("{}/{}", group, id);
    if (!file.exists(own)) continue;
    for (const std::string& attribute : file.members(own)) table.attributes.insert(attribute);
  }
  table.is_virtual = are_virtual(table, group);
  return table;
}

namespace {

/// The values that a member of a filter allows.
io::Json allowed_values(const io::Json& value) {
  return value.is_array() ? value : io::Json::array({value});
}

bool is_allowed(const io::Json& allowed, const std::string& cell) {
  return std::any_of(allowed.begin(), allowed.end(), [&](const io::Json& value) {
    return cell == (value.is_string() ? value.get<std::string>() : value.dump());
  });
}

class Resolver {
 public:
  Resolver(const NodeTables& tables, const SonataConfig& config, const std::string& where)
      : tables_(tables), config_(config), where_(where) {}

  NodeSet resolve(const io::Json& set, int depth = 0) const;

 private:
  NodeSet named(const std::string& name, int depth) const;
  NodeSet filtered(const io::Json& filter) const;
  std::vector<std::int64_t> select(const NodeTable& table, const io::Json& filter) const;
  bool is_selected(const NodeTable& table, std::int64_t node, const std::string& key,
                   const io::Json& allowed) const;

  const NodeTables& tables_;
  const SonataConfig& config_;
  const std::string& where_;
};

/// The node sets of the configuration, or of the file that it names.
io::Json node_sets_of(const SonataConfig& config) {
  if (config.has("node_sets")) return config.at("node_sets").json();
  if (!config.has("node_sets_file")) return io::Json::object();
  return io::read_json(config.part_with("node_sets_file").path("node_sets_file"), ErrorKind::data);
}

NodeSet Resolver::named(const std::string& name, int depth) const {
  const io::Json sets = node_sets_of(config_);
  if (sets.is_object() && sets.contains(name)) return resolve(sets.at(name), depth + 1);
  if (name == "all") return filtered(io::Json::object());
  require(tables_.contains(name), ErrorKind::data, "{}: there are no nodes '{}'", where_, name);
  return filtered(io::Json{{"population", name}});
}

bool Resolver::is_selected(const NodeTable& table, std::int64_t node, const std::string& key,
                           const io::Json& allowed) const {
  if (key == "node_id" || key == "node_ids") {
    return std::any_of(allowed.begin(), allowed.end(), [&](const io::Json& value) {
      return io::holds<std::int64_t>(value) && value.get<std::int64_t>() == node;
    });
  }
  return is_allowed(allowed, table.types.cell(table.rows[static_cast<std::size_t>(node)], key));
}

std::vector<std::int64_t> Resolver::select(const NodeTable& table, const io::Json& filter) const {
  for (const auto& [key, ignored] : filter.items()) {
    require(!table.attributes.contains(key), ErrorKind::data,
            "{}: node_set asks for '{}', a value of single nodes. Use node_id or a column of the"
            " node types.",
            where_, key);
  }
  std::vector<std::int64_t> nodes;
  for (std::int64_t node = 0; node < static_cast<std::int64_t>(table.rows.size()); ++node) {
    bool selected = true;
    for (const auto& [key, value] : filter.items()) {
      selected = selected && is_selected(table, node, key, allowed_values(value));
    }
    if (selected) nodes.push_back(node);
  }
  return nodes;
}

NodeSet Resolver::filtered(const io::Json& given) const {
  io::Json filter = given, populations;
  for (const char* key : {"population", "populations"}) {
    if (!filter.contains(key)) continue;
    populations = allowed_values(filter.at(key));
    filter.erase(key);
  }
  for (const io::Json& name : populations) {
    require(name.is_string() && tables_.contains(name.get<std::string>()), ErrorKind::data,
            "{}: there are no nodes {}", where_,
            name.is_string() ? fmt::format("'{}'", name.get<std::string>()) : name.dump());
  }
  NodeSet set;
  for (const auto& [name, table] : tables_) {
    if (!populations.is_null() && !is_allowed(populations, name)) continue;
    std::vector<std::int64_t> nodes = select(table, filter);
    if (!nodes.empty()) set[name] = std::move(nodes);
  }
  return set;
}

NodeSet Resolver::resolve(const io::Json& set, int depth) const {
  constexpr int kMaxDepth = 16;  // Node sets may name each other.
  require(depth < kMaxDepth, ErrorKind::data, "{}: node sets name each other without end", where_);
  if (set.is_string()) return named(set.get<std::string>(), depth);
  if (set.is_object()) return filtered(set);
  require(set.is_array(), ErrorKind::data,
          "{}: found node_set {}, expected a name, an object or a list of these", where_,
          set.dump());
  NodeSet all;
  for (const io::Json& part : set) {
    require(part.is_string() || part.is_object(), ErrorKind::data,
            "{}: found {} in node_set. Name the population, as in {{\"population\": \"net\","
            " \"node_id\": [0, 1]}}.",
            where_, part.dump());
    for (auto& [name, nodes] : resolve(part, depth + 1)) {
      std::vector<std::int64_t> merged;
      std::set_union(all[name].begin(), all[name].end(), nodes.begin(), nodes.end(),
                     std::back_inserter(merged));
      all[name] = std::move(merged);
    }
  }
  return all;
}

}  // namespace

NodeSet resolve_node_set(const io::Json& set, const NodeTables& tables, const SonataConfig& config,
                         const std::string& where) {
  NodeSet nodes = Resolver(tables, config, where).resolve(set);
  require(!nodes.empty(), ErrorKind::data, "{}: node_set {} selects no nodes", where, set.dump());
  return nodes;
}

}  // namespace afterspike::formats
