#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "afterspike/kernels/elm.hpp"
#include "examples.hpp"

namespace afterspike::kernels {

inline double activated(ElmActivation activation, double x) {
  switch (activation) {
    case ElmActivation::relu:
      return std::max(0.0, x);
    case ElmActivation::relu_squared:
      return std::max(0.0, x) * std::max(0.0, x);
    case ElmActivation::silu:
      break;
  }
  return x / (1 + std::exp(-x));
}

/// Returns the change of the memory by the MLP's result `x`.
inline double taken_up(double x) {
  return 1.7159 * std::tanh(2.0 / 3 * x);
}

/// A neuron, its input, and the coefficients of a loss that is linear in what it emits.
struct ElmExample {
  ElmShape shape;
  std::int64_t first = 0;
  double trace_keep = 0;
  ElmActivation activation = ElmActivation::silu;
  NamedValues values;  ///< By the names of the kernel's parameters; and "input".
  std::optional<Values> neurons;
  std::vector<std::uint8_t> emitted, recurrent;
  Values loss;

  double at(const char* name, std::int64_t index) const {
    return values.at(name)[static_cast<std::size_t>(index)];
  }
};

inline ElmExample elm_example(const ElmShape& s, std::uint64_t seed = 1) {
  const Rng rng(seed);
  ElmExample e;
  e.shape = s;
  const std::int64_t inner = std::max<std::int64_t>(0, s.layers - 1), output = s.layers > 0 ? 1 : 0;
  const double scale = 1 / std::sqrt(static_cast<double>(s.width));
  const auto weights = [&](const char* name, std::int64_t count) {
    e.values[name] = drawn(count, rng.stream(name), -scale, scale);
  };
  weights("input_weight", s.inputs * s.width);
  weights("bias", s.width);
  weights("recurrent_weight", s.memory * s.width);
  weights("hidden_weight", inner * s.width * s.width);
  weights("hidden_bias", inner * s.width);
  weights("output_weight", output * s.width * s.memory);
  weights("output_bias", output * s.memory);
  e.values["keep"] = drawn(s.memory, rng.stream("keep"), 0.2, 0.99);
  e.values["gain"] = drawn(s.memory, rng.stream("gain"), 0.1, 1);
  e.values["input"] = drawn(s.steps * s.rows * s.inputs, rng.stream("input"), -2, 2);
  e.loss = drawn(s.steps * s.rows * s.memory, rng.stream("loss"), -1, 1);
  return e;
}

inline void add_masks(ElmExample& e) {
  const std::int64_t size = e.shape.steps * e.shape.rows * e.shape.memory;
  e.neurons = every_third_silent(e.shape.memory);
  e.emitted = drawn_mask(size, Rng(9).stream("emitted"));
  e.recurrent = drawn_mask(size, Rng(9).stream("recurrent"));
}

/// The memory units of one sequence, by the equations in elm.hpp.
class ElmReference {
 public:
  ElmReference(const ElmExample& example, std::int64_t row)
      : e_(example),
        row_(row),
        input_(example.values.at("input").data()),
        input_weight_(example.values.at("input_weight").data()),
        recurrent_weight_(example.values.at("recurrent_weight").data()),
        hidden_weight_(example.values.at("hidden_weight").data()),
        output_weight_(example.values.at("output_weight").data()),
        trace_(static_cast<std::size_t>(example.shape.width)),
        memory_(static_cast<std::size_t>(example.shape.memory)),
        emitted_(memory_.size()) {}

  /// Returns the emissions at step `t`, which follows the one before.
  const Values& step(std::int64_t t) {
    const ElmShape& s = e_.shape;
    Values values = first_map(t);
    for (std::int64_t layer = 0; layer < s.layers; ++layer) values = next_map(values, layer);
    for (std::int64_t m = 0; m < s.memory; ++m) {
      const auto place = static_cast<std::size_t>(m);
      memory_[place] =
          e_.at("keep", m) * memory_[place] + e_.at("gain", m) * taken_up(values[place]);
      emitted_[place] = memory_[place] * factor(t, m);
    }
    return emitted_;
  }

 private:
  std::size_t place_of(std::int64_t t, std::int64_t m) const {
    return static_cast<std::size_t>((t * e_.shape.rows + row_) * e_.shape.memory + m);
  }
  double factor(std::int64_t t, std::int64_t m) const {
    double factor = e_.emitted.empty() ? 1 : e_.emitted[place_of(t, m)] / kKept;
    if (e_.neurons) factor *= (*e_.neurons)[static_cast<std::size_t>(m)];
    return factor;
  }
  double recalled(std::int64_t t, std::int64_t m) const {
    const double mask = e_.recurrent.empty() ? 1 : e_.recurrent[place_of(t, m)] / kKept;
    return mask * e_.at("keep", m) * emitted_[static_cast<std::size_t>(m)];
  }

  Values first_map(std::int64_t t) {
    const ElmShape& s = e_.shape;
    Values result(static_cast<std::size_t>(s.width));
    for (std::int64_t w = 0; w < s.width; ++w) {
      double& trace = trace_[static_cast<std::size_t>(w)];
      trace *= e_.trace_keep;
      for (std::int64_t k = 0; k < s.inputs; ++k) {
        trace += input_[(t * s.rows + row_) * s.inputs + k] * input_weight_[k * s.width + w];
      }
      double sum = trace + e_.at("bias", w);
      for (std::int64_t m = 0; m < s.memory; ++m) {
        sum += recalled(t, m) * recurrent_weight_[m * s.width + w];
      }
      result[static_cast<std::size_t>(w)] = sum;
    }
    return result;
  }

  Values next_map(const Values& from, std::int64_t layer) const {
    const ElmShape& s = e_.shape;
    const bool last = layer + 1 == s.layers;
    const std::int64_t size = last ? s.memory : s.width;
    Values result(static_cast<std::size_t>(size));
    for (std::int64_t j = 0; j < size; ++j) {
      double sum = last ? e_.at("output_bias", j) : e_.at("hidden_bias", layer * s.width + j);
      for (std::int64_t i = 0; i < s.width; ++i) {
        sum += activated(e_.activation, from[static_cast<std::size_t>(i)]) *
               (last ? output_weight_[i * size + j]
                     : hidden_weight_[(layer * s.width + i) * size + j]);
      }
      result[static_cast<std::size_t>(j)] = sum;
    }
    return result;
  }

  const ElmExample& e_;
  std::int64_t row_;
  // Arrays of the inner loops, found once.
  const double *input_, *input_weight_, *recurrent_weight_, *hidden_weight_, *output_weight_;
  Values trace_, memory_, emitted_;
};

/// The part of values of all steps that belongs to the steps from e.first on.
inline Values from_first(const ElmExample& e, const Values& all) {
  return Values(all.begin() + e.first * e.shape.rows * e.shape.memory, all.end());
}

/// Returns the emissions from step e.first on, [steps - first, rows, memory], by the equations.
inline Values reference(const ElmExample& e) {
  const ElmShape& s = e.shape;
  Values emitted(static_cast<std::size_t>(s.steps * s.rows * s.memory));
  for (std::int64_t row = 0; row < s.rows; ++row) {
    ElmReference sequence(e, row);
    for (std::int64_t t = 0; t < s.steps; ++t) {
      std::copy_n(sequence.step(t).begin(), s.memory,
                  emitted.begin() + (t * s.rows + row) * s.memory);
    }
  }
  return from_first(e, emitted);
}

/// The coefficients of the loss by reference().
inline Values coefficients(const ElmExample& e) {
  return from_first(e, e.loss);
}

template <typename T>
Outcome run(const ElmExample& e, History history = History::whole()) {
  const std::int64_t size = (e.shape.steps - e.first) * e.shape.rows * e.shape.memory;
  return run_kernel<Elm, T>(e, size, {e.trace_keep, e.activation}, history);
}

}  // namespace afterspike::kernels
