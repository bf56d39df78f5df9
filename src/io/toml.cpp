#include "afterspike/io/toml.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "afterspike/io/bytes.hpp"
#include "afterspike/io/toml_tree.hpp"

namespace afterspike::io {
namespace {

using options::Description;
using options::Field;
using options::Value;

/// Sets options from the nodes of one file.
class Reader {
 public:
  Reader(std::string file, const Description& description)
      : file_(std::move(file)), description_(description) {}

  void read(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string path = prefix + std::string(key.str());
      const toml::table* inner = node.as_table();
      if (inner != nullptr && !inner->empty()) {
        read(*inner, path + ".");
      } else {
        set(path, node, key.source().begin.line);
      }
    }
  }

 private:
  void set(const std::string& path, const toml::node& node, std::uint32_t line) {
    try {
      if (node.is_table()) return check_section(path);
      const Field& field = description_.find(path);
      require(seen_.insert(field.path()).second, ErrorKind::config, "option '{}' is set twice",
              field.path());
      field.set(value_of(node, path));
    } catch (const Error& error) {
      throw error.within(fmt::format("{}:{}", file_, line));
    }
  }

  /// Checks an empty section: it sets nothing, but its name may be misspelt.
  void check_section(const std::string& path) const {
    for (const Field& field : description_.fields()) {
      if (field.path().starts_with(path + ".")) return;
    }
    description_.find(path);
    fail(ErrorKind::config, "option '{}': found a section, expected a value", path);
  }

  static Value value_of(const toml::node& node, const std::string& path) {
    if (const auto* flag = node.as_boolean()) return flag->get();
    if (const auto* integer = node.as_integer()) return integer->get();
    if (const auto* number = node.as_floating_point()) return number->get();
    if (const auto* words = node.as_string()) return words->get();
    const toml::array* array = node.as_array();
    require(array != nullptr, ErrorKind::config,
            "option '{}': found a date or time, expected true, false, a number, text or numbers",
            path);
    std::vector<double> numbers;
    for (const toml::node& element : *array) {
      const auto number = element.value<double>();
      require(element.is_number() && number.has_value(), ErrorKind::config,
              "option '{}': found an array that does not hold numbers only", path);
      numbers.push_back(*number);
    }
    return numbers;
  }

  std::string file_;
  const Description& description_;
  std::set<std::string> seen_;
};

/// Formats a double so that it is read back as a double: "1" would be an integer.
std::string number_text(double number) {
  const std::string text = fmt::format("{}", number);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string quoted_text(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      result += '\\';
      result += letter;
    } else if (letter == '\n') {
      result += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      result += fmt::format("\\u{:04X}", code);
    } else {
      result += letter;
    }
  }
  return result + '"';
}

std::string toml_text(const Value& value) {
  if (const auto* words = std::get_if<std::string>(&value)) return quoted_text(*words);
  if (const auto* number = std::get_if<double>(&value)) return number_text(*number);
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    std::vector<std::string> texts;
    for (const double number : *numbers) texts.push_back(number_text(number));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  }
  return options::text(value);
}

std::string line_of(const Field& field, std::string_view name, bool with_help) {
  std::string line = fmt::format("{} = {}", name, toml_text(field.value()));
  if (with_help && !field.help().empty()) {
    line += "  # ";
    for (const char letter : field.help()) line += letter == '\n' ? ' ' : letter;
  }
  return line + '\n';
}

/// The offset one past the string or comment that begins at `begin`.
std::size_t end_of_text(std::string_view toml, std::size_t begin) {
  const char quote = toml[begin];
  if (quote == '#') return std::min(toml.find('\n', begin), toml.size());
  const std::string three(3, quote);
  const bool several_lines = toml.substr(begin, 3) == three;
  std::size_t at = begin + (several_lines ? 3 : 1);
  while (at < toml.size()) {
    if (several_lines ? toml.substr(at, 3) == three : toml[at] == quote || toml[at] == '\n') break;
    at += quote == '"' && toml[at] == '\\' ? 2 : 1;
  }
  return std::min(at + (several_lines ? 3 : 1), toml.size());
}

/// Refuses keys of many parts before they are parsed: toml++ limits the depth of values, but
/// follows dotted keys by recursion, and 35,000 parts exhaust the stack.
void check_keys(std::string_view toml, const std::string& file) {
  constexpr int kMaxDots = 20;
  int dots = 0;
  std::size_t line = 1;
  for (std::size_t at = 0; at < toml.size();) {
    const char letter = toml[at];
    if (letter == '"' || letter == '\'' || letter == '#') {
      const std::size_t end = end_of_text(toml, at);
      line += static_cast<std::size_t>(std::count(toml.begin() + static_cast<std::ptrdiff_t>(at),
                                                  toml.begin() + static_cast<std::ptrdiff_t>(end),
                                                  '\n'));
      at = end;
      continue;
    }
    if (letter == '\n') ++line;
    if (letter == '\n' || letter == '=' || letter == ',' || letter == '{' || letter == '[')
      dots = 0;
    require(letter != '.' || ++dots <= kMaxDots, ErrorKind::config,
            "{}:{}: found a key of more than {} parts, expected at most {}", file, line,
            kMaxDots + 1, kMaxDots + 1);
    ++at;
  }
}

toml::table parse_file(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_file(path, ErrorKind::config);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  check_keys(text, path.string());
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::config, "{}:{}: {}", path.string(), error.source().begin.line,
         error.description());
  }
}

TomlNode tree_of(const toml::node& node, const std::string& file) {
  TomlNode tree{fmt::format("{}:{}", file, node.source().begin.line), false};
  if (const auto* flag = node.as_boolean()) {
    tree.value = flag->get();
  } else if (const auto* integer = node.as_integer()) {
    tree.value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    tree.value = number->get();
  } else if (const auto* words = node.as_string()) {
    tree.value = words->get();
  } else if (const auto* array = node.as_array()) {
    TomlNode::Array elements;
    for (const toml::node& element : *array) elements.push_back(tree_of(element, file));
    tree.value = std::move(elements);
  } else if (const auto* table = node.as_table()) {
    TomlNode::Table entries;
    for (const auto& [key, value] : *table) {
      entries.emplace_back(std::string(key.str()), tree_of(value, file));
    }
    // toml++ sorts by name; a description is read in the order in which it was written.
    std::stable_sort(entries.begin(), entries.end(), [&](const auto& one, const auto& other) {
      const auto place = [&](const auto& entry) {
        const toml::source_position begin = table->find(entry.first)->second.source().begin;
        return std::pair(begin.line, begin.column);
      };
      return place(one) < place(other);
    });
    tree.value = std::move(entries);
  } else {
    fail(ErrorKind::config, "{}: found a date or time, expected true, false, a number or text",
         tree.where);
  }
  return tree;
}

}  // namespace

TomlNode read_toml(const std::filesystem::path& path) {
  return tree_of(parse_file(path), path.string());
}

TomlNode parse_toml_value(std::string_view text, std::string where) {
  TomlNode tree;
  try {
    tree = tree_of(*toml::parse(fmt::format("value = {}", text)).get("value"), where);
  } catch (const toml::parse_error&) {
    tree.value = std::string(text);
  }
  tree.where = std::move(where);
  return tree;
}

void read_options(const std::filesystem::path& path, const Description& description) {
  Reader(path.string(), description).read(parse_file(path), "");
}

std::string write_options(const Description& description, bool with_help) {
  // TOML requires each section once, and options without a section first.
  std::vector<std::pair<std::string, std::string>> sections = {{"", ""}};
  for (const Field& field : description.fields()) {
    const auto dot = field.path().rfind('.');
    const std::string section = dot == std::string::npos ? "" : field.path().substr(0, dot);
    const std::string name = field.path().substr(dot == std::string::npos ? 0 : dot + 1);
    auto found = std::find_if(sections.begin(), sections.end(),
                              [&](const auto& entry) { return entry.first == section; });
    if (found == sections.end()) found = sections.insert(sections.end(), {section, ""});
    found->second += line_of(field, name, with_help);
  }
  std::string text;
  for (const auto& [name, lines] : sections) {
    if (!text.empty()) text += '\n';
    if (!name.empty()) text += fmt::format("[{}]\n", name);
    text += lines;
  }
  return text;
}

std::string peek_text(const std::filesystem::path& path, std::string_view section,
                      std::string_view key) {
  const toml::table table = parse_file(path);
  return table[section][key].value_or(std::string());
}

}  // namespace afterspike::io
