// How fast is what GLIFR neurons do beside their matrix products? A shard of 32 rows, two
// after-spike currents.

#include <algorithm>
#include <cmath>

#include "kernels/glifr_steps.hpp"
#include "numbers.hpp"

namespace afterspike::kernels {
namespace {

using testing::Numbers;
using testing::same;

constexpr std::int64_t kRows = 32, kCurrents = 2;

/// A step with all that it takes, for so many neurons and as many more as rows lie apart in
/// training.
struct Layer {
  explicit Layer(std::int64_t neurons)
      : columns(apart_in_cache<float>(neurons)),
        plane(kRows * columns),
        threshold(columns, "threshold", -0.5, 1),
        slope(columns, "slope", 0.5, 2),
        keep(columns, "keep", 0.5, 1),
        gain(columns, "gain", 0.1, 0.5),
        current_keep(kCurrents * columns, "current_keep", 0.3, 0.9),
        multiplicative(kCurrents * columns, "multiplicative", -0.3, 0.3),
        additive(kCurrents * columns, "additive", -1, 1),
        voltage_before(plane, "voltage_before", -1, 1),
        emitted_before(plane, "emitted_before", 0, 1),
        voltage(plane, "voltage", -1, 1),
        voltage_after(plane, "voltage_after", -1, 1),
        emitted(plane, "emitted", 0, 1),
        emitted_gradient(plane, "emitted_gradient", -1, 1),
        current(kCurrents * plane, "current", -1, 1),
        current_gradient(kCurrents * plane, "current_gradient", -1, 1),
        sums((4 + 3 * kCurrents) * columns) {}

  StepCoefficients<float> coefficients() const {
    StepCoefficients<float> c;
    c.rows = kRows;
    c.columns = c.width = columns;
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

  /// I_j(t) of an element, from what `before` holds.
  double next_current(std::int64_t j, std::int64_t at, const Numbers& before) const {
    const std::int64_t neuron = j * columns + at % columns;
    const double value = before[j * plane + at];
    return current_keep[neuron] * value +
           (additive[neuron] + multiplicative[neuron] * value) * emitted_before[at];
  }

  std::int64_t columns, plane;
  Numbers threshold, slope, keep, gain, current_keep, multiplicative, additive;
  Numbers voltage_before, emitted_before, voltage, voltage_after, emitted, emitted_gradient;
  Numbers current, current_gradient, sums;
};

void count_neurons(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * kRows * state.range(0));
}

void GlifrForwardStep(benchmark::State& state) {
  Layer own(state.range(0));
  const Layer given(state.range(0));
  const StepCoefficients<float> c = own.coefficients();
  const ForwardSteps<float> step{1,
                                 own.voltage_before.data(),
                                 own.emitted_before.data(),
                                 own.voltage.data(),
                                 own.emitted.data(),
                                 own.current.data(),
                                 nullptr};
  forward_steps(c, step);
  const auto rate = [&](std::int64_t at) {
    const std::int64_t neuron = at % own.columns;
    double total = c.bias;
    for (std::int64_t j = 0; j < kCurrents; ++j) total += own.next_current(j, at, given.current);
    const double voltage =
        given.voltage[at] +
        (given.keep[neuron] - given.emitted_before[at]) * own.voltage_before[at] +
        c.reset * given.emitted_before[at] + given.gain[neuron] * total;
    return 1 / (1 + std::exp(-given.slope[neuron] * (voltage - given.threshold[neuron])));
  };
  if (!same(state, own.emitted, rate)) return;
  for (auto _ : state) {
    forward_steps(c, step);
    benchmark::ClobberMemory();
  }
  count_neurons(state);
}
BENCHMARK(GlifrForwardStep)->ArgName("neurons")->Arg(128)->Arg(256);

void GlifrCurrentStep(benchmark::State& state) {
  const Layer own(state.range(0));
  const std::int64_t planes = kCurrents * own.plane;
  Numbers current(2 * planes, "current", -1, 1);  // before the step, and at it
  const auto step = [&] {
    current_steps(own.coefficients(), 1, own.emitted_before.data(), own.emitted.data(),
                  current.data());
  };
  step();
  const auto expected = [&](std::int64_t i) {
    return i < planes ? static_cast<double>(own.current[i])
                      : own.next_current((i - planes) / own.plane, i % own.plane, own.current);
  };
  if (!same(state, current, expected)) return;
  for (auto _ : state) {
    step();
    benchmark::ClobberMemory();
  }
  count_neurons(state);
}
BENCHMARK(GlifrCurrentStep)->ArgName("neurons")->Arg(128)->Arg(256);

/// The gradient by V(t): through S(t) and through V(t+1).
double voltage_gradient(const Layer& given, const StepCoefficients<float>& c, std::int64_t at) {
  const std::int64_t neuron = at % given.columns;
  const double emitted = given.emitted[at], after = given.voltage_after[at];
  double by_emitted = given.emitted_gradient[at] - after * (given.voltage[at] - c.reset);
  for (std::int64_t j = 0; j < kCurrents; ++j) {
    const std::int64_t own = j * given.columns + neuron;
    by_emitted +=
        given.current_gradient[j * given.plane + at] *
        (given.multiplicative[own] * given.current[j * given.plane + at] + given.additive[own]);
  }
  return by_emitted * emitted * (1 - emitted) * given.slope[neuron] +
         after * (given.keep[neuron] - emitted);
}

void GlifrBackwardStep(benchmark::State& state) {
  Layer own(state.range(0));
  const Layer given(state.range(0));
  const StepCoefficients<float> c = own.coefficients();
  Numbers current(2 * kCurrents * own.plane);  // before the step, and at it: the same
  std::copy_n(given.current.data(), kCurrents * own.plane, current.data());
  std::copy_n(given.current.data(), kCurrents * own.plane, current.data() + kCurrents * own.plane);
  const BackwardSteps<float> step{1,
                                  own.voltage_before.data(),
                                  own.emitted_before.data(),
                                  own.voltage.data(),
                                  own.voltage_after.data(),
                                  own.emitted.data(),
                                  own.emitted_gradient.data(),
                                  current.data(),
                                  own.current_gradient.data(),
                                  nullptr};
  backward_steps(c, step, own.gradients());
  const auto by_voltage = [&](std::int64_t at) { return voltage_gradient(given, c, at); };
  const auto by_current = [&](std::int64_t i) {
    const std::int64_t at = i % own.plane, neuron = at % own.columns;
    const std::int64_t row = i / own.plane * own.columns + neuron;
    return given.current_gradient[i] *
               (given.multiplicative[row] * static_cast<double>(given.emitted[at]) +
                given.current_keep[row]) +
           voltage_gradient(given, c, at) * given.gain[neuron];
  };
  if (!same(state, own.voltage, by_voltage)) return;
  if (!same(state, own.current_gradient, by_current)) return;
  for (auto _ : state) {
    backward_steps(c, step, own.gradients());
    benchmark::ClobberMemory();
  }
  count_neurons(state);
}
BENCHMARK(GlifrBackwardStep)->ArgName("neurons")->Arg(128)->Arg(256);

}  // namespace
}  // namespace afterspike::kernels
