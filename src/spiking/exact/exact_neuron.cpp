#include "exact/exact_neuron.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "afterspike/base/error.hpp"
#include "exact/exponentials.hpp"

namespace afterspike::spiking {
namespace {

std::int64_t padded(std::int64_t count) {
  return (count + 7) / 8 * 8;
}

/// Quotients of differences of rates lose as many digits as the rates share. Alpha synapses divide
/// twice.
bool well_apart(double rate, double other, bool twice) {
  return std::abs(rate - other) > (twice ? 0.1 : 0.02) * std::max(rate, other);
}

}  // namespace

ExactNeurons::ExactNeurons(const Leaky& leaky, std::int64_t begin, std::int64_t end)
    : currents_(leaky.currents),
      receptors_(leaky.synapse == SynapseShape::delta ? 0 : leaky.receptors),
      rates_(padded(kFirstCurrent + currents_ + receptors_)),
      state_size_(padded(kFirstCurrent + currents_ +
                         (leaky.synapse == SynapseShape::alpha ? 2 : 1) * receptors_)),
      row_size_(padded(2 * rates_ + kFirstOther + receptors_ + 3 * currents_ + 1)),
      row_stride_(row_size_),
      alpha_(leaky.synapse == SynapseShape::alpha),
      delta_(leaky.synapse == SynapseShape::delta),
      spike_threshold_(leaky.spike_threshold),
      voltage_threshold_(leaky.voltage_threshold),
      step_(decaying_step()) {
  require(
      state_size_ <= kMostState, ErrorKind::config,
      "exact engine: found {} after-spike currents and {} receptors, expected a state of at most"
      " {} numbers",
      currents_, receptors_, kMostState);
  coefficients_.resize(static_cast<std::size_t>((end - begin) * row_size_));
  for (std::int64_t neuron = begin; neuron < end; ++neuron) {
    fill_row(leaky, neuron, coefficients_.data() + (neuron - begin) * row_size_);
  }
  bool uniform = begin < end;
  const auto first = coefficients_.begin();
  for (std::int64_t neuron = 1; neuron < end - begin && uniform; ++neuron) {
    uniform = std::equal(first, first + row_size_, first + neuron * row_size_);
  }
  if (!uniform) return;
  row_stride_ = 0;
  coefficients_.resize(static_cast<std::size_t>(row_size_));
}

void ExactNeurons::fill_row(const Leaky& leaky, std::int64_t neuron, double* c) const {
  const auto n = static_cast<std::size_t>(neuron);
  const double membrane = leaky.conductance[n] / leaky.capacitance[n];
  c[kVoltage] = membrane;
  c[kSpikePart] = leaky.spike_decay[n];
  c[kVoltagePart] = leaky.voltage_decay[n];
  for (std::int64_t j = 0; j < currents_; ++j) {
    c[kFirstCurrent + j] = leaky.of_current(leaky.current_decay, j, neuron);
  }
  for (std::int64_t p = 0; p < receptors_; ++p) {
    c[kFirstCurrent + currents_ + p] = 1 / leaky.of_current(leaky.synapse_time_constant, p, neuron);
  }
  double* other = c + 2 * rates_;
  other[kInverseCapacitance] = 1 / leaky.capacitance[n];
  other[kConductance] = leaky.conductance[n];
  other[kThreshold] = leaky.threshold[n];
  other[kRest] = leaky.rest[n];
  other[kReset] = leaky.reset[n];
  other[kRefractory] = leaky.refractory[n];
  other[kSearch] = 0.25 / membrane;
  other[kSpikeAdd] = leaky.spike_add[n];
  other[kFraction] = leaky.reset_fraction[n];
  other[kAdd] = leaky.reset_add[n];
  other[kVoltageIndex] = leaky.voltage_index[n];
  other[kApart] = voltage_threshold_ ? 0 : 1;
  double* gains = c + rates_;
  gains[kExternal] = 1 / leaky.conductance[n];
  double* left = other + kFirstOther;
  for (std::int64_t i = 0; i < currents_ + receptors_; ++i) {
    const double rate = c[kFirstCurrent + i];
    gains[kFirstCurrent + i] = 1 / (leaky.capacitance[n] * (membrane - rate));
    left[i] = std::exp(-rate * other[kSearch]);
    if (!well_apart(membrane, rate, alpha_ && i >= currents_)) other[kApart] = 0;
  }
  other[kPlain] = alpha_ ? 0 : other[kApart];
  double* at_spike = left + currents_ + receptors_;
  for (std::int64_t j = 0; j < currents_; ++j) {
    at_spike[2 * j] = leaky.of_current(leaky.multiplier, j, neuron) *
                      std::exp(-c[kFirstCurrent + j] * leaky.refractory[n]);
    at_spike[2 * j + 1] = leaky.of_current(leaky.amplitude, j, neuron);
  }
  at_spike[2 * currents_] = std::exp(-leaky.spike_decay[n] * leaky.refractory[n]);
}

void ExactNeurons::initial_state(double voltage, double* state) const {
  std::fill_n(state, state_size_, 0.0);
  state[kVoltage] = voltage;
}

double ExactNeurons::after_spike_current(const double* state) const {
  double sum = 0;
  for (std::int64_t j = 0; j < currents_; ++j) sum += state[kFirstCurrent + j];
  return sum;
}

double ExactNeurons::synaptic_current(const double* state) const {
  const double* current = state + kFirstCurrent + currents_ + (alpha_ ? receptors_ : 0);
  double sum = 0;
  for (std::int64_t p = 0; p < receptors_; ++p) sum += current[p];
  return sum;
}

void ExactNeurons::propagate_otherwise(const double* c, const double* from, double time,
                                       double* to) const {
  if (c[2 * rates_ + kApart] == 0) return propagate_carefully(c, from, time, to);
  propagate_alpha(c, from, time, to);
}

void ExactNeurons::propagate_alpha(const double* c, const double* from, double time,
                                   double* to) const {
  alignas(64) std::array<double, kMostState> e;
  decay_factors(c, rates_, time, e.data());
  const double* gains = c + rates_;
  const double membrane = e[kVoltage], inverse = c[2 * rates_ + kInverseCapacitance];
  double voltage = from[kVoltage] * membrane + from[kExternal] * (1 - membrane) * gains[kExternal];
  to[kSpikePart] = from[kSpikePart] * e[kSpikePart];
  to[kVoltagePart] = from[kVoltagePart];
  to[kExternal] = from[kExternal];
  const auto synapses = static_cast<std::size_t>(kFirstCurrent + currents_);
  const auto receptors = static_cast<std::size_t>(receptors_);
  for (std::size_t i = kFirstCurrent; i < synapses; ++i) {
    voltage += from[i] * gains[i] * (e[i] - membrane);
    to[i] = from[i] * e[i];
  }
  for (std::size_t p = synapses; p < synapses + receptors; ++p) {
    const double rise = from[p], current = from[p + receptors];
    const double difference = e[p] - membrane;
    const double gap = gains[p] / inverse;
    voltage += gains[p] * (current * difference + rise * (time * e[p] - gap * difference));
    to[p] = rise * e[p];
    to[p + receptors] = (current + rise * time) * e[p];
  }
  to[kVoltage] = voltage;
}

void ExactNeurons::propagate_carefully(const double* c, const double* from, double time,
                                       double* to) const {
  const double* other = c + 2 * rates_;
  const double index = other[kVoltageIndex];
  double voltage = from[kVoltage] * std::exp(-c[kVoltage] * time);
  double part = voltage_threshold_ ? from[kVoltagePart] * std::exp(-c[kVoltagePart] * time) : 0;
  /// Adds the effect of `amount` of a current to both. The current decays by `rates`, one after
  /// another.
  const auto drive = [&](double amount, std::initializer_list<double> rates) {
    if (amount == 0) return;
    std::array<double, 4> chain{};
    std::copy(rates.begin(), rates.end(), chain.begin());
    const std::size_t count = rates.size();
    chain[count] = c[kVoltage];
    voltage += amount * convolved_decays({chain.data(), count + 1}, time);
    if (!voltage_threshold_) return;
    std::copy(rates.begin(), rates.end(), chain.begin());
    chain[count] = c[kVoltage];
    chain[count + 1] = c[kVoltagePart];
    part += index * amount * convolved_decays({chain.data(), count + 2}, time);
  };
  if (voltage_threshold_) {
    std::array<double, 2> chain = {c[kVoltage], c[kVoltagePart]};
    part += index * from[kVoltage] * convolved_decays(chain, time);
  }
  const double inverse = other[kInverseCapacitance];
  drive(from[kExternal] * inverse, {0.0});
  const double* amount = from + kFirstCurrent;
  double* next = to + kFirstCurrent;
  const std::int64_t plain = currents_ + (alpha_ ? 0 : receptors_);
  for (std::int64_t i = 0; i < plain; ++i) {
    drive(amount[i] * inverse, {c[kFirstCurrent + i]});
    next[i] = amount[i] * std::exp(-c[kFirstCurrent + i] * time);
  }
  for (std::int64_t p = plain; alpha_ && p < plain + receptors_; ++p) {
    const double rise = amount[p], current = amount[p + receptors_];
    drive(current * inverse, {c[kFirstCurrent + p]});
    drive(rise * inverse, {c[kFirstCurrent + p], c[kFirstCurrent + p]});
    const double decay = std::exp(-c[kFirstCurrent + p] * time);
    next[p] = rise * decay;
    next[p + receptors_] = (current + rise * time) * decay;
  }
  to[kSpikePart] = from[kSpikePart] * std::exp(-c[kSpikePart] * time);
  to[kVoltagePart] = part;
  to[kExternal] = from[kExternal];
  to[kVoltage] = voltage;
}

void ExactNeurons::propagate_synapses(std::int64_t neuron, double* state, double time) const {
  const double* rates = row(neuron) + kFirstCurrent + currents_;
  double* first = state + kFirstCurrent + currents_;
  for (std::int64_t p = 0; p < receptors_; ++p) {
    const double decay = std::exp(-rates[p] * time);
    if (alpha_) first[p + receptors_] = (first[p + receptors_] + first[p] * time) * decay;
    first[p] *= decay;
  }
}

void ExactNeurons::receive(std::int64_t neuron, double* state, std::int64_t receptor, double weight,
                           double age) const {
  if (delta_) {
    if (age == 0) state[kVoltage] += weight;  // Events during refractoriness are lost.
    return;
  }
  const double rate = row(neuron)[kFirstCurrent + currents_ + receptor];
  double* first = state + kFirstCurrent + currents_ + receptor;
  const double decay = age == 0 ? 1 : std::exp(-rate * age);
  if (!alpha_) {
    *first += weight * decay;
    return;
  }
  const double rise = weight * std::numbers::e * rate * decay;
  first[0] += rise;
  first[receptors_] += rise * age;
}

void ExactNeurons::spike(std::int64_t neuron, double* state) const {
  const double* other = row(neuron) + 2 * rates_;
  const double* at_spike = other + kFirstOther + currents_ + receptors_;
  for (std::int64_t j = 0; j < currents_; ++j) {
    double& current = state[kFirstCurrent + j];
    current = current * at_spike[2 * j] + at_spike[2 * j + 1];
  }
  if (spike_threshold_) {
    state[kVoltage] = other[kFraction] * state[kVoltage] + other[kAdd];
    state[kSpikePart] = state[kSpikePart] * at_spike[2 * currents_] + other[kSpikeAdd];
  } else {
    state[kVoltage] = other[kReset];
  }
  propagate_synapses(neuron, state, other[kRefractory]);
}

double ExactNeurons::quiet_time(std::int64_t neuron, const double* state) const {
  const double* c = row(neuron);
  const double* other = c + 2 * rates_;
  const double* left = other + kFirstOther;
  // Bounds of the sum of all currents from here on: the peak of what drives and what inhibits, and
  // what drive can add to the voltage at most. `release` is how much of the inhibition is over at
  // the end of a search, so that over such a length it may be counted.
  const double external = state[kExternal], conductance = other[kConductance];
  const double resistance = 1 / conductance, inverse = other[kInverseCapacitance];
  double highest = external, lowest = external, inhibition = 0, lift = 0;
  const auto add = [&](double current, double rate, double remains) {
    if (current > 0) {
      highest += current;
      lift += current * std::min(resistance, inverse / rate);
    } else {
      lowest += current;
      inhibition += current * remains;
    }
  };
  const std::int64_t plain = currents_ + (alpha_ ? 0 : receptors_);
  for (std::int64_t i = 0; i < plain; ++i)
    add(state[kFirstCurrent + i], c[kFirstCurrent + i], left[i]);
  for (std::int64_t p = plain; p < currents_ + receptors_; ++p) {
    const double rate = c[kFirstCurrent + p], rise = state[kFirstCurrent + p];
    const double current = state[kFirstCurrent + p + receptors_];
    // The part that still rises to its peak, rise / (e rate); its charge is rise / rate^2.
    const double peak = rise / (std::numbers::e * rate);
    add(current, rate, left[p]);
    highest += std::max(peak, 0.0);
    lowest += std::min(peak, 0.0);
    lift += std::max(0.0, std::min(peak * resistance, rise * inverse / (rate * rate)));
  }
  const double voltage = state[kVoltage];
  double floor = other[kThreshold] + std::min(state[kSpikePart], 0.0);
  double fall = c[kSpikePart] * std::max(state[kSpikePart], 0.0);  // Fall of threshold, mV/ms.
  if (voltage_threshold_) {
    const double index = other[kVoltageIndex], decay = c[kVoltagePart];
    const double low = std::min(voltage, lowest * resistance);
    const double high = std::max(voltage, highest * resistance);
    const double least = std::min(index * low, index * high);
    const double most = std::max(index * low, index * high);
    floor += std::min(state[kVoltagePart], least / decay);
    fall += std::max(0.0, decay * std::max(state[kVoltagePart], most / decay) - least);
  }
  if (std::max(voltage, external * resistance) + lift < floor) return kNone;
  const double below = -excess(neuron, state);
  const double drift = (highest - conductance * voltage) * inverse;
  const double soon = std::max(0.0, drift + inhibition * inverse) + fall;
  const double ever = std::max(0.0, drift) + fall;
  const double for_ever = ever > 0 ? below / ever : kNone;
  const double within_search = soon > 0 ? below / soon : kNone;
  return std::max(for_ever, std::min(within_search, other[kSearch]));
}

}  // namespace afterspike::spiking
