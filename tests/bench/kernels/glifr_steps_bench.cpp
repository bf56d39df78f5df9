// How fast is what GLIFR neurons do beside their matrix products? A shard of 32 rows, two
// after-spike currents, one step and several at once.

#include <cmath>
#include <vector>

#include "kernels/glifr_steps.hpp"
#include "numbers.hpp"

namespace afterspike::kernels {
namespace {

using testing::Numbers;
using testing::same;

constexpr std::int64_t kRows = 32, kCurrents = 2;

/// Steps with all that they take, for so many neurons and as many more as rows lie apart in
/// training.
struct Layer {
  Layer(std::int64_t neurons, std::int64_t count)
      : width(neurons),
        columns(apart_in_cache<float>(neurons)),
        plane(kRows * columns),
        steps(count),
        threshold(columns, "threshold", -0.5, 1),
        slope(columns, "slope", 0.5, 2),
        keep(columns, "keep", 0.5, 1),
        gain(columns, "gain", 0.1, 0.5),
        current_keep(kCurrents * columns, "current_keep", 0.3, 0.9),
        multiplicative(kCurrents * columns, "multiplicative", -0.1, 0.1),
        additive(kCurrents * columns, "additive", -1, 1),
        voltage_before(plane, "voltage_before", -1, 1),
        emitted_before(plane, "emitted_before", 0, 1),
        voltage(steps * plane, "voltage", -1, 1),
        gradient_after(plane, "gradient_after", -1, 1),
        emitted(steps * plane, "emitted", 0, 1),
        emitted_gradient(steps * plane, "emitted_gradient", -1, 1),
        current((steps + 1) * kCurrents * plane, "current", -1, 1),
        current_gradient(kCurrents * plane, "current_gradient", -1, 1),
        sums((4 + 3 * kCurrents) * columns) {}

  StepCoefficients<float> coefficients() const {
    StepCoefficients<float> c;
    c.rows = kRows;
    c.columns = columns;
    c.width = width;
    c.currents = kCurrents;
    c.emission = 1;
    c.reset = -0.3F;
    c.bias = 0.2F;
    c.threshold = threshold.data();
    c.slope = slope.data();
    c.keep = keep.data();
    c.gain = gain.data();
    c.current_keep = current_keep.data();
    c.multiplicative = multiplicative.data();
    c.additive = additive.data();
    return c;
  }
  StepGradients<float> gradients() {
    float* row = sums.data();
    return {row,
            row + columns,
            row + 2 * columns,
            row + 3 * columns,
            row + 4 * columns,
            row + (4 + kCurrents) * columns,
            row + (4 + 2 * kCurrents) * columns};
  }
  ForwardSteps<float> forward() {
    return {steps,          voltage_before.data(), emitted_before.data(),
            voltage.data(), emitted.data(),        current.data(),
            nullptr};
  }
  BackwardSteps<float> backward() {
    return {steps,
            voltage_before.data(),
            emitted_before.data(),
            voltage.data(),
            gradient_after.data(),
            emitted.data(),
            emitted_gradient.data(),
            current.data(),
            current_gradient.data(),
            nullptr};
  }

  /// Whether an element of planes belongs to a neuron and not to the padding.
  bool is_neuron(std::int64_t i) const { return i % columns < width; }

  std::int64_t width, columns, plane, steps;
  Numbers threshold, slope, keep, gain, current_keep, multiplicative, additive;
  Numbers voltage_before, emitted_before, voltage, gradient_after, emitted, emitted_gradient;
  Numbers current, current_gradient, sums;
};

/// Expected results of the functions under test, element by element in double precision.
struct Expected {
  explicit Expected(const Layer& layer) : own(layer), c(layer.coefficients()) {}

  /// I_j(t) from what holds I_j(t-1), and S(t-1).
  double next_current(std::int64_t j, std::int64_t at, double before, double emitted_before) const {
    const std::int64_t neuron = j * own.columns + at % own.columns;
    return own.current_keep[neuron] * before +
           (own.additive[neuron] + own.multiplicative[neuron] * before) * emitted_before;
  }

  void forward() {
    for (std::int64_t at = 0; at < own.plane; ++at) {
      const std::int64_t neuron = at % own.columns;
      double v = own.voltage_before[at], s = own.emitted_before[at], currents[kCurrents];
      for (std::int64_t j = 0; j < kCurrents; ++j) currents[j] = own.current[j * own.plane + at];
      for (std::int64_t t = 0; t < own.steps; ++t) {
        double total = c.bias;
        for (std::int64_t j = 0; j < kCurrents; ++j) {
          currents[j] = next_current(j, at, currents[j], s);
          total += currents[j];
        }
        v = own.voltage[t * own.plane + at] + (own.keep[neuron] - s) * v + c.reset * s +
            own.gain[neuron] * total;
        s = 1 / (1 + std::exp(-own.slope[neuron] * (v - own.threshold[neuron])));
        emitted[static_cast<std::size_t>(t * own.plane + at)] = s;
      }
    }
  }

  void backward() {
    for (std::int64_t at = 0; at < own.plane; ++at) {
      const std::int64_t neuron = at % own.columns;
      double after = own.gradient_after[at], by_current[kCurrents];
      for (std::int64_t j = 0; j < kCurrents; ++j) {
        by_current[j] = own.current_gradient[j * own.plane + at];
      }
      for (std::int64_t t = own.steps - 1; t >= 0; --t) {
        const double s = own.emitted[t * own.plane + at];
        double by_emitted = own.emitted_gradient[t * own.plane + at] -
                            after * (own.voltage[t * own.plane + at] - c.reset);
        for (std::int64_t j = 0; j < kCurrents; ++j) {
          const std::int64_t row = j * own.columns + neuron;
          const double current = own.current[((t + 1) * kCurrents + j) * own.plane + at];
          by_emitted += by_current[j] * (own.multiplicative[row] * current + own.additive[row]);
        }
        after = by_emitted * s * (1 - s) * own.slope[neuron] + after * (own.keep[neuron] - s);
        voltage[static_cast<std::size_t>(t * own.plane + at)] = after;
        for (std::int64_t j = 0; j < kCurrents; ++j) {
          const std::int64_t row = j * own.columns + neuron;
          by_current[j] = by_current[j] * (own.multiplicative[row] * s + own.current_keep[row]) +
                          after * own.gain[neuron];
        }
      }
      for (std::int64_t j = 0; j < kCurrents; ++j) {
        current_gradient[static_cast<std::size_t>(j * own.plane + at)] = by_current[j];
      }
    }
  }

  const Layer& own;
  StepCoefficients<float> c;
  std::vector<double> emitted = std::vector<double>(static_cast<std::size_t>(own.emitted.size()));
  std::vector<double> voltage = emitted;
  std::vector<double> current_gradient =
      std::vector<double>(static_cast<std::size_t>(own.current_gradient.size()));
};

/// same() for the neurons of `found`.
bool same_neurons(benchmark::State& state, const Layer& layer, const Numbers& found,
                  const std::vector<double>& expected) {
  return same(state, found, [&](std::int64_t i) {
    return layer.is_neuron(i) ? expected[static_cast<std::size_t>(i)]
                              : static_cast<double>(found[i]);
  });
}

void count_neurons(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * kRows * state.range(0) * state.range(1));
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"neurons", "steps"})->ArgsProduct({{128, 256}, {1, 5, 10}});
}

void GlifrForwardSteps(benchmark::State& state) {
  Layer own(state.range(0), state.range(1));
  Expected expected(own);
  expected.forward();
  forward_steps(own.coefficients(), own.forward());
  if (!same_neurons(state, own, own.emitted, expected.emitted)) return;
  for (auto _ : state) {
    forward_steps(own.coefficients(), own.forward());
    benchmark::ClobberMemory();
  }
  count_neurons(state);
}
BENCHMARK(GlifrForwardSteps)->Apply(shapes);

void GlifrCurrentSteps(benchmark::State& state) {
  Layer own(state.range(0), state.range(1));
  const Expected expected(own);
  const auto step = [&] {
    current_steps(own.coefficients(), own.steps, own.emitted_before.data(), own.emitted.data(),
                  own.current.data());
  };
  step();
  const std::int64_t planes = kCurrents * own.plane;
  const auto next = [&](std::int64_t i) {
    if (i < planes || !own.is_neuron(i)) return static_cast<double>(own.current[i]);
    const std::int64_t t = i / planes - 1, j = i / own.plane % kCurrents, at = i % own.plane;
    return expected.next_current(
        j, at, own.current[i - planes],
        t == 0 ? own.emitted_before[at] : own.emitted[(t - 1) * own.plane + at]);
  };
  if (!same(state, own.current, next)) return;
  for (auto _ : state) {
    step();
    benchmark::ClobberMemory();
  }
  count_neurons(state);
}
BENCHMARK(GlifrCurrentSteps)->Apply(shapes);

void GlifrBackwardSteps(benchmark::State& state) {
  Layer own(state.range(0), state.range(1));
  Expected expected(own);
  expected.backward();
  backward_steps(own.coefficients(), own.backward(), own.gradients());
  if (!same_neurons(state, own, own.voltage, expected.voltage)) return;
  if (!same_neurons(state, own, own.current_gradient, expected.current_gradient)) return;
  for (auto _ : state) {
    backward_steps(own.coefficients(), own.backward(), own.gradients());
    benchmark::ClobberMemory();
  }
  count_neurons(state);
}
BENCHMARK(GlifrBackwardSteps)->Apply(shapes);

}  // namespace
}  // namespace afterspike::kernels
