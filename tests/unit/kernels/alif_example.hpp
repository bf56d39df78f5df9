#pragma once

#include <cmath>
#include <optional>

#include "afterspike/kernels/alif.hpp"
#include "examples.hpp"

namespace afterspike::kernels {

/// A layer, its input, and the coefficients of a loss that is linear in its emissions.
struct AlifExample {
  AlifShape shape;
  std::int64_t first = 0;
  NamedValues values;  ///< By the names of the kernel's parameters; and "input".
  double slope = 1.7;
  std::optional<Values> neurons;
  std::vector<std::uint8_t> emitted, recurrent;
  Values loss;

  double at(const char* name, std::int64_t index) const {
    return values.at(name)[static_cast<std::size_t>(index)];
  }
  std::size_t place(std::int64_t t, std::int64_t row, std::int64_t neuron) const {
    return static_cast<std::size_t>((t * shape.rows + row) * shape.neurons + neuron);
  }
};

inline AlifExample alif_example(const AlifShape& shape, std::uint64_t seed = 1) {
  const Rng rng(seed);
  AlifExample e;
  e.shape = shape;
  const std::int64_t n = shape.neurons;
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  e.values = {
      {"threshold", drawn(n, rng.stream("threshold"), -0.5, 1)},
      {"strength", drawn(n, rng.stream("strength"), -1, 2)},
      {"keep", drawn(n, rng.stream("keep"), 0.5, 0.99)},
      {"adaptation_keep", drawn(n, rng.stream("adaptation_keep"), 0.6, 0.99)},
      {"input_weight", drawn(shape.inputs * n, rng.stream("input_weight"), -1, 1)},
      {"recurrent_weight", drawn(n * n, rng.stream("recurrent_weight"), -scale, scale)},
      {"input", drawn(shape.steps * shape.rows * shape.inputs, rng.stream("input"), -1, 1)}};
  e.loss = drawn(shape.steps * shape.rows * n, rng.stream("loss"), -1, 1);
  return e;
}

inline void add_masks(AlifExample& e) {
  const std::int64_t size = e.shape.steps * e.shape.rows * e.shape.neurons;
  e.neurons = every_third_silent(e.shape.neurons);
  e.emitted = drawn_mask(size, Rng(9).stream("emitted"));
  e.recurrent = drawn_mask(size, Rng(9).stream("recurrent"));
}

inline Values from_first(const AlifExample& e, const Values& all) {
  return Values(all.begin() + e.first * e.shape.rows * e.shape.neurons, all.end());
}

/// Emissions from step e.first on, by the equations in alif.hpp.
inline Values reference(const AlifExample& e) {
  const AlifShape& s = e.shape;
  const std::int64_t n = s.neurons;
  Values emitted(static_cast<std::size_t>(s.steps * s.rows * n));
  Values voltage(static_cast<std::size_t>(s.rows * n)), adaptation(voltage.size());
  const auto sent = [&](std::int64_t t, std::int64_t row, std::int64_t i) {
    return t < 0 ? 0.0 : emitted[e.place(t, row, i)];
  };
  for (std::int64_t t = 0; t < s.steps; ++t) {
    for (std::int64_t row = 0; row < s.rows; ++row) {
      for (std::int64_t i = 0; i < n; ++i) {
        double u = 0;
        for (std::int64_t k = 0; k < s.inputs; ++k) {
          u += e.at("input", (t * s.rows + row) * s.inputs + k) * e.at("input_weight", k * n + i);
        }
        for (std::int64_t k = 0; k < n; ++k) {
          const double mask = e.recurrent.empty() ? 1 : e.recurrent[e.place(t, row, k)] / kKept;
          u += mask * sent(t - s.delay, row, k) * e.at("recurrent_weight", k * n + i);
        }
        const double before = sent(t - 1, row, i), kept = e.at("adaptation_keep", i);
        double& v = voltage[static_cast<std::size_t>(row * n + i)];
        double& a = adaptation[static_cast<std::size_t>(row * n + i)];
        v = e.at("keep", i) * v + u - e.at("threshold", i) * before;
        a = kept * a + (1 - kept) * before;
        const double above = v - e.at("threshold", i) - e.at("strength", i) * a;
        double rate = 1 / (1 + std::exp(-e.slope * above));
        if (!e.emitted.empty()) rate *= e.emitted[e.place(t, row, i)] / kKept;
        if (e.neurons) rate *= (*e.neurons)[static_cast<std::size_t>(i)];
        emitted[e.place(t, row, i)] = rate;
      }
    }
  }
  return from_first(e, emitted);
}

/// The coefficients of the loss by reference().
inline Values coefficients(const AlifExample& e) {
  return from_first(e, e.loss);
}

template <typename T>
Outcome run(const AlifExample& e, History history = History::whole(),
            Precision precision = Precision::float32) {
  const std::int64_t size = (e.shape.steps - e.first) * e.shape.rows * e.shape.neurons;
  return run_kernel<Alif, T>(e, size, {e.slope}, history, precision);
}

}  // namespace afterspike::kernels
