#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/kernels/workspace.hpp"
#include "examples.hpp"
#include "kernels/glifr_steps.hpp"

namespace afterspike::kernels {
namespace {

/// sigmoid(x) as a GLIFR neuron computes it that has nothing but a voltage of x.
template <typename T>
std::vector<T> sigmoids(std::vector<T> x) {
  const auto columns = rounded_up(static_cast<std::int64_t>(x.size()), kRowElements<T>);
  const Workspace memory(4 * (static_cast<std::size_t>(columns) * sizeof(T) + kFence));
  Arena arena(memory.data());
  const auto row_of = [&](T value) {
    T* row = arena.take<T>(columns);
    std::fill_n(row, columns, value);
    return row;
  };
  const T *zeros = row_of(0), *ones = row_of(1);
  T *voltage = row_of(0), *emitted = row_of(0);
  std::copy(x.begin(), x.end(), voltage);
  StepCoefficients<T> c;
  c.rows = 1;
  c.columns = c.width = columns;
  c.threshold = c.keep = c.gain = zeros;
  c.slope = ones;
  forward_steps(c, ForwardSteps<T>{1, zeros, zeros, voltage, emitted, nullptr, nullptr, {}});
  std::copy_n(emitted, x.size(), x.begin());
  return x;
}

/// The largest error where the exponential is finite, in units of the last place of the exact
/// value.
template <typename T>
double largest_error() {
  const double limit = sizeof(T) == 4 ? 87 : 705;
  std::vector<T> x;
  for (int i = -200'000; i <= 200'000; ++i) x.push_back(static_cast<T>(limit * i / 200'000));
  const std::vector<T> found = sigmoids(x);
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = 1 / (1 + std::exp(-static_cast<long double>(x[i])));
    const auto rounded = static_cast<T>(exact);
    const T unit = rounded - std::nextafter(rounded, T(0));
    const auto error = static_cast<double>(std::abs(found[i] - exact) / unit);
    // A neuron that is certain to fire may be rounded to 1, never above.
    EXPECT_LE(found[i], T(1)) << x[i];
    largest = std::max(largest, error);
  }
  return largest;
}

TEST(Sigmoid, IsWithinFourUnitsOfTheLastPlace) {
  with_each_target([](const char* name) {
    SCOPED_TRACE(name);
    EXPECT_LT(largest_error<float>(), 4);
    EXPECT_LT(largest_error<double>(), 4);
  });
}

template <typename T>
void expect_ends() {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T big = sizeof(T) == 4 ? T(1e30) : T(1e300);
  const std::vector<T> found =
      sigmoids<T>({-kInfinity, -big, big, kInfinity, std::numeric_limits<T>::quiet_NaN(), 0});
  const T least = sizeof(T) == 4 ? T(2e-38) : T(1e-300);
  for (int i : {0, 1}) EXPECT_LT(std::abs(found[static_cast<std::size_t>(i)]), least);
  for (int i : {2, 3}) EXPECT_EQ(found[static_cast<std::size_t>(i)], T(1));
  EXPECT_TRUE(std::isnan(found[4]));
  EXPECT_EQ(found[5], T(0.5));
}

TEST(Sigmoid, StaysWithinItsLimitsAndKeepsWhatIsNotANumber) {
  with_each_target([](const char* name) {
    SCOPED_TRACE(name);
    expect_ends<float>();
    expect_ends<double>();
  });
}

}  // namespace
}  // namespace afterspike::kernels
