#include "afterspike/nn/parameter.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

bool same(const Initial& a, const Initial& b) {
  return a.kind == b.kind && a.first == b.first && a.second == b.second;
}

TEST(Initial, ReadsWhatTheHeaderSays) {
  const std::vector<std::pair<std::string, Initial>> table = {
      {"0.05", Initial::constant(0.05)},
      {"-3e-2", Initial::constant(-0.03)},
      {" 7 ", Initial::constant(7)},
      {"uniform(-0.01, 0.01)", Initial::uniform(-0.01, 0.01)},
      {"uniform(2,2)", Initial::uniform(2, 2)},
      {"log_uniform( 0.01 , 1 )", Initial::log_uniform(0.01, 1)},
      {"normal(1, 0.1)", Initial::normal(1, 0.1)},
      {"normal(-1, 0)", Initial::normal(-1, 0)},
      {"raw_normal(0, 1)", {Initial::Kind::raw_normal, 0, 1}},
      {"orthogonal(0.5)", {Initial::Kind::orthogonal, 0.5, 0}}};
  for (const auto& [text, expected] : table) {
    EXPECT_TRUE(same(Initial::parse(text, "x"), expected)) << text;
    EXPECT_TRUE(same(Initial::parse(expected.text(), "x"), expected)) << expected.text();
  }
}

TEST(Initial, RefusesOtherTextAndNamesTheOption) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "expected a number"},
      {"one", "expected a number"},
      {"0.05 mV", "expected a number"},
      {"nan", "expected a number"},
      {"inf", "expected a number"},
      {"uniform", "uniform(low, high)"},
      {"uniform(1)", "uniform(low, high)"},
      {"uniform(1, 2, 3)", "uniform(low, high)"},
      {"uniform(1, 2", "uniform(low, high)"},
      {"uniform(1, 2) x", "uniform(low, high)"},
      {"uniform(0, inf)", "uniform(low, high)"},
      {"gamma(1, 2)", "log_uniform(low, high)"},
      {"orthogonal", "expected orthogonal(gain)"},
      {"orthogonal(1, 2)", "expected orthogonal(gain)"},
      {"uniform(1, 0)", "expected low <= high"},
      {"log_uniform(0, 1)", "above 0 for log_uniform"},
      {"log_uniform(-1, 1)", "above 0 for log_uniform"},
      {"log_uniform(2, 1)", "expected low <= high"},
      {"normal(0, -1)", "a standard deviation of 0 or more"},
      {"raw_normal(0, -0.1)", "a standard deviation of 0 or more"}};
  for (const auto& [text, part] : table) {
    testing::expect_error(ErrorKind::config, {"the option", "'" + text + "'", part},
                          [&] { Initial::parse(text, "the option"); });
  }
}

/// Mean and standard deviation of many draws, and their extremes.
struct Moments {
  double mean, deviation, least, greatest;
};

constexpr std::int64_t kDraws = 40000;

Moments moments(const at::Tensor& values) {
  return {values.mean().item<double>(), values.std().item<double>(), values.min().item<double>(),
          values.max().item<double>()};
}

TEST(Initial, DrawsTheDistributionThatItNames) {
  struct Expected {
    Initial initial;
    bool logarithm;  ///< Whether these are the moments of the logarithm.
    double mean, deviation;
  };
  const double third = 1 / std::sqrt(12.0);
  const std::vector<Expected> table = {
      {Initial::uniform(-1, 3), false, 1, 4 * third},
      {Initial::log_uniform(0.01, 1), true, std::log(0.1), std::log(100.0) * third},
      {Initial::normal(2, 0.5), false, 2, 0.5},
      {{Initial::Kind::raw_normal, -1, 2}, false, -1, 2}};
  for (const Expected& expected : table) {
    SCOPED_TRACE(expected.initial.text());
    const at::Tensor values = expected.initial.draw({kDraws}, Rng(9));
    const Moments found = moments(expected.logarithm ? values.log() : values);
    const double error = expected.deviation / std::sqrt(static_cast<double>(kDraws));
    EXPECT_NEAR(found.mean, expected.mean, 5 * error);
    EXPECT_NEAR(found.deviation, expected.deviation, 5 * error);
  }
  const Moments uniform = moments(Initial::uniform(-1, 3).draw({kDraws}, Rng(9)));
  EXPECT_GE(uniform.least, -1);
  EXPECT_LT(uniform.greatest, 3);
  const Moments logarithmic = moments(Initial::log_uniform(0.01, 1).draw({kDraws}, Rng(9)));
  EXPECT_GE(logarithmic.least, 0.01 * (1 - 1e-12));
  EXPECT_LT(logarithmic.greatest, 1);
}

TEST(Initial, OrthogonalMatricesAreOrthogonal) {
  const Initial initial{Initial::Kind::orthogonal, 0.5, 0};
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{30, 30}, {7, 19}, {19, 7}}) {
    const at::Tensor matrix = initial.draw(shape, Rng(3));
    EXPECT_EQ(matrix.sizes(), at::IntArrayRef(shape));
    // The fewer of rows and columns are orthogonal, each as long as the gain.
    const at::Tensor product =
        shape[0] <= shape[1] ? at::matmul(matrix, matrix.t()) : at::matmul(matrix.t(), matrix);
    testing::expect_close(product, 0.25 * at::eye(product.size(0), at::kDouble), 1e-13, "product");
    EXPECT_FALSE(at::equal(initial.draw(shape, Rng(4)), matrix));
  }
  testing::expect_error(ErrorKind::config, {"orthogonal", "matrix", "1 dimensions"},
                        [&] { initial.draw({4}, Rng(1)); });
}

TEST(Initial, OrthogonalMatricesFavourNoDirection) {
  // Entries of a random rotation of n dimensions have mean 0 and variance 1 / n.
  const Initial initial{Initial::Kind::orthogonal, 1, 0};
  at::Tensor sum = at::zeros({3, 3}, at::kDouble);
  at::Tensor squares = at::zeros({3, 3}, at::kDouble);
  const std::int64_t draws = 4000;
  for (std::int64_t i = 0; i < draws; ++i) {
    const at::Tensor matrix =
        initial.draw({3, 3}, Rng(1).stream("draw", static_cast<std::uint64_t>(i)));
    sum += matrix;
    squares += matrix.square();
  }
  const double error = 1 / std::sqrt(static_cast<double>(draws));
  EXPECT_LT((sum / draws).abs().max().item<double>(), 5 * error);
  EXPECT_LT((squares / draws - 1.0 / 3).abs().max().item<double>(), 5 * error);
}

TEST(Initial, DrawsInTheShapeAndDependsOnTheStreamOnly) {
  const Initial normal = Initial::normal(0, 1);
  const at::Tensor values = normal.draw({3, 5}, Rng(1).stream("a"));
  EXPECT_EQ(values.sizes(), at::IntArrayRef({3, 5}));
  EXPECT_EQ(values.scalar_type(), at::kDouble);
  testing::expect_same(normal.draw({3, 5}, Rng(1).stream("a")), values, "the same stream");
  EXPECT_FALSE(at::equal(normal.draw({3, 5}, Rng(1).stream("b")), values));
  EXPECT_FALSE(at::equal(normal.draw({3, 5}, Rng(2).stream("a")), values));
  testing::expect_same(Initial::constant(0.25).draw({2, 2}, Rng(1)),
                       at::full({2, 2}, 0.25, at::kDouble), "a constant");
}

TEST(ParameterGroup, HasNames) {
  EXPECT_EQ(group_name(ParameterGroup::intrinsic), "intrinsic");
  EXPECT_EQ(group_name(ParameterGroup::weight), "weight");
  EXPECT_EQ(group_name(ParameterGroup::bias), "bias");
}

}  // namespace
}  // namespace afterspike::nn
