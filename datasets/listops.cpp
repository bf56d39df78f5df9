#include "afterspike/datasets/listops.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "afterspike/base/error.hpp"

namespace afterspike::datasets {
namespace {

constexpr double kListProbability = 0.25;
constexpr std::int64_t kMaxTrees = 1'000'000;

std::uint8_t value_of(std::uint8_t operation, std::span<std::uint8_t> arguments) {
  switch (operation) {
    case kListOpsMin:
      return *std::min_element(arguments.begin(), arguments.end());
    case kListOpsMax:
      return *std::max_element(arguments.begin(), arguments.end());
    case kListOpsMedian: {
      std::sort(arguments.begin(), arguments.end());
      const std::size_t half = arguments.size() / 2;
      if (arguments.size() % 2 == 1) return arguments[half];
      return static_cast<std::uint8_t>((arguments[half - 1] + arguments[half]) / 2);
    }
    default:
      return static_cast<std::uint8_t>(std::accumulate(arguments.begin(), arguments.end(), 0) % 10);
  }
}

/// Draws one tree; stops when it is too long.
class Tree {
 public:
  Tree(const ListOpsGrammar& grammar, Rng& rng) : grammar_(grammar), rng_(rng) {}

  /// Appends an expression to the tokens; returns false if there are too many.
  bool grow(std::int64_t depth, std::vector<std::uint8_t>& tokens, std::uint8_t& value) {
    if (std::ssize(tokens) + 1 >= grammar_.max_length) return false;
    if (depth >= grammar_.max_depth || rng_.uniform() > kListProbability) {
      value = static_cast<std::uint8_t>(rng_.below(10));
      tokens.push_back(value);
      return true;
    }
    const auto choices = static_cast<std::uint64_t>(grammar_.max_arguments - 1);
    const std::uint64_t arguments = 2 + rng_.below(choices);
    const auto operation = static_cast<std::uint8_t>(kListOpsMin + rng_.below(4));
    tokens.push_back(operation);
    std::vector<std::uint8_t> values(arguments);
    for (std::uint8_t& argument : values) {
      if (!grow(depth + 1, tokens, argument)) return false;
    }
    tokens.push_back(kListOpsEnd);
    value = value_of(operation, values);
    return std::ssize(tokens) < grammar_.max_length;
  }

 private:
  const ListOpsGrammar& grammar_;
  Rng& rng_;
};

/// Parses the expression at `place`, and moves `place` behind it.
std::uint8_t parse(const std::vector<std::uint8_t>& tokens, std::size_t& place) {
  require(place < tokens.size(), ErrorKind::data, "listops: ends at token {}, expected more",
          place);
  const std::uint8_t token = tokens[place++];
  if (token < 10) return token;
  require(token < kListOpsEnd, ErrorKind::data,
          "listops: token {}: found {}, expected a digit or an operator", place - 1, token);
  std::vector<std::uint8_t> arguments;
  while (place < tokens.size() && tokens[place] != kListOpsEnd) {
    arguments.push_back(parse(tokens, place));
  }
  require(place < tokens.size() && !arguments.empty(), ErrorKind::data,
          "listops: token {}: found {}, expected arguments and the end of the list", place,
          place < tokens.size() ? "none" : "the end");
  ++place;
  return value_of(token, arguments);
}

std::string_view text_of(const std::vector<std::uint8_t>& tokens) {
  return {reinterpret_cast<const char*>(tokens.data()), tokens.size()};
}

}  // namespace

ListOpsExpression draw_listops(const ListOpsGrammar& grammar, Rng& rng) {
  require(grammar.min_length + 1 < grammar.max_length, ErrorKind::config,
          "listops: found more than {} and fewer than {} tokens; expected bounds with lengths "
          "between them",
          grammar.min_length, grammar.max_length);
  ListOpsExpression expression;
  for (std::int64_t tree = 0; tree < kMaxTrees; ++tree) {
    expression.tokens.clear();
    if (!Tree(grammar, rng).grow(1, expression.tokens, expression.value)) continue;
    if (std::ssize(expression.tokens) > grammar.min_length) return expression;
  }
  fail(ErrorKind::config,
       "listops: none of {} expressions has more than {} and fewer than {} tokens; expected other "
       "bounds, or deeper and longer lists",
       kMaxTrees, grammar.min_length, grammar.max_length);
}

std::vector<std::vector<ListOpsExpression>> draw_listops_sets(
    const ListOpsGrammar& grammar, const std::vector<std::int64_t>& sizes, const Rng& rng) {
  constexpr std::int64_t kMaxRepeats = 1000;
  // Views stay valid when vectors move, because their elements stay in place.
  std::set<std::string_view> seen;
  std::vector<std::vector<ListOpsExpression>> sets(sizes.size());
  for (std::size_t set = 0; set < sizes.size(); ++set) {
    Rng stream = rng.stream("set", set);
    std::int64_t repeats = 0;
    while (std::ssize(sets[set]) < sizes[set]) {
      ListOpsExpression expression = draw_listops(grammar, stream);
      if (seen.insert(text_of(expression.tokens)).second) {
        sets[set].push_back(std::move(expression));
        repeats = 0;
        continue;
      }
      require(++repeats < kMaxRepeats, ErrorKind::config,
              "listops: there are hardly more than {} different expressions of {} to {} tokens; "
              "expected fewer samples, or longer expressions",
              seen.size(), grammar.min_length + 1, grammar.max_length - 1);
    }
  }
  return sets;
}

std::uint8_t listops_value(const std::vector<std::uint8_t>& tokens) {
  std::size_t place = 0;
  const std::uint8_t value = parse(tokens, place);
  require(place == tokens.size(), ErrorKind::data,
          "listops: token {}: found more, expected the end of the expression", place);
  return value;
}

}  // namespace afterspike::datasets
