#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace afterspike::spiking {

/// A number, an array of numbers, or rows of as many numbers each.
struct Value {
  std::vector<std::size_t> shape = {};  ///< Empty: a number.
  std::vector<double> numbers = {0};    ///< Row after row.

  Value() = default;
  Value(double number) : numbers{number} {}
  Value(std::vector<std::size_t> extents, std::vector<double> all)
      : shape(std::move(extents)), numbers(std::move(all)) {}

  bool operator==(const Value&) const = default;
};

using Values = std::map<std::string, Value, std::less<>>;

/// Value of an arithmetic expression: numbers, names, + - * / ^, parentheses, and the functions
/// sqrt, exp, log, round, floor, ceil, abs, min, max, sum. Arrays are combined entry by entry, with
/// a number for all entries, or with rows for each of them; `sum` adds the entries of each row, or
/// of an array. Throws Error(config) that shows the expression, its fault, and the known names for
/// an unknown one.
Value evaluate(std::string_view expression, const Values& names);

}  // namespace afterspike::spiking
