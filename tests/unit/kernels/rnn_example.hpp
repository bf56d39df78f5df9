#pragma once

#include <cmath>
#include <optional>

#include "afterspike/kernels/rnn.hpp"
#include "examples.hpp"

namespace afterspike::kernels {

inline double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

/// Units, their input, and the coefficients of a loss that is linear in what they emit.
struct RnnExample {
  RnnShape shape;
  std::int64_t first = 0;
  NamedValues values;  ///< By the names of the kernel's parameters; and "input".
  std::optional<Values> neurons;
  std::vector<std::uint8_t> emitted, recurrent;
  Values loss;

  /// Index of a unit at a step of a sequence.
  std::size_t place(std::int64_t t, std::int64_t row, std::int64_t unit) const {
    return static_cast<std::size_t>((t * shape.rows + row) * shape.units + unit);
  }
};

inline RnnExample rnn_example(const RnnShape& s, std::uint64_t seed = 1) {
  const Rng rng(seed);
  RnnExample e;
  e.shape = s;
  const std::int64_t width = rnn_gates(s.cell) * s.units;
  const double scale = 1.5 / std::sqrt(static_cast<double>(s.units));
  const auto weights = [&](const char* name, std::int64_t count) {
    e.values[name] = drawn(count, rng.stream(name), -scale, scale);
  };
  weights("input_weight", s.inputs * width);
  weights("recurrent_weight", s.units * width);
  weights("input_bias", width);
  weights("recurrent_bias", width);
  e.values["input"] = drawn(s.steps * s.rows * s.inputs, rng.stream("input"), -2, 2);
  e.loss = drawn(s.steps * s.rows * s.units, rng.stream("loss"), -1, 1);
  return e;
}

inline void add_masks(RnnExample& e) {
  const std::int64_t size = e.shape.steps * e.shape.rows * e.shape.units;
  e.neurons = every_third_silent(e.shape.units);
  e.emitted = drawn_mask(size, Rng(9).stream("emitted"));
  e.recurrent = drawn_mask(size, Rng(9).stream("recurrent"));
}

/// The units of one sequence, by the equations in rnn.hpp; `emitted` has those of all sequences.
class RnnReference {
 public:
  RnnReference(const RnnExample& example, std::int64_t row, Values& emitted)
      : e_(example),
        row_(row),
        emitted_(emitted),
        input_(example.values.at("input").data()),
        input_weight_(example.values.at("input_weight").data()),
        recurrent_weight_(example.values.at("recurrent_weight").data()),
        input_bias_(example.values.at("input_bias").data()),
        recurrent_bias_(example.values.at("recurrent_bias").data()),
        cell_(static_cast<std::size_t>(example.shape.units)) {}

  void step(std::int64_t t) {
    for (std::int64_t unit = 0; unit < e_.shape.units; ++unit) {
      emitted_[e_.place(t, row_, unit)] = next(t, unit) * factor(t, unit);
    }
  }

 private:
  double next(std::int64_t t, std::int64_t unit) {
    const auto sum = [&](std::int64_t gate) {
      return of_input(t, gate, unit) + back(t, gate, unit);
    };
    if (e_.shape.cell == RnnCell::vanilla) return std::tanh(sum(0));
    if (e_.shape.cell == RnnCell::gru) {
      const double reset = logistic(sum(0)), update = logistic(sum(1));
      const double candidate = std::tanh(of_input(t, 2, unit) + reset * back(t, 2, unit));
      const double before = t > 0 ? emitted_[e_.place(t - 1, row_, unit)] : 0;
      return (1 - update) * candidate + update * before;
    }
    double& cell = cell_[static_cast<std::size_t>(unit)];
    cell = logistic(sum(1)) * cell + logistic(sum(0)) * std::tanh(sum(2));
    return logistic(sum(3)) * std::tanh(cell);
  }

  double of_input(std::int64_t t, std::int64_t gate, std::int64_t unit) const {
    const RnnShape& s = e_.shape;
    const std::int64_t column = gate * s.units + unit, width = rnn_gates(s.cell) * s.units;
    double sum = input_bias_[column];
    for (std::int64_t i = 0; i < s.inputs; ++i) {
      sum += input_[(t * s.rows + row_) * s.inputs + i] * input_weight_[i * width + column];
    }
    return sum;
  }
  double back(std::int64_t t, std::int64_t gate, std::int64_t unit) const {
    const RnnShape& s = e_.shape;
    const std::int64_t column = gate * s.units + unit, width = rnn_gates(s.cell) * s.units;
    double sum = recurrent_bias_[column];
    if (t < s.delay) return sum;
    for (std::int64_t from = 0; from < s.units; ++from) {
      const double mask = e_.recurrent.empty() ? 1 : e_.recurrent[e_.place(t, row_, from)] / kKept;
      sum += mask * emitted_[e_.place(t - s.delay, row_, from)] *
             recurrent_weight_[from * width + column];
    }
    return sum;
  }
  double factor(std::int64_t t, std::int64_t unit) const {
    double factor = e_.emitted.empty() ? 1 : e_.emitted[e_.place(t, row_, unit)] / kKept;
    if (e_.neurons) factor *= (*e_.neurons)[static_cast<std::size_t>(unit)];
    return factor;
  }

  const RnnExample& e_;
  std::int64_t row_;
  Values& emitted_;
  const double *input_, *input_weight_, *recurrent_weight_, *input_bias_, *recurrent_bias_;
  Values cell_;
};

/// The part of values of all steps that belongs to the steps from e.first on.
inline Values from_first(const RnnExample& e, const Values& all) {
  return Values(all.begin() + e.first * e.shape.rows * e.shape.units, all.end());
}

/// Returns the emissions from step e.first on, [steps - first, rows, units], by the equations.
inline Values reference(const RnnExample& e) {
  const RnnShape& s = e.shape;
  Values emitted(static_cast<std::size_t>(s.steps * s.rows * s.units));
  for (std::int64_t row = 0; row < s.rows; ++row) {
    RnnReference sequence(e, row, emitted);
    for (std::int64_t t = 0; t < s.steps; ++t) sequence.step(t);
  }
  return from_first(e, emitted);
}

/// The coefficients of the loss by reference().
inline Values coefficients(const RnnExample& e) {
  return from_first(e, e.loss);
}

template <typename T>
Outcome run(const RnnExample& e, History history = History::whole()) {
  const std::int64_t size = (e.shape.steps - e.first) * e.shape.rows * e.shape.units;
  return run_kernel<Rnn, T>(e, size, {}, history);
}

}  // namespace afterspike::kernels
