#include "network/description_tree.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "network/expression.hpp"

namespace afterspike::spiking {
namespace {

using io::TomlNode;

TomlNode* entry(TomlNode& node, std::string_view key) {
  auto* table = std::get_if<TomlNode::Table>(&node.value);
  if (table == nullptr) return nullptr;
  const auto found = std::find_if(table->begin(), table->end(),
                                  [&](const auto& each) { return each.first == key; });
  return found == table->end() ? nullptr : &found->second;
}

[[noreturn]] void refuse(const TomlNode& node, std::string_view name, std::string_view message) {
  fail(ErrorKind::config, "{}: {}: {}", node.where, name, message);
}

/// A name without a dot is a parameter, if the description has it.
std::string path_of(TomlNode& root, const std::string& key) {
  TomlNode* parameters = entry(root, "parameters");
  const bool is_parameter = key.find('.') == std::string::npos && entry(root, key) == nullptr &&
                            parameters != nullptr && entry(*parameters, key) != nullptr;
  return is_parameter ? "parameters." + key : key;
}

void apply(TomlNode& root, const std::vector<DescriptionSetting>& settings, bool parameters_only) {
  for (const auto& [key, value] : settings) {
    const std::string path = path_of(root, key);
    if (parameters_only && !path.starts_with("parameters.")) continue;
    io::set_toml(root, path, value);
  }
}

/// Adds `from` to `into`: tables entry by entry, arrays of tables behind each other; other values
/// are replaced.
void merge(TomlNode& into, const TomlNode& from) {
  auto* table = std::get_if<TomlNode::Table>(&into.value);
  const auto* added = std::get_if<TomlNode::Table>(&from.value);
  if (table == nullptr || added == nullptr) {
    into = from;
    return;
  }
  for (const auto& [key, value] : *added) {
    TomlNode* own = entry(into, key);
    if (own == nullptr) {
      table->emplace_back(key, value);
      continue;
    }
    auto* list = std::get_if<TomlNode::Array>(&own->value);
    const auto* more = std::get_if<TomlNode::Array>(&value.value);
    const bool are_tables = list != nullptr && more != nullptr && !more->empty() &&
                            std::holds_alternative<TomlNode::Table>(more->front().value);
    if (are_tables) {
      list->insert(list->end(), more->begin(), more->end());
    } else {
      merge(*own, value);
    }
  }
}

/// Merges [variants.PARAMETER.VALUE] for the value that each parameter has.
void choose_variants(TomlNode& root) {
  TomlNode* found = entry(root, "variants");
  if (found == nullptr) return;
  const TomlNode variants = *found;
  auto& entries = std::get<TomlNode::Table>(root.value);
  std::erase_if(entries, [](const auto& each) { return each.first == "variants"; });
  const auto* names = std::get_if<TomlNode::Table>(&variants.value);
  if (names == nullptr) refuse(variants, "variants", "expected tables, [variants.PARAMETER.VALUE]");
  for (const auto& [name, cases] : *names) {
    const std::string what = "variants." + name;
    const auto* values = std::get_if<TomlNode::Table>(&cases.value);
    TomlNode* parameters = entry(root, "parameters");
    TomlNode* parameter = parameters == nullptr ? nullptr : entry(*parameters, name);
    const auto* chosen =
        parameter == nullptr ? nullptr : std::get_if<std::string>(&parameter->value);
    if (values == nullptr) refuse(cases, what, "expected tables, [variants.PARAMETER.VALUE]");
    if (chosen == nullptr) {
      refuse(cases, what, fmt::format("expected a parameter '{}' with one of their names", name));
    }
    std::vector<std::string_view> known;
    const TomlNode* variant = nullptr;
    for (const auto& [value, node] : *values) {
      known.push_back(value);
      if (value == *chosen) variant = &node;
    }
    if (variant == nullptr) {
      refuse(*parameter, "parameters." + name,
             fmt::format("found '{}'{}, expected {}", *chosen, did_you_mean(*chosen, known),
                         fmt::join(known, ", ")));
    }
    merge(root, *variant);
  }
}

/// Parameters that expressions may use.
struct Parameters {
  Values values;
  std::map<std::string, std::string, std::less<>> texts;
};

TomlNode node_of(const Value& value, const std::string& where) {
  if (value.shape.empty()) return {where, value.numbers[0]};
  TomlNode::Array rows;
  const std::size_t count = value.shape[0],
                    width = value.numbers.size() / std::max<std::size_t>(count, 1);
  for (std::size_t row = 0; row < count; ++row) {
    const auto begin = value.numbers.begin() + static_cast<std::ptrdiff_t>(row * width);
    rows.push_back(node_of({{value.shape.begin() + 1, value.shape.end()},
                            {begin, begin + static_cast<std::ptrdiff_t>(width)}},
                           where));
  }
  return {where, std::move(rows)};
}

/// Replaces texts that begin with '=' by the value of their expression, or by the text of a
/// parameter.
void evaluate_all(TomlNode& node, const Parameters& parameters) {
  if (auto* table = std::get_if<TomlNode::Table>(&node.value)) {
    for (auto& [key, child] : *table) evaluate_all(child, parameters);
  } else if (auto* array = std::get_if<TomlNode::Array>(&node.value)) {
    for (TomlNode& child : *array) evaluate_all(child, parameters);
  } else if (const auto* text = std::get_if<std::string>(&node.value)) {
    if (!text->starts_with('=')) return;
    const auto first = text->find_first_not_of(' ', 1);
    const auto named = parameters.texts.find(first == std::string::npos ? "" : text->substr(first));
    if (named != parameters.texts.end()) {
      node.value = named->second;
      return;
    }
    try {
      node = node_of(evaluate(text->substr(1), parameters.values), node.where);
    } catch (const Error& error) {
      throw error.within(node.where);
    }
  }
}

/// The numbers of a parameter: one, an array, or rows of as many numbers.
Value value_of(const TomlNode& node, const std::string& name) {
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) return io::toml_number(node, name);
  if (array->empty()) refuse(node, name, "found an empty array, expected numbers");
  std::optional<Value> all;
  for (const TomlNode& each : *array) {
    const Value value = value_of(each, name);
    if (!all) {
      all = Value({1}, value.numbers);
      all->shape.insert(all->shape.end(), value.shape.begin(), value.shape.end());
      continue;
    }
    const bool fits = std::equal(value.shape.begin(), value.shape.end(), all->shape.begin() + 1,
                                 all->shape.end());
    if (!fits) refuse(each, name, "found rows of different lengths, expected equal ones");
    ++all->shape[0];
    all->numbers.insert(all->numbers.end(), value.numbers.begin(), value.numbers.end());
  }
  return *all;
}

bool has_texts(const TomlNode& node) {
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  return array != nullptr && !array->empty() &&
         std::holds_alternative<std::string>(array->front().value) &&
         !std::get<std::string>(array->front().value).starts_with('=');
}

/// [parameters]: numbers, arrays of them, texts, and expressions of those above.
Parameters read_parameters(TomlNode& root) {
  Parameters parameters;
  TomlNode* found = entry(root, "parameters");
  if (found == nullptr) return parameters;
  auto* entries = std::get_if<TomlNode::Table>(&found->value);
  if (entries == nullptr) refuse(*found, "parameters", "expected a table");
  for (auto& [name, node] : *entries) {
    const std::string what = "parameters." + name;
    evaluate_all(node, parameters);
    if (has_texts(node)) refuse(node, what, "found texts, expected numbers");
    if (const auto* text = std::get_if<std::string>(&node.value)) {
      parameters.texts[name] = *text;
    } else {
      parameters.values[name] = value_of(node, what);
    }
  }
  return parameters;
}

/// The entry for one of `count` members of a group: of arrays, and of arrays in tables.
TomlNode member(const TomlNode& node, std::size_t at, std::size_t count, const std::string& name) {
  if (const auto* table = std::get_if<TomlNode::Table>(&node.value)) {
    TomlNode::Table own;
    for (const auto& [key, child] : *table) {
      own.emplace_back(key, member(child, at, count, name + "." + key));
    }
    return {node.where, std::move(own)};
  }
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) return node;
  if (array->size() != count) {
    refuse(
        node, name,
        fmt::format("found {} entries, expected one for each of {} names", array->size(), count));
  }
  return (*array)[at];
}

std::vector<std::string> names_of(const TomlNode& node, const std::string& name) {
  if (const auto* text = std::get_if<std::string>(&node.value)) return {*text};
  std::vector<std::string> names;
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr || array->empty()) refuse(node, name, "expected names in quotes");
  for (const TomlNode& each : *array) {
    const auto* text = std::get_if<std::string>(&each.value);
    if (text == nullptr) refuse(each, name, "expected names in quotes");
    names.push_back(*text);
  }
  return names;
}

/// [populations.GROUP] with `names` states one population for each of them.
void write_out_populations(TomlNode& root) {
  TomlNode* populations = entry(root, "populations");
  auto* table =
      populations == nullptr ? nullptr : std::get_if<TomlNode::Table>(&populations->value);
  if (table == nullptr) return;
  TomlNode::Table all;
  for (auto& [group, node] : *table) {
    const TomlNode* list = entry(node, "names");
    if (list == nullptr) {
      all.emplace_back(group, node);
      continue;
    }
    const std::string what = "populations." + group;
    const std::vector<std::string> names = names_of(*list, what + ".names");
    for (std::size_t at = 0; at < names.size(); ++at) {
      TomlNode own = member(node, at, names.size(), what);
      std::erase_if(std::get<TomlNode::Table>(own.value),
                    [](const auto& each) { return each.first == "names"; });
      all.emplace_back(names[at], std::move(own));
    }
  }
  *table = std::move(all);
}

/// The entry for a target and a source: of an array, one for each source; of rows, a row for each
/// target.
TomlNode entry_of(const TomlNode& node, std::pair<std::size_t, std::size_t> place,
                  std::pair<std::size_t, std::size_t> extents, const std::string& name) {
  if (const auto* table = std::get_if<TomlNode::Table>(&node.value)) {
    TomlNode::Table own;
    for (const auto& [key, child] : *table) {
      own.emplace_back(key, entry_of(child, place, extents, name + "." + key));
    }
    return {node.where, std::move(own)};
  }
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) return node;
  const bool has_rows =
      !array->empty() && std::holds_alternative<TomlNode::Array>(array->front().value);
  const std::size_t count = has_rows ? extents.first : extents.second;
  if (array->size() != count) {
    refuse(node, name,
           fmt::format("found {} entries, expected {} for the {}", array->size(), count,
                       has_rows ? "targets" : "sources"));
  }
  return has_rows ? entry_of((*array)[place.first], place, extents, name) : (*array)[place.second];
}

constexpr std::array<std::string_view, 7> kByPair = {"N",      "p",     "indegree", "outdegree",
                                                     "weight", "delay", "receptor"};

bool is_by_pair(std::string_view key) {
  return std::find(kByPair.begin(), kByPair.end(), key) != kByPair.end();
}

bool has_array(const TomlNode& node) {
  if (const auto* table = std::get_if<TomlNode::Table>(&node.value)) {
    return std::any_of(table->begin(), table->end(),
                       [](const auto& each) { return has_array(each.second); });
  }
  return std::holds_alternative<TomlNode::Array>(node.value);
}

/// Whether a projection connects nothing: N = 0.
bool is_empty(TomlNode& projection) {
  const TomlNode* count = entry(projection, "N");
  if (count == nullptr) return false;
  const auto* whole = std::get_if<std::int64_t>(&count->value);
  const auto* number = std::get_if<double>(&count->value);
  return (whole != nullptr && *whole == 0) || (number != nullptr && *number == 0);
}

void write_out(TomlNode& node, const std::string& what, TomlNode::Array& all) {
  auto* table = std::get_if<TomlNode::Table>(&node.value);
  const TomlNode* pairwise = entry(node, "pairwise");
  const bool in_pairs = pairwise != nullptr && std::holds_alternative<bool>(pairwise->value) &&
                        std::get<bool>(pairwise->value);
  const bool by_pair =
      table != nullptr && std::any_of(table->begin(), table->end(), [](const auto& each) {
        return is_by_pair(each.first) && has_array(each.second);
      });
  if ((!in_pairs && !by_pair) || entry(node, "source") == nullptr ||
      entry(node, "target") == nullptr) {
    all.push_back(node);
    return;
  }
  const auto sources = names_of(*entry(node, "source"), what + ".source");
  const auto targets = names_of(*entry(node, "target"), what + ".target");
  if (in_pairs && sources.size() != targets.size()) {
    refuse(node, what,
           fmt::format("pairwise: found {} sources and {} targets, expected as many",
                       sources.size(), targets.size()));
  }
  for (std::size_t source = 0; source < sources.size(); ++source) {
    for (std::size_t target = 0; target < targets.size(); ++target) {
      if (in_pairs && source != target) continue;
      TomlNode own{node.where, TomlNode::Table{}};
      for (const auto& [key, child] : *table) {
        if (key == "pairwise") continue;
        TomlNode value = child;
        if (key == "source") value.value = sources[source];
        if (key == "target") value.value = targets[target];
        if (is_by_pair(key)) {
          value =
              entry_of(child, {target, source}, {targets.size(), sources.size()}, what + "." + key);
        }
        std::get<TomlNode::Table>(own.value).emplace_back(key, std::move(value));
      }
      if (!is_empty(own)) all.push_back(std::move(own));
    }
  }
}

/// [[projections]] with arrays, or with `pairwise`, states one projection for each pair.
void write_out_projections(TomlNode& root) {
  TomlNode* projections = entry(root, "projections");
  auto* list = projections == nullptr ? nullptr : std::get_if<TomlNode::Array>(&projections->value);
  if (list == nullptr) return;
  TomlNode::Array all;
  for (std::size_t index = 0; index < list->size(); ++index) {
    write_out((*list)[index], fmt::format("projections.{}", index), all);
  }
  *list = std::move(all);
}

}  // namespace

void resolve_description(TomlNode& root, const std::vector<DescriptionSetting>& settings) {
  apply(root, settings, true);
  choose_variants(root);
  apply(root, settings, false);
  evaluate_all(root, read_parameters(root));
  write_out_populations(root);
  write_out_projections(root);
}

}  // namespace afterspike::spiking
