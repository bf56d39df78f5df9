#pragma once

#include <string_view>

#include "afterspike/analysis/silencing_summary.hpp"

namespace afterspike::cli {

/// Prints the curves of one measure of a study, with the comparison of groups.
void print_summary(const analysis::SilencingSummary& summary, std::string_view metric);

}  // namespace afterspike::cli
