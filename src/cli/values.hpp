#pragma once

#include <string>
#include <string_view>

#include "afterspike/io/json.hpp"

/// Results of commands as text. All digits are printed with --json only.
namespace afterspike::cli {

/// Returns a value as it is printed: "98.00 %" for fractions of samples, four significant digits
/// for other numbers with a fraction, and whole numbers, words and lists in full.
std::string value_text(std::string_view name, const io::Json& value);

/// Prints a result: as one JSON object, or a line for each member.
void print_result(const io::Json& result, bool json);

}  // namespace afterspike::cli
