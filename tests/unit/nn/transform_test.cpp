#include "afterspike/nn/transform.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/gradient_check.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;

at::Tensor limits() {
  return at::tensor({0.02, 0.4, 3.0, 20.0, 60.0}, at::kDouble);
}

struct Named {
  std::string text;
  Transform transform;
  at::Tensor limit;
};

std::vector<Named> transforms() {
  return {{"identity", Transform::identity(), {}},
          {"scaled(4000)", Transform::scaled(4000), {}},
          {"bounded(0, 20)", Transform::bounded(0, 20), {}},
          {"bounded(1, -1)", Transform::bounded(1, -1), {}},
          {"bounded(-1, min(1, 0.05 k))", Transform::bounded_by(-1, 0.05, "k"), limits()},
          {"scaled(200 k)", Transform::scaled_by(200, "k"), limits()},
          {"below(-30, k)", Transform::below(-30, "k"), limits()}};
}

TEST(Transform, GoesThereAndBack) {
  const at::Tensor raw = at::linspace(-15, 15, 5 * 201, at::kDouble).reshape({201, 5});
  for (const Named& named : transforms()) {
    const at::Tensor physical = named.transform.to_physical(raw, named.limit);
    const at::Tensor back = named.transform.to_raw(physical, named.limit);
    // Beside a bound 1 - sigmoid(15) = 3e-7 has lost seven digits.
    expect_close(back, raw, 1e-9, named.text);
    expect_close(named.transform.to_physical(back, named.limit), physical, 1e-13, named.text);
  }
}

TEST(Transform, IsExactNearTheBoundWhereItCanBe) {
  const Transform rate = Transform::bounded(0, 20);
  const at::Tensor tiny = at::tensor({1e-300, 1e-12, 1e-3}, at::kDouble);
  expect_close(rate.to_physical(rate.to_raw(tiny)) / tiny, at::ones({3}, at::kDouble), 1e-12, "k");
}

TEST(Transform, FollowsItsFormula) {
  const at::Tensor raw = at::tensor({-3.0, -0.5, 0.0, 1.0, 4.0}, at::kDouble);
  const at::Tensor sigmoid = 1 / (1 + (-raw).exp());
  const auto all = transforms();
  expect_close(all[0].transform.to_physical(raw), raw, 0, all[0].text);
  expect_close(all[1].transform.to_physical(raw), 4000 * raw, 0, all[1].text);
  expect_close(all[2].transform.to_physical(raw), 20 * sigmoid, 1e-15, all[2].text);
  expect_close(all[3].transform.to_physical(raw), 1 - 2 * sigmoid, 1e-15, all[3].text);
  const at::Tensor end = at::tensor({0.001, 0.02, 0.15, 1.0, 1.0}, at::kDouble);
  expect_close(all[4].transform.to_physical(raw, limits()), -1 + (end + 1) * sigmoid, 1e-15,
               all[4].text);
  expect_close(all[5].transform.to_physical(raw, limits()), 200 * limits() * raw, 1e-15,
               all[5].text);
  expect_close(all[6].transform.to_physical(raw, limits()), -30 + (limits() + 30) * sigmoid, 1e-15,
               all[6].text);
}

TEST(Transform, TextsAreThoseOfTheHeaderAndTellTransformsApart) {
  for (const Named& named : transforms()) EXPECT_EQ(named.transform.text(), named.text);
  EXPECT_EQ(Transform::bounded_by(-1, 0.05, "k").limit_name(), "k");
  EXPECT_EQ(Transform::bounded(-1, 1).limit_name(), "");
}

TEST(Transform, IsDifferentiableInRawValueAndLimit) {
  const at::Tensor raw = testing::uniform_tensor({3, 5}, Rng(1), -2, 2);
  const at::Tensor limit = at::tensor({0.02, 0.4, 3.0, 19.0, 60.0}, at::kDouble);
  const Transform transform = Transform::bounded_by(-1, 0.05, "k");
  testing::expect_gradients([&] { return transform.to_physical(raw, limit).square().sum(); },
                            {{"raw", raw}, {"limit", limit}});
}

TEST(Transform, StaysWithinItsBoundsForAnyRawValue) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor raw = at::tensor({-1e30, -1e3, 0.0, 1e3, 1e30}, type);
    const at::Tensor rate = Transform::bounded(0, 20).to_physical(raw);
    EXPECT_TRUE(((rate >= 0) & (rate <= 20)).all().item<bool>()) << rate;
    const at::Tensor multiplicative = Transform::bounded(1, -1).to_physical(raw);
    EXPECT_TRUE((multiplicative.abs() <= 1).all().item<bool>()) << multiplicative;
  }
}

TEST(Transform, ValuesOutsideTheOpenIntervalAreRefused) {
  struct Bad {
    Transform transform;
    double value;
    double limit;  ///< 0: no limit.
    std::string part;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Bad> table = {
      {Transform::bounded(0, 20), 0, 0, "value 0 lies outside bounded(0, 20): expected between 0"},
      {Transform::bounded(0, 20), 20, 0, "expected between 0 and 20, both excluded"},
      {Transform::bounded(0, 20), -0.5, 0, "value -0.5"},
      {Transform::bounded(0, 20), 21, 0, "value 21"},
      {Transform::bounded(0, 20), nan, 0, "value nan"},
      {Transform::bounded(1, -1), 1, 0, "value 1 lies outside bounded(1, -1)"},
      {Transform::bounded(1, -1), -1.25, 0, "value -1.25"},
      {Transform::bounded_by(-1, 0.5, "k"), 0.25, 0.5, "expected between -1 and 0.25"},
      {Transform::bounded_by(-1, 0.5, "k"), 0.5, 0.5, "bounded(-1, min(1, 0.5 k))"},
      {Transform::bounded_by(-1, 0.5, "k"), 1, 100, "expected between -1 and 1"},
      {Transform::below(-1, "k"), 5, 5, "below(-1, k): expected between -1 and 5"}};
  for (const Bad& bad : table) {
    const at::Tensor value = at::full({1}, bad.value, at::kDouble);
    const at::Tensor limit = bad.limit > 0 ? at::full({1}, bad.limit, at::kDouble) : at::Tensor();
    testing::expect_error(ErrorKind::config, {bad.part},
                          [&] { bad.transform.to_raw(value, limit); });
  }
}

}  // namespace
}  // namespace afterspike::nn
