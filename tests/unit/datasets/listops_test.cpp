#include "afterspike/datasets/listops.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/spike_files.hpp"

namespace afterspike::datasets {
namespace {

using testing::expect_error;
using Tokens = std::vector<std::uint8_t>;

/// Converts "[MAX 4 [SM 2 3 ] ]", the published notation, to tokens.
Tokens tokens_of(const std::string& text) {
  static const std::map<std::string, std::uint8_t> kWords = {{"[MIN", kListOpsMin},
                                                             {"[MAX", kListOpsMax},
                                                             {"[MED", kListOpsMedian},
                                                             {"[SM", kListOpsSumModulo},
                                                             {"]", kListOpsEnd}};
  Tokens tokens;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto found = kWords.find(word);
    tokens.push_back(found != kWords.end() ? found->second
                                           : static_cast<std::uint8_t>(std::stoi(word)));
  }
  return tokens;
}

std::vector<ListOpsExpression> draw(const ListOpsGrammar& grammar, std::int64_t count,
                                    std::uint64_t seed) {
  return draw_listops_sets(grammar, {count}, Rng(seed)).front();
}

TEST(ListOps, OperatorsDoWhatTheirNamesSay) {
  const std::vector<std::pair<std::string, int>> table = {
      {"7", 7},
      {"[MIN 4 2 9 ]", 2},
      {"[MAX 4 2 9 ]", 9},
      {"[SM 4 2 9 ]", 5},
      {"[MED 4 2 9 ]", 4},
      {"[MED 4 1 ]", 2},
      {"[MED 9 1 8 2 ]", 5},
      {"[MAX 4 3 [MIN 2 3 ] 1 0 ]", 4},
      {"[SM [MED 5 8 ] [MAX 0 [SM 9 9 ] ] 3 ]", 7}};
  for (const auto& [text, value] : table) EXPECT_EQ(listops_value(tokens_of(text)), value) << text;
}

TEST(ListOps, WhatIsNoExpressionIsRefused) {
  for (const std::string text :
       {"", "]", "[MIN ]", "[MIN 2", "[MIN 2 3 ] 4", "2 3", "[MIN [MAX 2 ] 1"}) {
    expect_error(ErrorKind::data, {"listops: "},
                 [&, given = text] { listops_value(tokens_of(given)); });
  }
}

TEST(ListOps, ExpressionsObeyTheGrammar) {
  const ListOpsGrammar grammar{
      .max_depth = 5, .max_arguments = 4, .min_length = 12, .max_length = 40};
  std::set<std::size_t> lengths;
  int deepest = 0;
  for (const ListOpsExpression& expression : draw(grammar, 2000, 1)) {
    EXPECT_EQ(expression.value, listops_value(expression.tokens));
    lengths.insert(expression.tokens.size());
    std::vector<int> arguments;  // Arguments of each open list.
    for (const std::uint8_t token : expression.tokens) {
      if (token == kListOpsEnd) {
        EXPECT_GE(arguments.back(), 2);
        EXPECT_LE(arguments.back(), 4);
        arguments.pop_back();
        continue;
      }
      if (!arguments.empty()) ++arguments.back();
      if (token >= kListOpsMin) arguments.push_back(0);
      deepest = std::max(deepest, static_cast<int>(arguments.size()));
    }
    EXPECT_TRUE(arguments.empty());
  }
  EXPECT_EQ(*lengths.begin(), 13U);
  EXPECT_EQ(*lengths.rbegin(), 39U);
  EXPECT_EQ(deepest, 4) << "at the largest depth there are digits only";
}

TEST(ListOps, SetsShareNothingAndDoNotDependOnLaterOnes) {
  // Short expressions, so that duplicates would occur.
  const ListOpsGrammar grammar{
      .max_depth = 3, .max_arguments = 3, .min_length = 3, .max_length = 6};
  const auto sets = draw_listops_sets(grammar, {100, 50, 700}, Rng(1));
  const auto fewer = draw_listops_sets(grammar, {100, 50}, Rng(1));
  std::set<std::string> seen;
  for (std::size_t set = 0; set < 3; ++set) {
    for (std::size_t i = 0; i < sets[set].size(); ++i) {
      const Tokens& tokens = sets[set][i].tokens;
      EXPECT_TRUE(seen.emplace(tokens.begin(), tokens.end()).second);
      if (set < fewer.size()) {
        EXPECT_EQ(fewer[set][i].tokens, tokens);
      }
    }
  }
  EXPECT_EQ(seen.size(), 850U);
  EXPECT_NE(draw_listops_sets(grammar, {1}, Rng(2))[0][0].tokens, sets[0][0].tokens);
}

TEST(ListOps, WhatCannotBeDrawnIsAnError) {
  const ListOpsGrammar never{.max_depth = 2, .max_arguments = 2, .min_length = 10};
  expect_error(ErrorKind::config, {"more than 10 and fewer than 2000 tokens"},
               [&] { draw(never, 1, 1); });
  const ListOpsGrammar digits{.max_depth = 1, .max_arguments = 2, .min_length = 0};
  EXPECT_EQ(draw(digits, 10, 1).size(), 10U);
  expect_error(ErrorKind::config, {"hardly more than 10 different expressions"},
               [&] { draw(digits, 11, 1); });
}

/// The 400 samples of an independent generator.
std::vector<ListOpsExpression> reference(const std::filesystem::path& path) {
  std::vector<ListOpsExpression> samples;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // Names of columns.
  while (std::getline(file, line)) {
    const std::size_t tab = line.find('\t');
    samples.push_back({tokens_of(line.substr(0, tab)),
                       static_cast<std::uint8_t>(std::stoi(line.substr(tab + 1)))});
  }
  return samples;
}

/// Returns the sum over two samples of counts that would differ by chance as chi-square.
double chi_square(const std::vector<double>& a, const std::vector<double>& b) {
  double all_a = 0, all_b = 0, sum = 0;
  for (const double count : a) all_a += count;
  for (const double count : b) all_b += count;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double share = (a[i] + b[i]) / (all_a + all_b);
    if (share == 0) continue;
    sum += std::pow(a[i] - share * all_a, 2) / (share * all_a) +
           std::pow(b[i] - share * all_b, 2) / (share * all_b);
  }
  return sum;
}

std::vector<double> lengths_of(const std::vector<ListOpsExpression>& samples) {
  std::vector<double> lengths;
  for (const auto& sample : samples) lengths.push_back(static_cast<double>(sample.tokens.size()));
  std::sort(lengths.begin(), lengths.end());
  return lengths;
}

/// Returns the largest distance of two distribution functions (Kolmogorov and Smirnov).
double largest_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (const auto* sample : {&a, &b}) {
    for (const double value : *sample) {
      const auto below = [&](const std::vector<double>& all) {
        return static_cast<double>(std::upper_bound(all.begin(), all.end(), value) - all.begin()) /
               static_cast<double>(all.size());
      };
      largest = std::max(largest, std::abs(below(a) - below(b)));
    }
  }
  return largest;
}

/// All statistics lie within a bound that a thousand pairs of samples exceed once.
TEST(ListOpsData, AgreesWithAnIndependentGenerator) {
  const auto path = testing::shared_data("lra/listops_sample.tsv");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
  const auto expected = reference(path), found = draw({}, 2000, 1);
  ASSERT_EQ(expected.size(), 400U);
  for (const auto& sample : expected) EXPECT_EQ(listops_value(sample.tokens), sample.value);

  const auto a = lengths_of(found), b = lengths_of(expected);
  constexpr double kAlpha = 0.001;
  const double sizes = 1.0 / 2000 + 1.0 / 400;
  EXPECT_LT(largest_distance(a, b), std::sqrt(-0.5 * std::log(kAlpha / 2) * sizes));

  const auto counts = [](const auto& samples, std::size_t kinds, auto kind) {
    std::vector<double> count(kinds);
    for (const auto& sample : samples) ++count[kind(sample)];
    return count;
  };
  const auto label = [](const auto& sample) { return std::size_t{sample.value}; };
  constexpr double kChiSquare9 = 27.88, kChiSquare3 = 16.27;  // Exceeded once in a thousand.
  EXPECT_LT(chi_square(counts(found, 10, label), counts(expected, 10, label)), kChiSquare9);
  const auto operation = [](const auto& sample) {
    return std::size_t{sample.tokens.front()} - kListOpsMin;
  };
  EXPECT_LT(chi_square(counts(found, 4, operation), counts(expected, 4, operation)), kChiSquare3);
}

}  // namespace
}  // namespace afterspike::datasets
