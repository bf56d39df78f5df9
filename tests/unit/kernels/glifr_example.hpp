#pragma once

#include <cmath>
#include <optional>

#include "afterspike/kernels/glifr.hpp"
#include "examples.hpp"

namespace afterspike::kernels {

/// A layer, its input, and the coefficients of a loss that is linear in what it emits.
struct GlifrExample {
  GlifrShape shape;
  std::int64_t first = 0;
  NamedValues values;  ///< By the names of the kernel's parameters; and "input".
  double emission = 1, reset = 0, bias = 0;
  bool spikes = false;
  std::optional<Values> neurons;
  std::vector<std::uint8_t> emitted, recurrent;
  Values loss;

  double at(const char* name, std::int64_t index) const {
    return values.at(name)[static_cast<std::size_t>(index)];
  }
};

inline GlifrExample glifr_example(const GlifrShape& shape, std::uint64_t seed = 1) {
  const Rng rng(seed);
  GlifrExample e;
  e.shape = shape;
  const std::int64_t n = shape.neurons, all = shape.currents * shape.neurons;
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  e.values = {
      {"threshold", drawn(n, rng.stream("threshold"), -0.5, 1)},
      {"slope", drawn(n, rng.stream("slope"), 0.5, 3)},
      {"keep", drawn(n, rng.stream("keep"), 0.5, 0.99)},
      {"gain", drawn(n, rng.stream("gain"), 0.1, 0.5)},
      {"current_keep", drawn(all, rng.stream("current_keep"), 0.3, 0.95)},
      {"multiplicative", drawn(all, rng.stream("multiplicative"), -0.5, 0.5)},
      {"additive", drawn(all, rng.stream("additive"), -1, 1)},
      {"input_weight", drawn(shape.inputs * n, rng.stream("input_weight"), -1, 1)},
      {"recurrent_weight", drawn(n * n, rng.stream("recurrent_weight"), -scale, scale)},
      {"input", drawn(shape.steps * shape.rows * shape.inputs, rng.stream("input"), -1, 1)}};
  e.loss = drawn(shape.steps * shape.rows * n, rng.stream("loss"), -1, 1);
  return e;
}

inline void add_masks(GlifrExample& e) {
  const std::int64_t n = e.shape.neurons;
  e.neurons = every_third_silent(n);
  e.emitted = drawn_mask(e.shape.steps * e.shape.rows * n, Rng(9).stream("emitted"));
  e.recurrent = drawn_mask(e.shape.steps * e.shape.rows * n, Rng(9).stream("recurrent"));
}

/// The part of values of all steps that belongs to the steps from e.first on.
inline Values from_first(const GlifrExample& e, const Values& all) {
  return Values(all.begin() + e.first * e.shape.rows * e.shape.neurons, all.end());
}

/// Returns the layer's emissions from step e.first on, by the equations.
inline Values reference(const GlifrExample& e) {
  const GlifrShape& s = e.shape;
  const std::int64_t n = s.neurons, plane = s.rows * n;
  Values emitted(static_cast<std::size_t>(s.steps * plane)),
      voltage(static_cast<std::size_t>(plane));
  Values current(static_cast<std::size_t>(s.currents * plane));
  // Arrays of the inner loops, found once.
  const double *input = e.values.at("input").data(),
               *input_weight = e.values.at("input_weight").data(),
               *recurrent_weight = e.values.at("recurrent_weight").data();
  const auto sent = [&](std::int64_t t, std::int64_t row, std::int64_t i) {
    return t < 0 ? 0.0 : emitted[static_cast<std::size_t>(t * plane + row * n + i)];
  };
  for (std::int64_t t = 0; t < s.steps; ++t) {
    for (std::int64_t row = 0; row < s.rows; ++row) {
      for (std::int64_t i = 0; i < n; ++i) {
        double drive = 0;
        for (std::int64_t k = 0; k < s.inputs; ++k) {
          drive += input[(t * s.rows + row) * s.inputs + k] * input_weight[k * n + i];
        }
        for (std::int64_t k = 0; k < n; ++k) {
          double arriving = sent(t - s.delay, row, k);
          if (!e.recurrent.empty()) {
            arriving *= e.recurrent[static_cast<std::size_t>(t * plane + row * n + k)] / kKept;
          }
          drive += arriving * recurrent_weight[k * n + i];
        }
        const double before = sent(t - 1, row, i);
        double total = e.bias;
        for (std::int64_t j = 0; j < s.currents; ++j) {
          double& own = current[static_cast<std::size_t>(j * plane + row * n + i)];
          own = e.at("current_keep", j * n + i) * own +
                (e.at("additive", j * n + i) + e.at("multiplicative", j * n + i) * own) * before;
          total += own;
        }
        double& v = voltage[static_cast<std::size_t>(row * n + i)];
        v = drive + (e.at("keep", i) - e.emission * before) * v + e.emission * e.reset * before +
            e.at("gain", i) * total;
        double rate = 1 / (1 + std::exp(-e.at("slope", i) * (v - e.at("threshold", i))));
        const auto place = static_cast<std::size_t>(t * plane + row * n + i);
        if (!e.emitted.empty()) rate *= e.emitted[place] / kKept;
        if (e.neurons) rate *= (*e.neurons)[static_cast<std::size_t>(i)];
        emitted[place] = rate;
      }
    }
  }
  return from_first(e, emitted);
}

/// The coefficients of the loss by reference().
inline Values coefficients(const GlifrExample& e) {
  return from_first(e, e.loss);
}

template <typename T>
Outcome run(const GlifrExample& e, History history = History::whole(),
            Precision precision = Precision::float32) {
  const std::int64_t size = (e.shape.steps - e.first) * e.shape.rows * e.shape.neurons;
  return run_kernel<Glifr, T>(e, size, {e.emission, e.reset, e.bias, e.spikes}, history, precision);
}

}  // namespace afterspike::kernels
