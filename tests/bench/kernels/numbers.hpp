#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <benchmark/benchmark.h>

#include "afterspike/base/rng.hpp"

/// Shared parts of micro-benchmarks: data, and the check before the timing.
namespace afterspike::testing {

/// Numbers on a boundary of 64 bytes, drawn uniformly.
class Numbers {
 public:
  Numbers(std::int64_t count, std::string_view name, double low, double high)
      : count_(count), data_(new (std::align_val_t{64}) float[static_cast<std::size_t>(count)]) {
    Rng rng = Rng(1).stream(name);
    for (std::int64_t i = 0; i < count; ++i) data_[i] = static_cast<float>(rng.uniform(low, high));
  }
  explicit Numbers(std::int64_t count) : Numbers(count, "zeros", 0, 0) {}
  ~Numbers() { ::operator delete[](data_, std::align_val_t{64}); }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  float* data() { return data_; }
  const float* data() const { return data_; }
  float& operator[](std::int64_t i) { return data_[i]; }
  float operator[](std::int64_t i) const { return data_[i]; }
  std::int64_t size() const { return count_; }

 private:
  std::int64_t count_;
  float* data_;
};

/// True where the largest difference from expected(i) is at most `tolerance` of the largest
/// expected value; else the benchmark ends with an error and is not timed.
template <typename Expected>
bool same(benchmark::State& state, const Numbers& found, const Expected& expected,
          double tolerance = 1e-5) {
  double apart = 0, largest = 0;
  for (std::int64_t i = 0; i < found.size(); ++i) {
    const double own = expected(i);
    largest = std::max(largest, std::abs(own));
    const double difference = std::abs(static_cast<double>(found[i]) - own);
    apart = std::isnan(difference) ? INFINITY : std::max(apart, difference);
  }
  if (largest > 0 && apart <= tolerance * largest) return true;
  state.SkipWithError("the answer is wrong");
  return false;
}

}  // namespace afterspike::testing
