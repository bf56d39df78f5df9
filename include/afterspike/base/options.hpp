#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "afterspike/base/error.hpp"
#include "afterspike/base/units.hpp"

/// Options structs are described once; TOML keys, command-line flags, help with defaults, range
/// checks and the dump of the resolved configuration are derived from the description.
///
///   void TrainOptions::describe(options::Section& section) {
///     section.add("epochs", epochs, "Passes over the training data.").at_least(0);
///     section.quantity("time_limit", time_limit_s, "s", "Stop and save after this long.");
///   }
namespace afterspike::options {

/// Max size of an option that is bounded(), in its unit.
inline constexpr double kLargest = 1e9;
/// Min size of a divisor.
inline constexpr double kSmallest = 1e-9;

/// Value of an option, as text files and flags represent it.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>>;

/// Returns a value as people write it: "42", "true", "adam", "[0, 0.5]".
std::string text(const Value& value);

/// One option: its path, what it means, and access to the member that it describes.
class Field {
 public:
  const std::string& path() const { return path_; }  ///< "train.epochs"
  const std::string& help() const { return help_; }
  /// "integer", "number", "text", "true|false", "numbers", "quantity in ms", "a|b|c".
  const std::string& type() const { return type_; }

  /// Returns the member's current value; a quantity as text with its unit.
  Value value() const { return read_(); }

  /// Writes the member. Throws Error(config) that names path, value and expectation.
  void set(const Value& value) const;

  /// Writes the member from the text of a flag: "300", "true", "15 ms", "0,0.2,0.4".
  void set_text(std::string_view text) const;

  /// Checks that run whenever the value is set. For numbers and quantities (in their unit) only.
  Field& at_least(double low);
  Field& above(double low);
  Field& at_most(double high);
  Field& below(double high);
  /// Limits the size to kLargest. A larger value is a slip, and would soon exceed single precision.
  Field& bounded();
  /// Limits a text to these choices.
  Field& one_of(std::vector<std::string> choices);
  /// Adds a check: `expectation` returns what was expected, or "" if the value is valid.
  Field& check(std::function<std::string(const Value&)> expectation);

 private:
  friend class Section;
  enum class Kind { boolean, integer, number, text, numbers };

  std::string path_, help_, type_;
  Kind kind_ = Kind::text;
  std::function<Value()> read_;
  std::function<void(const Value&)> write_;
  std::function<double(const Value&)> number_;  ///< Value that the range checks compare.
  std::vector<std::function<std::string(const Value&)>> checks_;
};

/// All options of a program or command, in the order in which they were described. It refers to the
/// structs that were described and must not outlive them.
class Description {
 public:
  const std::vector<Field>& fields() const { return fields_; }
  std::vector<Field>& fields() { return fields_; }

  /// Returns the field at `path`; '-' and '_' are equivalent. Throws Error(config) "no option 'x'
  /// (did you mean 'y'?)".
  const Field& find(std::string_view path) const;

  /// As find(), but returns null if there is none.
  const Field* find_if(std::string_view path) const;

 private:
  std::vector<Field> fields_;
};

/// A named group of options, in which a struct describes its members.
class Section {
 public:
  /// Adds options to `description` under "name." (at the top if the name is empty).
  Section(Description& description, std::string name)
      : description_(description), prefix_(name.empty() ? "" : std::move(name) + ".") {}

  Section section(std::string_view name) const {
    return Section(description_, prefix_ + std::string(name));
  }

  /// Adds an option. The returned reference is valid until the next option is added.
  Field& add(std::string_view name, bool& member, std::string_view help);
  Field& add(std::string_view name, std::int64_t& member, std::string_view help);
  Field& add(std::string_view name, double& member, std::string_view help);
  Field& add(std::string_view name, std::string& member, std::string_view help);
  Field& add(std::string_view name, std::vector<double>& member, std::string_view help);

  /// Adds a double in `unit`, written with its unit ("0.05 ms").
  Field& quantity(std::string_view name, double& member, std::string unit, std::string_view help);

  /// Adds a duration in physical time or in steps ("15 ms", "300 steps").
  Field& duration(std::string_view name, units::Duration& member, std::string_view help);

  /// Adds an enumeration, written as one of the names.
  template <typename Enum>
  Field& choice(std::string_view name, Enum& member,
                std::vector<std::pair<std::string, Enum>> names, std::string_view help) {
    std::vector<std::string> words;
    for (const auto& [word, value] : names) words.push_back(word);
    return add_text(
               name, help,
               [&member, names] {
                 for (const auto& [word, value] : names) {
                   if (value == member) return word;
                 }
                 return std::string();
               },
               [&member, names](const std::string& text) {
                 for (const auto& [word, value] : names) {
                   if (word == text) member = value;
                 }
               })
        .one_of(std::move(words));
  }

  /// Adds a member of any type that is written as text. `write` may throw Error(config).
  Field& add_text(std::string_view name, std::string_view help, std::function<std::string()> read,
                  std::function<void(const std::string&)> write);

 private:
  Field& add_field(std::string_view name, std::string_view help, Field::Kind kind,
                   std::string type);

  Description& description_;
  std::string prefix_;
};

}  // namespace afterspike::options
