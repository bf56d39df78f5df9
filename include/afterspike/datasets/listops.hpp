#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/base/rng.hpp"

/// Nested operations on lists of digits (Nangia and Bowman 2018) in the form of Long Range Arena
/// (Tay et al. 2021): "[MAX 4 3 [MIN 2 3 ] 1 0 ]" is 4.
namespace afterspike::datasets {

/// Tokens 0 to 9 are digits; then come the operators, and the end of a list.
inline constexpr std::uint8_t kListOpsMin = 10, kListOpsMax = 11, kListOpsMedian = 12,
                              kListOpsSumModulo = 13, kListOpsEnd = 14;
inline constexpr std::int64_t kListOpsTokens = 15;

/// The grammar. An expression less than max_depth deep (the whole has depth 1) is a list with
/// probability 1/4, else a digit; a list is one of the four operators, 2 to max_arguments
/// expressions and the end. The whole has more than min_length and fewer than max_length tokens.
struct ListOpsGrammar {
  std::int64_t max_depth = 10, max_arguments = 10;
  std::int64_t min_length = 500, max_length = 2000;
};

struct ListOpsExpression {
  std::vector<std::uint8_t> tokens;
  std::uint8_t value = 0;  ///< 0 to 9. Medians are rounded down, sums taken modulo 10.
};

/// Draws an expression: trees until one has a length within the bounds. Throws Error(config) after
/// a million trees without one.
ListOpsExpression draw_listops(const ListOpsGrammar& grammar, Rng& rng);

/// Draws sets of expressions of these sizes without duplicates in or across sets. Each set has its
/// own stream and depends on earlier sets only through the exclusion of their expressions. Throws
/// Error(config) if so many do not seem to exist.
std::vector<std::vector<ListOpsExpression>> draw_listops_sets(
    const ListOpsGrammar& grammar, const std::vector<std::int64_t>& sizes, const Rng& rng);

/// Returns the value of an expression in tokens. Throws Error(data) if they are not an expression.
std::uint8_t listops_value(const std::vector<std::uint8_t>& tokens);

}  // namespace afterspike::datasets
