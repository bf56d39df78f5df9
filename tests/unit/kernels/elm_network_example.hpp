#pragma once

#include "afterspike/kernels/elm_network.hpp"
#include "elm_example.hpp"

namespace afterspike::kernels {

/// A layer, its input, and the coefficients of a loss that is linear in what it emits and in the
/// magnitudes.
struct ElmNetworkExample {
  ElmNetworkShape shape;
  std::int64_t first = 0;
  double input_scale = 1.5, branch_keep = 0, low_pass_keep = 0.7;
  bool rectified = false;
  ElmActivation activation = ElmActivation::silu;
  std::vector<std::int64_t> connectome;
  NamedValues values;  ///< By the names of the kernel's parameters; and "input".
  std::optional<Values> neurons;
  std::vector<std::uint8_t> emitted, recurrent;
  std::vector<std::int64_t> lengths;  ///< Lengths of sequences, for magnitudes; empty: all steps.
  Values loss, magnitude_loss;

  std::int64_t length(std::int64_t row) const {
    return lengths.empty() ? shape.steps : lengths[static_cast<std::size_t>(row)];
  }
  double at(const char* name, std::int64_t index) const {
    return values.at(name)[static_cast<std::size_t>(index)];
  }
};

inline ElmNetworkExample elm_network_example(const ElmNetworkShape& s, std::uint64_t seed = 1) {
  const Rng rng(seed);
  ElmNetworkExample e;
  e.shape = s;
  const std::int64_t n = s.neurons, inner = std::max<std::int64_t>(0, s.layers - 1);
  const std::int64_t output = s.layers > 0 ? 1 : 0;
  const auto weights = [&](const char* name, std::int64_t count) {
    e.values[name] = drawn(count, rng.stream(name), -0.7, 0.7);
  };
  weights("synapse_weight", n * s.synapses);
  weights("input_weight", n * s.branches * s.width);
  weights("recurrent_weight", n * s.memory * s.width);
  weights("bias", n * s.width);
  weights("hidden_weight", inner * n * s.width * s.width);
  weights("hidden_bias", inner * n * s.width);
  weights("output_weight", output * n * s.width * s.memory);
  weights("output_bias", output * n * s.memory);
  weights("memory_weight", n * s.memory);
  weights("threshold", n);
  e.values["keep"] = drawn(n * s.memory, rng.stream("keep"), 0.2, 0.99);
  e.values["gain"] = drawn(n * s.memory, rng.stream("gain"), 0.1, 1);
  e.values["input"] = drawn(s.steps * s.rows * s.inputs, rng.stream("input"), -1, 1);
  e.loss = drawn(s.steps * s.rows * n, rng.stream("loss"), -1, 1);
  e.magnitude_loss = drawn(s.rows * n, rng.stream("magnitude"), -1, 1);
  Rng wiring = rng.stream("connectome");
  e.connectome.resize(static_cast<std::size_t>(n * s.synapses));
  for (std::int64_t& source : e.connectome) {
    source = static_cast<std::int64_t>(wiring.below(static_cast<std::uint64_t>(s.inputs + n)));
  }
  return e;
}

inline void add_masks(ElmNetworkExample& e) {
  const std::int64_t size = e.shape.steps * e.shape.rows * e.shape.neurons;
  e.neurons = every_third_silent(e.shape.neurons);
  e.emitted = drawn_mask(size, Rng(9).stream("emitted"));
  e.recurrent = drawn_mask(size, Rng(9).stream("recurrent"));
}

/// One sequence through the layer, by the equations in elm_network.hpp.
class ElmNetworkReference {
 public:
  ElmNetworkReference(const ElmNetworkExample& example, std::int64_t row)
      : e_(example),
        row_(row),
        branch_(size(example.shape.neurons * example.shape.branches)),
        memory_(size(example.shape.neurons * example.shape.memory)),
        low_(size(example.shape.neurons)),
        emitted_(low_.size()),
        magnitude_(low_.size()) {}

  const Values& magnitude() const { return magnitude_; }

  /// Returns the emissions at step `t`, which follows the one before.
  const Values& step(std::int64_t t) {
    const Values before = emitted_;
    for (std::int64_t n = 0; n < e_.shape.neurons; ++n) neuron_step(t, n, before);
    return emitted_;
  }

 private:
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

  double source(std::int64_t t, std::int64_t index, const Values& before) const {
    const ElmNetworkShape& s = e_.shape;
    if (index < s.inputs) return e_.at("input", (t * s.rows + row_) * s.inputs + index);
    const std::int64_t n = index - s.inputs;
    const double mask =
        e_.recurrent.empty() ? 1 : e_.recurrent[size((t * s.rows + row_) * s.neurons + n)] / kKept;
    return mask * before[size(n)];
  }

  void neuron_step(std::int64_t t, std::int64_t n, const Values& before) {
    const ElmNetworkShape& s = e_.shape;
    const std::int64_t of_branch = s.synapses / s.branches;
    for (std::int64_t b = 0; b < s.branches; ++b) {
      double sum = 0;
      for (std::int64_t k = b * of_branch; k < (b + 1) * of_branch; ++k) {
        const std::int64_t place = n * s.synapses + k;
        sum += e_.at("synapse_weight", place) * source(t, e_.connectome[size(place)], before);
      }
      double& own = branch_[size(n * s.branches + b)];
      own = e_.branch_keep * own + e_.input_scale * sum;
    }
    remember(t, n);
    emit(t, n);
  }

  /// o(t) and m(t)
  void remember(std::int64_t t, std::int64_t n) {
    const ElmNetworkShape& s = e_.shape;
    Values values = first_map(n);
    for (std::int64_t layer = 0; layer < s.layers; ++layer) values = next_map(n, values, layer);
    for (std::int64_t m = 0; m < s.memory; ++m) {
      double& own = memory_[size(n * s.memory + m)];
      own = e_.at("keep", n * s.memory + m) * own +
            e_.at("gain", n * s.memory + m) * taken_up(values[size(m)]);
      if (t >= e_.length(row_)) continue;
      magnitude_[size(n)] +=
          std::abs(values[size(m)]) / static_cast<double>(s.memory * e_.length(row_));
    }
  }

  void emit(std::int64_t t, std::int64_t n) {
    const ElmNetworkShape& s = e_.shape;
    double z = 0;
    for (std::int64_t m = 0; m < s.memory; ++m) {
      z += e_.at("memory_weight", n * s.memory + m) * memory_[size(n * s.memory + m)];
    }
    double activity = z + e_.at("threshold", n);
    if (e_.low_pass_keep != 0) {
      low_[size(n)] = e_.low_pass_keep * low_[size(n)] + (1 - e_.low_pass_keep) * z;
      activity -= low_[size(n)];
    }
    if (e_.rectified) activity = std::max(0.0, activity);
    if (e_.neurons) activity *= (*e_.neurons)[size(n)];
    if (!e_.emitted.empty()) {
      activity *= e_.emitted[size((t * s.rows + row_) * s.neurons + n)] / kKept;
    }
    emitted_[size(n)] = activity;
  }

  Values first_map(std::int64_t n) const {
    const ElmNetworkShape& s = e_.shape;
    Values result(size(s.width));
    for (std::int64_t w = 0; w < s.width; ++w) {
      double sum = e_.at("bias", n * s.width + w);
      for (std::int64_t b = 0; b < s.branches; ++b) {
        sum += branch_[size(n * s.branches + b)] *
               e_.at("input_weight", (n * s.branches + b) * s.width + w);
      }
      for (std::int64_t m = 0; m < s.memory; ++m) {
        const std::int64_t place = n * s.memory + m;
        sum += e_.at("keep", place) * memory_[size(place)] *
               e_.at("recurrent_weight", place * s.width + w);
      }
      result[size(w)] = sum;
    }
    return result;
  }

  Values next_map(std::int64_t n, const Values& from, std::int64_t layer) const {
    const ElmNetworkShape& s = e_.shape;
    const bool last = layer + 1 == s.layers;
    const std::int64_t to = last ? s.memory : s.width;
    const std::int64_t own = last ? n : layer * s.neurons + n;
    const char* weight = last ? "output_weight" : "hidden_weight";
    Values result(size(to));
    for (std::int64_t j = 0; j < to; ++j) {
      double sum = e_.at(last ? "output_bias" : "hidden_bias", own * to + j);
      for (std::int64_t i = 0; i < s.width; ++i) {
        sum +=
            activated(e_.activation, from[size(i)]) * e_.at(weight, (own * s.width + i) * to + j);
      }
      result[size(j)] = sum;
    }
    return result;
  }

  const ElmNetworkExample& e_;
  std::int64_t row_;
  Values branch_, memory_, low_, emitted_, magnitude_;
};

/// Returns the emissions, [steps - first, rows, neurons], and after them the magnitudes, [rows,
/// neurons].
inline Values reference(const ElmNetworkExample& e) {
  const ElmNetworkShape& s = e.shape;
  const std::int64_t all = (s.steps - e.first) * s.rows * s.neurons;
  Values result(static_cast<std::size_t>(all + s.rows * s.neurons));
  for (std::int64_t row = 0; row < s.rows; ++row) {
    ElmNetworkReference sequence(e, row);
    for (std::int64_t t = 0; t < s.steps; ++t) {
      const Values& emitted = sequence.step(t);
      if (t < e.first) continue;
      std::copy(emitted.begin(), emitted.end(),
                result.begin() + ((t - e.first) * s.rows + row) * s.neurons);
    }
    std::copy(sequence.magnitude().begin(), sequence.magnitude().end(),
              result.begin() + all + row * s.neurons);
  }
  return result;
}

/// The coefficients of the loss by reference().
inline Values coefficients(const ElmNetworkExample& e) {
  const ElmNetworkShape& s = e.shape;
  Values all(e.loss.begin() + e.first * s.rows * s.neurons, e.loss.end());
  all.insert(all.end(), e.magnitude_loss.begin(), e.magnitude_loss.end());
  return all;
}

template <typename T>
Outcome run(const ElmNetworkExample& e, History history = History::whole()) {
  const std::int64_t size = (e.shape.steps - e.first) * e.shape.rows * e.shape.neurons;
  const ElmNetworkSettings settings{e.connectome.data(),
                                    e.input_scale,
                                    e.branch_keep,
                                    e.low_pass_keep,
                                    e.rectified,
                                    e.activation,
                                    e.lengths.empty() ? nullptr : e.lengths.data()};
  return run_kernel<ElmNetwork, T>(e, size, settings, history);
}

}  // namespace afterspike::kernels
