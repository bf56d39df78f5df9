#pragma once

#include <map>
#include <string>
#include <string_view>

namespace afterspike::spiking {

/// Value of an arithmetic expression: numbers, names, + - * / ^, parentheses, and the functions
/// sqrt, exp, log, round, floor, ceil, abs, min, max. Throws Error(config) that shows the
/// expression, its fault, and the known names for an unknown one.
double evaluate(std::string_view expression,
                const std::map<std::string, double, std::less<>>& names);

}  // namespace afterspike::spiking
