#include <algorithm>
#include <cmath>
#include <limits>

#include "afterspike/single_neuron/study.hpp"
#include "networks.hpp"

namespace afterspike::single_neuron {
namespace {

/// Part of the duration for which a neuron rests before a step.
constexpr double kRest = 0.1;

/// Ladder of tried currents, in powers of ten of the model's unit.
constexpr int kLowestDecade = -3, kHighestDecade = 6, kRungs = 8;

constexpr double kRelativeError = 1e-4;
constexpr int kSections = 8, kMostRounds = 24;

Responses steps_of(const Neuron& neuron, const std::vector<double>& currents, bool is_active,
                   const Protocol& protocol, Steps& steps) {
  steps.amplitudes = currents;
  // An active neuron would be anywhere in its cycle after a rest.
  steps.onset_ms = is_active ? 0 : on_grid(neuron, kRest * protocol.duration_ms);
  steps.stop_ms = steps.end_ms = steps.onset_ms + on_grid(neuron, protocol.duration_ms);
  steps.trials = protocol.trials;
  steps.seed = protocol.seed;
  return respond(neuron, steps);
}

/// Whether each current makes the neuron spike in at least half of the trials. A current that
/// cannot be simulated is a strong one.
std::vector<bool> spiking_at(const Neuron& neuron, const std::vector<double>& currents,
                             bool is_active, const Protocol& protocol) {
  Steps steps;
  const Responses responses = steps_of(neuron, currents, is_active, protocol, steps);
  std::vector<bool> result;
  for (std::size_t at = 0; at < currents.size(); ++at) {
    std::int64_t spiking = 0;
    for (const auto& spikes : responses.spikes_ms[at]) {
      spiking += !spikes.empty() && spikes.back() > steps.onset_ms ? 1 : 0;
    }
    result.push_back(responses.failed[at] ? currents[at] > 0 : 2 * spiking >= protocol.trials);
  }
  return result;
}

/// The first rung of the ladder at which the neuron spikes (or, downwards, no longer does), and the
/// one before it. Empty without one.
std::optional<std::pair<double, double>> climb(const Neuron& neuron, bool is_active,
                                               const Protocol& protocol) {
  const double sign = is_active ? -1 : 1;
  double before = 0;
  for (int decade = kLowestDecade; decade < kHighestDecade; ++decade) {
    std::vector<double> currents;
    for (int rung = 0; rung < kRungs; ++rung) {
      currents.push_back(sign * std::pow(10, decade + static_cast<double>(rung) / kRungs));
    }
    const std::vector<bool> spiking = spiking_at(neuron, currents, is_active, protocol);
    for (std::size_t at = 0; at < currents.size(); ++at) {
      if (spiking[at] != is_active) return std::pair(currents[at], before);
      before = currents[at];
    }
  }
  return std::nullopt;
}

/// Whether an active neuron that is silent under a current stays so. A large negative current may
/// only delay its spikes.
bool stays_silent(const Neuron& neuron, double current, const Protocol& protocol) {
  constexpr double kLonger = 10, kFurther = 0.05;
  Protocol longer = protocol;
  longer.duration_ms *= kLonger;
  return !spiking_at(neuron, {current - kFurther * std::abs(current)}, true, longer)[0];
}

/// A round number of at least `value`: 1, 2 or 5 times a power of ten.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

/// The current above the rheobase at which the rate is 50 spikes/s, or 90 % of the highest rate.
double enough(const Neuron& neuron, double rheobase, bool is_active, const Protocol& protocol) {
  constexpr double kTarget = 50, kFraction = 0.9, kDecline = 0.5;
  std::vector<double> above, rates;
  double highest = 0;
  const double unit = rheobase == 0 ? 1 : std::abs(rheobase);
  for (int decade = -2; decade < 5 && highest < kTarget; ++decade) {
    std::vector<double> currents;
    for (int rung = 0; rung < 4; ++rung) {
      above.push_back(unit * std::pow(10, decade + 0.25 * rung));
      currents.push_back(rheobase + above.back());
    }
    const FiCurve curve = fi_curve(neuron, currents, is_active, protocol);
    double own = 0;
    for (std::size_t at = 0; at < currents.size(); ++at) {
      rates.push_back(curve.failed[at] ? 0 : curve.rates[at].steady_per_s);
      own = std::max(own, rates.back());
    }
    const bool failed =
        std::find(curve.failed.begin(), curve.failed.end(), true) != curve.failed.end();
    if (failed || own < kDecline * highest) break;
    highest = std::max(highest, own);
  }
  const double target = std::min(kTarget, kFraction * highest);
  for (std::size_t at = 0; at < rates.size(); ++at) {
    if (rates[at] > 0 && rates[at] >= target) return above[at];
  }
  return unit;
}

}  // namespace

Rheobase find_rheobase(const Neuron& neuron, const Protocol& protocol) {
  Rheobase result;
  result.is_active = spiking_at(neuron, {0}, false, protocol)[0];
  const auto found = climb(neuron, result.is_active, protocol);
  if (!found) return result;
  double low = std::min(found->first, found->second), high = std::max(found->first, found->second);
  for (int round = 0; round < kMostRounds; ++round) {
    if (high - low <= kRelativeError * std::max(std::abs(low), std::abs(high))) break;
    std::vector<double> currents;
    for (int at = 1; at < kSections; ++at) {
      currents.push_back(low + (high - low) * at / kSections);
    }
    const std::vector<bool> spiking = spiking_at(neuron, currents, result.is_active, protocol);
    const auto first = std::find(spiking.begin(), spiking.end(), true) - spiking.begin();
    const auto place = static_cast<std::size_t>(first);
    if (place < currents.size()) high = currents[place];
    if (place > 0) low = currents[place - 1];
  }
  // A random neuron may spike at any current if one waits.
  const bool is_delayed =
      result.is_active && !neuron.is_random && !stays_silent(neuron, low, protocol);
  if (is_delayed) return result;
  result.current = high;
  result.silent = low;
  return result;
}

FiCurve fi_curve(const Neuron& neuron, const std::vector<double>& currents, bool is_active,
                 const Protocol& protocol) {
  Steps steps;
  const Responses responses = steps_of(neuron, currents, is_active, protocol, steps);
  FiCurve curve{currents, {}, responses.failed, responses.failure};
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t at = 0; at < currents.size(); ++at) {
    curve.rates.push_back(responses.failed[at] ? Rates{kNone, kNone, kNone, kNone, kNone, kNone}
                                               : measure_rates(responses.spikes_ms[at],
                                                               steps.onset_ms, steps.stop_ms));
  }
  return curve;
}

std::vector<double> choose_currents(const Neuron& neuron, const Rheobase& rheobase,
                                    const Protocol& protocol) {
  if (!rheobase.current && !rheobase.is_active) return {};
  constexpr double kIntervals = 50, kBeyond = 1.5, kBelow = 0.2;
  const double least = rheobase.current.value_or(0);
  double span =
      std::max(kBeyond * enough(neuron, least, rheobase.is_active, protocol), 2 * std::abs(least));
  if (!rheobase.current) span = std::max(span, 1.0);
  double low = rheobase.is_active ? least - kBelow * span : 0;
  if (!rheobase.current) low = -span;
  const double step = round_up((least + span - low) / kIntervals);
  std::vector<double> currents;
  for (double at = std::floor(low / step); at * step < least + span + step; ++at) {
    currents.push_back(at * step);
  }
  return currents;
}

}  // namespace afterspike::single_neuron
