#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace afterspike::io {

/// A TOML file as a tree that knows its places, for files whose keys are not options: descriptions
/// of networks.
struct TomlNode {
  using Table = std::vector<std::pair<std::string, TomlNode>>;  ///< In the order of the file.
  using Array = std::vector<TomlNode>;

  std::string where;  ///< "net.toml:12", for messages.
  std::variant<bool, std::int64_t, double, std::string, Array, Table> value;
};

/// Reads a TOML file. Throws Error(config) naming file and line for a syntax error or a date; a
/// missing file is an error too.
TomlNode read_toml(const std::filesystem::path& path);

/// Returns a value in TOML's syntax as a node at `where`; text that is no value of TOML stands for
/// itself.
TomlNode parse_toml_value(std::string_view text, std::string where);

/// Sets the value at a dotted path ("populations.E.C_m"; "projections.0.weight" for elements of
/// arrays) from the text of a flag: a number, true, false, an array or table in TOML's syntax, else
/// text. Tables on the way are created. Throws Error(config) if the path leads through a value.
void set_toml(TomlNode& root, std::string_view path, std::string_view text);

/// Reads a table and reports keys that nobody asked for. All getters throw Error(config) naming
/// file, line, table and key.
class TomlTable {
 public:
  /// `name` stands before messages: "populations.E". `node` must outlive the reader.
  TomlTable(const TomlNode& node, std::string name);

  const std::string& name() const { return name_; }
  const std::string& where() const { return node_->where; }

  /// The node at `key`, or null.
  const TomlNode* find(std::string_view key);
  const TomlNode& at(std::string_view key);

  double number(std::string_view key);
  double number(std::string_view key, double otherwise);
  std::int64_t integer(std::string_view key);
  std::int64_t integer(std::string_view key, std::int64_t otherwise);
  bool flag(std::string_view key, bool otherwise);
  std::string text(std::string_view key);
  std::string text(std::string_view key, std::string_view otherwise);
  /// A duration in ms: a number of ms, or text with a unit ("1 s").
  double ms(std::string_view key);
  double ms(std::string_view key, double otherwise);
  /// One number or several.
  std::vector<double> numbers(std::string_view key);
  /// One text or several.
  std::vector<std::string> texts(std::string_view key);
  /// The tables of an array of tables; empty without the key.
  std::vector<TomlTable> tables(std::string_view key);
  /// The entries of a table of tables by name; empty without the key.
  std::vector<TomlTable> named_tables(std::string_view key);
  /// A table, or nothing without the key.
  std::optional<TomlTable> table(std::string_view key);

  /// Keys of the table, in the order of the file.
  std::vector<std::string> keys() const;

  /// Throws for a key that no getter asked for, with "did you mean" among those asked for.
  void finish() const;

  /// Throws Error(config) with file, line, table and key before `message`.
  [[noreturn]] void refuse(const TomlNode& node, std::string_view key,
                           const std::string& message) const;

 private:
  const TomlNode* node_;
  const TomlNode::Table* table_;
  std::string name_;
  std::set<std::string, std::less<>> asked_;
};

/// The number of a node; `what` names it in the message of an Error(config).
double toml_number(const TomlNode& node, const std::string& what);

}  // namespace afterspike::io
