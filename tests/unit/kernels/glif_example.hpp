#pragma once

#include <cmath>
#include <optional>

#include "afterspike/kernels/glif.hpp"
#include "examples.hpp"

namespace afterspike::kernels {

/// A layer, its input, and the coefficients of a loss that is linear in its emissions.
struct GlifExample {
  GlifShape shape;
  std::int64_t first = 0;
  NamedValues values;  ///< By the names of the kernel's parameters; and "input".
  GlifSettings settings = {.slope = 1.7};
  std::optional<Values> neurons;
  std::vector<std::uint8_t> emitted, recurrent;
  Values loss;

  /// Coefficient `number` of currents, receptors or steps, of neuron i.
  double of(const char* name, std::int64_t i, std::int64_t number = 0) const {
    return values.at(name)[static_cast<std::size_t>(number * shape.neurons + i)];
  }
  double at(const char* name, std::int64_t index) const {
    return values.at(name)[static_cast<std::size_t>(index)];
  }
  std::size_t place(std::int64_t t, std::int64_t row, std::int64_t neuron) const {
    return static_cast<std::size_t>((t * shape.rows + row) * shape.neurons + neuron);
  }
};

inline GlifExample glif_example(const GlifShape& shape, std::uint64_t seed = 1) {
  GlifExample e;
  e.shape = shape;
  const std::int64_t n = shape.neurons;
  const auto draw = [&](const char* name, std::int64_t size, double low, double high) {
    e.values[name] = drawn(size, Rng(seed).stream(name), low, high);
  };
  draw("keep", n, 0.5, 0.99);
  draw("gain", n, 0.5, 1);
  draw("threshold", n, -0.5, 1);
  draw("reset", n, -1, -0.5);
  const auto period = static_cast<double>(shape.refractory);
  draw("waiting", shape.refractory * n, 0.2 / period, 0.9 / period);
  const std::int64_t spike = shape.spike_threshold ? n : 0, part = shape.voltage_threshold ? n : 0;
  draw("fraction", spike, 0.1, 0.9);
  draw("spike_keep", spike, 0.5, 0.99);
  draw("spike_refractory", spike, 0.5, 0.99);
  draw("spike_add", spike, 0.1, 1);
  draw("part_keep", part, 0.5, 0.99);
  draw("part_gain", part, 0.1, 0.4);
  draw("part_drive", part, 0.1, 0.4);
  const std::int64_t currents = shape.currents * n, receptors = shape.receptors * n;
  draw("current_keep", currents, 0.5, 0.99);
  draw("current_mean", currents, 0.5, 1);
  draw("current_factor", currents, 0.1, 0.9);
  draw("current_add", currents, -0.5, 0.5);
  draw("synapse_keep", receptors, 0.3, 0.9);
  draw("synapse_gain", receptors, 0.3, 0.9);
  const std::int64_t rises = shape.alpha ? receptors : 0;
  draw("rise_gain", rises, 0.2, 0.6);
  draw("rise_keep", rises, 0.2, 0.6);
  draw("rise_jump", rises, 0.5, 1);
  const std::int64_t driven = (shape.input == GlifInput::synapses ? 0 : 1) +
                              (shape.input == GlifInput::current ? 0 : shape.receptors);
  draw("input_weight", shape.inputs * driven * n, -1, 1);
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  draw("recurrent_weight", n * shape.receptors * n, -scale, scale);
  draw("input", shape.steps * shape.rows * shape.inputs, -1, 1);
  draw("loss", shape.steps * shape.rows * n, -1, 1);
  e.loss = e.values.at("loss");
  e.values.erase("loss");
  return e;
}

inline void add_masks(GlifExample& e) {
  const std::int64_t size = e.shape.steps * e.shape.rows * e.shape.neurons;
  e.neurons = every_third_silent(e.shape.neurons);
  e.emitted = drawn_mask(size, Rng(9).stream("emitted"));
  e.recurrent = drawn_mask(size, Rng(9).stream("recurrent"));
}

inline Values from_first(const GlifExample& e, const Values& all) {
  return Values(all.begin() + e.first * e.shape.rows * e.shape.neurons, all.end());
}

/// The state of one neuron.
struct GlifNeuron {
  double voltage = 0, spike_part = 0, voltage_part = 0;
  Values current, synaptic, rise, spiked;  ///< `spiked` of each step so far.
};

/// Advances a neuron by a step in which `drive` acts and `arriving` arrives at its receptors.
inline double advance(const GlifExample& e, std::int64_t i, double drive, const Values& arriving,
                      GlifNeuron& x) {
  const GlifShape& s = e.shape;
  const auto c = [&](const char* name, std::int64_t number = 0) { return e.of(name, i, number); };
  double active = 1;
  for (std::int64_t r = 1; r <= s.refractory && r <= std::ssize(x.spiked); ++r) {
    active -= c("waiting", r - 1) * x.spiked[x.spiked.size() - static_cast<std::size_t>(r)];
  }
  for (std::int64_t j = 0; j < s.currents; ++j) {
    drive += c("current_mean", j) * x.current[static_cast<std::size_t>(j)];
  }
  double moved = c("keep") * x.voltage + c("gain") * drive;
  double threshold = c("threshold"), reset = c("reset"), spike_part = 0, voltage_part = 0;
  for (std::int64_t p = 0; p < s.receptors; ++p) {
    const auto at = static_cast<std::size_t>(p);
    moved += c("synapse_gain", p) * x.synaptic[at];
    if (s.alpha) moved += c("rise_gain", p) * x.rise[at];
  }
  if (s.spike_threshold) {
    spike_part = c("spike_keep") * x.spike_part;
    threshold += spike_part;
    reset += c("fraction") * (x.voltage - c("threshold"));
  }
  if (s.voltage_threshold) {
    voltage_part =
        c("part_keep") * x.voltage_part + c("part_gain") * x.voltage + c("part_drive") * drive;
    threshold += voltage_part;
  }
  const double above = moved - threshold;
  const double crossed =
      e.settings.hard ? (above > 0 ? 1 : 0) : 1 / (1 + std::exp(-e.settings.slope * above));
  const double spiked = active * crossed;
  const auto mix = [&](double old, double passed, double after) {
    return (1 - active) * old + (active - spiked) * passed + spiked * after;
  };
  x.voltage = mix(x.voltage, moved, reset);
  if (s.spike_threshold) {
    x.spike_part =
        mix(x.spike_part, spike_part, c("spike_refractory") * spike_part + c("spike_add"));
  }
  x.voltage_part = mix(x.voltage_part, voltage_part, voltage_part);
  for (std::int64_t j = 0; j < s.currents; ++j) {
    double& current = x.current[static_cast<std::size_t>(j)];
    const double passed = c("current_keep", j) * current;
    current = mix(current, passed, c("current_factor", j) * passed + c("current_add", j));
  }
  for (std::int64_t p = 0; p < s.receptors; ++p) {
    const auto at = static_cast<std::size_t>(p);
    x.synaptic[at] *= c("synapse_keep", p);
    if (!s.alpha) {
      x.synaptic[at] += arriving[at];
      continue;
    }
    x.synaptic[at] += c("rise_keep", p) * x.rise[at];
    x.rise[at] = c("synapse_keep", p) * x.rise[at] + c("rise_jump", p) * arriving[at];
  }
  x.spiked.push_back(spiked);
  return spiked;
}

/// The input of the current (0) and the receptors (from 1) of neuron i in step t.
inline Values reaching(const GlifExample& e, const Values& emitted, std::int64_t t,
                       std::int64_t row, std::int64_t i) {
  const GlifShape& s = e.shape;
  const std::int64_t n = s.neurons, first = s.input == GlifInput::synapses ? 1 : 0;
  const std::int64_t driven = 1 - first + (s.input == GlifInput::current ? 0 : s.receptors);
  Values sums(static_cast<std::size_t>(1 + s.receptors));
  for (std::int64_t k = 0; k < s.inputs; ++k) {
    for (std::int64_t g = 0; g < driven; ++g) {
      sums[static_cast<std::size_t>(first + g)] +=
          e.at("input", (t * s.rows + row) * s.inputs + k) *
          e.at("input_weight", (k * driven + g) * n + i);
    }
  }
  for (std::int64_t k = 0; k < n && t >= s.delay; ++k) {
    const double mask = e.recurrent.empty() ? 1 : e.recurrent[e.place(t, row, k)] / kKept;
    for (std::int64_t p = 0; p < s.receptors; ++p) {
      sums[static_cast<std::size_t>(1 + p)] +=
          mask * emitted[e.place(t - s.delay, row, k)] *
          e.at("recurrent_weight", (k * s.receptors + p) * n + i);
    }
  }
  return sums;
}

/// Emissions from step e.first on, by the equations in glif.hpp.
inline Values reference(const GlifExample& e) {
  const GlifShape& s = e.shape;
  const std::int64_t n = s.neurons;
  const auto values = [](std::int64_t count) { return Values(static_cast<std::size_t>(count)); };
  Values emitted = values(s.steps * s.rows * n);
  std::vector<GlifNeuron> all(
      static_cast<std::size_t>(s.rows * n),
      {0, 0, 0, values(s.currents), values(s.receptors), values(s.receptors), {}});
  for (std::int64_t t = 0; t < s.steps; ++t) {
    for (std::int64_t row = 0; row < s.rows; ++row) {
      for (std::int64_t i = 0; i < n; ++i) {
        const Values sums = reaching(e, emitted, t, row, i);
        double rate = advance(e, i, sums[0], {sums.begin() + 1, sums.end()},
                              all[static_cast<std::size_t>(row * n + i)]);
        if (!e.emitted.empty()) rate *= e.emitted[e.place(t, row, i)] / kKept;
        if (e.neurons) rate *= (*e.neurons)[static_cast<std::size_t>(i)];
        emitted[e.place(t, row, i)] = rate;
      }
    }
  }
  return from_first(e, emitted);
}

/// The coefficients of the loss by reference().
inline Values coefficients(const GlifExample& e) {
  return from_first(e, e.loss);
}

template <typename T>
Outcome run(const GlifExample& e, History history = History::whole(),
            Precision precision = Precision::float32) {
  const std::int64_t size = (e.shape.steps - e.first) * e.shape.rows * e.shape.neurons;
  return run_kernel<Glif, T>(e, size, e.settings, history, precision);
}

}  // namespace afterspike::kernels
