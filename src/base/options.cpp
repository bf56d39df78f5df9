#include "afterspike/base/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"

namespace afterspike::options {
namespace {

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const bool plus = text.starts_with('+') && !text.starts_with("+-");
  const auto [end, error] =
      std::from_chars(text.data() + (plus ? 1 : 0), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Returns true for a number beyond the range of its type.
bool is_too_large(std::string_view text) {
  const auto out_of_range = [text](auto number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc::result_out_of_range && end == text.data() + text.size();
  };
  return out_of_range(std::int64_t{}) || out_of_range(double{});
}

std::optional<std::vector<double>> numbers_of(std::string_view text) {
  std::vector<double> numbers;
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    const auto number = number_of<double>(word);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return numbers;
}

double number_in(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nan("");
}

bool is_finite(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return std::isfinite(*number);
  const auto* numbers = std::get_if<std::vector<double>>(&value);
  return numbers == nullptr || std::all_of(numbers->begin(), numbers->end(),
                                           [](double number) { return std::isfinite(number); });
}

std::string normal_path(std::string_view path) {
  std::string normal(path);
  for (char& letter : normal) letter = letter == '-' ? '_' : letter;
  return normal;
}

/// Describes a value of the wrong kind: 'a text, "3"'.
std::string found_text(const Value& value) {
  const std::string plain = text(value);
  if (std::holds_alternative<std::int64_t>(value)) return "an integer, " + plain;
  if (std::holds_alternative<std::string>(value)) return "a text, \"" + plain + '"';
  if (std::holds_alternative<std::vector<double>>(value)) return "numbers, " + plain;
  if (!std::holds_alternative<double>(value)) return plain;
  const bool whole = plain.find_first_of(".en") == std::string::npos;
  return "a number with a point, " + plain + (whole ? ".0" : "");
}

}  // namespace

std::string text(const Value& value) {
  struct Text {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::string& words) const { return words; }
    std::string operator()(const std::vector<double>& numbers) const {
      return fmt::format("[{}]", fmt::join(numbers, ", "));
    }
  };
  return std::visit(Text{}, value);
}

void Field::set(const Value& given) const {
  Value value = given;
  // An integer counts as a number; a text does not.
  if (kind_ == Kind::number && std::holds_alternative<std::int64_t>(value)) {
    value = number_in(value);
  }
  const bool matches =
      (kind_ == Kind::boolean && std::holds_alternative<bool>(value)) ||
      (kind_ == Kind::integer && std::holds_alternative<std::int64_t>(value)) ||
      (kind_ == Kind::number && std::holds_alternative<double>(value)) ||
      (kind_ == Kind::text && std::holds_alternative<std::string>(value)) ||
      (kind_ == Kind::numbers && std::holds_alternative<std::vector<double>>(value));
  require(matches, ErrorKind::config, "option '{}': found {}; expected {}", path_,
          found_text(given), type_);
  require(is_finite(value), ErrorKind::config, "option '{}': found {}, expected a finite number",
          path_, text(value));
  for (const auto& check : checks_) {
    const std::string expectation = check(value);
    require(expectation.empty(), ErrorKind::config, "option '{}': found '{}', expected {}", path_,
            text(value), expectation);
  }
  write_(value);
}

void Field::set_text(std::string_view given) const {
  std::optional<Value> value;
  switch (kind_) {
    case Kind::boolean:
      if (given == "true" || given == "yes" || given == "on" || given == "1") value = true;
      if (given == "false" || given == "no" || given == "off" || given == "0") value = false;
      break;
    case Kind::integer:
      if (const auto number = number_of<std::int64_t>(given)) value = *number;
      break;
    case Kind::number:
      if (const auto number = number_of<double>(given)) value = *number;
      break;
    case Kind::numbers:
      if (auto numbers = numbers_of(given)) value = std::move(*numbers);
      break;
    case Kind::text:
      value = std::string(given);
      break;
  }
  require(value.has_value(), ErrorKind::config, "option '{}': found '{}', expected {}{}", path_,
          given, type_, is_too_large(given) ? " that this machine can hold" : "");
  set(*value);
}

Field& Field::at_least(double low) {
  return check([low, number = number_](const Value& value) {
    return number(value) >= low ? "" : fmt::format("{} or more", low);
  });
}

Field& Field::above(double low) {
  return check([low, number = number_](const Value& value) {
    return number(value) > low ? "" : fmt::format("more than {}", low);
  });
}

Field& Field::at_most(double high) {
  return check([high, number = number_](const Value& value) {
    return number(value) <= high ? "" : fmt::format("{} or less", high);
  });
}

Field& Field::below(double high) {
  return check([high, number = number_](const Value& value) {
    return number(value) < high ? "" : fmt::format("less than {}", high);
  });
}

Field& Field::bounded() {
  return at_least(-kLargest).at_most(kLargest);
}

Field& Field::one_of(std::vector<std::string> choices) {
  type_ = fmt::format("{}", fmt::join(choices, "|"));
  return check([choices = std::move(choices)](const Value& value) -> std::string {
    std::vector<std::string_view> names;
    const std::string word = text(value);
    for (const std::string& choice : choices) {
      if (choice == word) return "";
      names.push_back(choice);
    }
    return fmt::format("one of {}{}", fmt::join(choices, ", "), did_you_mean(word, names));
  });
}

Field& Field::check(std::function<std::string(const Value&)> expectation) {
  checks_.push_back(std::move(expectation));
  return *this;
}

const Field* Description::find_if(std::string_view path) const {
  const std::string normal = normal_path(path);
  for (const Field& field : fields_) {
    if (field.path() == normal) return &field;
  }
  return nullptr;
}

const Field& Description::find(std::string_view path) const {
  if (const Field* field = find_if(path)) return *field;
  std::vector<std::string_view> names;
  for (const Field& field : fields_) names.push_back(field.path());
  fail(ErrorKind::config, "no option called '{}'{}", path, did_you_mean(path, names));
}

Field& Section::add_field(std::string_view name, std::string_view help, Field::Kind kind,
                          std::string type) {
  Field field;
  field.path_ = prefix_ + std::string(name);
  field.help_ = help;
  field.kind_ = kind;
  field.type_ = std::move(type);
  field.number_ = number_in;
  require(description_.find_if(field.path_) == nullptr, ErrorKind::internal,
          "option '{}' is described twice", field.path_);
  return description_.fields().emplace_back(std::move(field));
}

Field& Section::add(std::string_view name, bool& member, std::string_view help) {
  Field& field = add_field(name, help, Field::Kind::boolean, "true|false");
  field.read_ = [&member] { return Value(member); };
  field.write_ = [&member](const Value& value) { member = std::get<bool>(value); };
  return field;
}

Field& Section::add(std::string_view name, std::int64_t& member, std::string_view help) {
  Field& field = add_field(name, help, Field::Kind::integer, "an integer");
  field.read_ = [&member] { return Value(member); };
  field.write_ = [&member](const Value& value) { member = std::get<std::int64_t>(value); };
  return field;
}

Field& Section::add(std::string_view name, double& member, std::string_view help) {
  Field& field = add_field(name, help, Field::Kind::number, "a number");
  field.read_ = [&member] { return Value(member); };
  field.write_ = [&member](const Value& value) { member = std::get<double>(value); };
  return field;
}

Field& Section::add(std::string_view name, std::string& member, std::string_view help) {
  return add_text(
      name, help, [&member] { return member; },
      [&member](const std::string& text) { member = text; });
}

Field& Section::add(std::string_view name, std::vector<double>& member, std::string_view help) {
  Field& field = add_field(name, help, Field::Kind::numbers, "numbers");
  field.read_ = [&member] { return Value(member); };
  field.write_ = [&member](const Value& value) { member = std::get<std::vector<double>>(value); };
  return field;
}

Field& Section::quantity(std::string_view name, double& member, std::string unit,
                         std::string_view help) {
  const std::string path = prefix_ + std::string(name);
  Field& field = add_text(
      name, help, [&member, unit] { return units::format(member, unit); },
      [&member, unit, path](const std::string& text) {
        member = units::parse(text, unit, fmt::format("option '{}'", path));
      });
  field.type_ = fmt::format("a quantity in {}", unit);
  field.number_ = [unit, path](const Value& value) {
    return units::parse(text(value), unit, fmt::format("option '{}'", path));
  };
  return field;
}

Field& Section::duration(std::string_view name, units::Duration& member, std::string_view help) {
  const std::string path = prefix_ + std::string(name);
  Field& field = add_text(
      name, help, [&member] { return member.text(); },
      [&member, path](const std::string& text) {
        member = units::Duration::parse(text, fmt::format("option '{}'", path));
      });
  field.type_ = "a duration such as '15ms' or '300steps'";
  return field;
}

Field& Section::add_text(std::string_view name, std::string_view help,
                         std::function<std::string()> read,
                         std::function<void(const std::string&)> write) {
  Field& field = add_field(name, help, Field::Kind::text, "text");
  field.read_ = [read = std::move(read)] { return Value(read()); };
  field.write_ = [write = std::move(write)](const Value& value) {
    write(std::get<std::string>(value));
  };
  return field;
}

}  // namespace afterspike::options
