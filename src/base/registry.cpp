#include "afterspike/base/registry.hpp"

#include <algorithm>

namespace afterspike {
namespace {

/// Letters inserted, removed, replaced, or swapped with their neighbour.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> cost(left.size() + 1,
                                             std::vector<std::size_t>(right.size() + 1));
  for (std::size_t i = 0; i <= left.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= right.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = cost[i - 1][j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      cost[i][j] = std::min({replaced, cost[i - 1][j] + 1, cost[i][j - 1] + 1});
      const bool swapped =
          i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[left.size()][right.size()];
}

/// Returns whether `name` abbreviates `candidate` by the initials of its words: "lr" and
/// "learning_rate", "train.lr" and "train.learning_rate".
bool abbreviates(std::string_view name, std::string_view candidate) {
  const auto dot = name.rfind('.');
  const std::size_t begin = dot == name.npos ? 0 : dot + 1;
  if (candidate.substr(0, begin) != name.substr(0, begin)) return false;
  std::string initials;
  bool starts_word = true;
  for (const char letter : candidate.substr(begin)) {
    if (letter == '.') return false;
    const bool separates = letter == '_' || letter == '-';
    if (starts_word && !separates) initials += letter;
    starts_word = separates;
  }
  return initials.size() > 1 && initials == name.substr(begin);
}

}  // namespace

std::string closest(std::string_view name, std::span<const std::string_view> candidates) {
  for (const std::string_view candidate : candidates) {
    if (abbreviates(name, candidate)) return std::string(candidate);
  }
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string best = closest(name, candidates);
  return best.empty() ? "" : fmt::format(" (did you mean '{}'?)", best);
}

}  // namespace afterspike
