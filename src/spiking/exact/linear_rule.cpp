#include "exact/linear_rule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "afterspike/base/rng.hpp"
#include "exact/crossing_search.hpp"
#include "exact/linear_flow.hpp"

namespace afterspike::spiking {
namespace {

constexpr double kForEver = std::numeric_limits<double>::infinity();

/// Neurons that spike where their drive, voltage minus threshold, rises above 0.
class ThresholdRule final : public LinearFlow {
 public:
  using LinearFlow::LinearFlow;

  void changed(std::int64_t neuron, double* state, Outlook& outlook) const override;
  void look_ahead(std::int64_t neuron, double* state, Outlook& outlook) const override;

 private:
  /// A neuron as CrossingSearch sees it.
  struct Flow {
    using State = LinearFlow::State;
    const ThresholdRule& rule;
    std::int64_t neuron;
    const double* base;

    const LinearNeuron& own() const { return rule.form(neuron).neuron; }
    void at(double time, State& state) const { rule.propagate(neuron, base, time, state.data()); }
    double excess(const State& state) const { return sum(own().drive, state.data()); }
    double slope(const State& state) const {
      return sum({0, own().drive.weights}, derivative(own(), state.data()).data());
    }
    SlopeBounds bounds(const State& start, const State& /*end*/, double length) const {
      const Row first = derivative(own(), start.data());
      const Row second = derivative(own(), first.data());
      const Row& weights = own().drive.weights;
      return {rule.bounds(own(), weights, first.data(), length),
              rule.bounds(own(), weights, second.data(), length), sum({0, weights}, first.data())};
    }
  };

  double quiet_time(const LinearNeuron& neuron, const double* state) const;
};

/// A time, ms, for which the drive stays below 0. REQUIRES: it is not above 0.
double ThresholdRule::quiet_time(const LinearNeuron& neuron, const double* state) const {
  const LinearNeuron::Sum& drive = neuron.drive;
  if (drive.offset + bounds(neuron, drive.weights, state, kForEver).high < 0) return kForEver;
  const Row slope = derivative(neuron, state);
  const double rise = bounds(neuron, drive.weights, slope.data(), neuron.search).high;
  return rise > 0 ? std::min(neuron.search, -sum(drive, state) / rise) : neuron.search;
}

void ThresholdRule::changed(std::int64_t neuron, double* state, Outlook& outlook) const {
  const LinearNeuron& own = form(neuron).neuron;
  outlook.spikes = state[kWithheld] <= 0 && sum(own.drive, state) > 0;
  double quiet = state[kWithheld];
  if (quiet <= 0 && !outlook.spikes) quiet = quiet_time(own, state);
  outlook.quiet_until = outlook.time + quiet;
}

/// As LeakyRule does.
void ThresholdRule::look_ahead(std::int64_t neuron, double* state, Outlook& outlook) const {
  const LinearNeuron& own = form(neuron).neuron;
  const Flow flow{*this, neuron, state};
  const double begin = outlook.quiet_until - outlook.time;
  State start, stop;
  flow.at(begin, start);
  if (flow.excess(start) > 0) {
    outlook.spikes = true;
    return;
  }
  const double quiet = quiet_time(own, start.data());
  constexpr double kWorthwhile = 0.125;
  if (quiet >= kWorthwhile * own.search) {
    outlook.quiet_until += quiet;
    return;
  }
  const double end = begin + own.search + begin;
  flow.at(end, stop);
  const double crossing =
      CrossingSearch(flow, crossing_tolerance(outlook.time + end)).first(begin, start, end, stop);
  outlook.spikes = crossing != kNoCrossing;
  outlook.quiet_until = outlook.time + (outlook.spikes ? crossing : end);
}

/// Neurons that spike at random, at a rate that is a function h of their drive u.
///
/// Spikes are drawn by thinning (Lewis and Shedler 1979). Let H >= h(u(t)) over (begin, begin + L].
/// The next point of a Poisson process of rate H is a candidate; if none lies in the interval, the
/// next interval follows. A candidate at c is a spike with probability h(u(c)) / H. Kept candidates
/// are a process of rate h(u(t)), because a Poisson process of rate H that keeps its points
/// independently with p(t) has the rate H p(t).
///
/// H is a bound: u lies within [low, high] over the interval by LinearFlow::bounds, and h has no
/// maximum inside an interval, so h(u) <= max(h(low), h(high)). As L -> 0, low and high tend to
/// u(begin), so H tends to h(u(begin)) and halving ends.
///
/// An event at e < c changes u. Until e the candidates were exact, and a Poisson process has no
/// memory, so new ones are drawn from e on. Each drawing takes the next numbers of the neuron's own
/// stream. Its count is part of the state: how often the neuron is looked at follows from the
/// events alone, so spikes depend neither on recording nor on where runs stop.
class HazardRule final : public LinearFlow {
 public:
  HazardRule(const Layout& layout, const Piece& piece, LinearModel model)
      : LinearFlow(layout, piece, std::move(model)), layout_(layout), piece_(piece) {}

  void changed(std::int64_t neuron, double* state, Outlook& outlook) const override {
    outlook.spikes = false;
    outlook.quiet_until = outlook.time + state[kWithheld];
    if (state[kWithheld] <= 0) look_ahead(neuron, state, outlook);
  }
  void look_ahead(std::int64_t neuron, double* state, Outlook& outlook) const override;

 private:
  struct Interval {
    double length, bound;
  };

  double hazard(const LinearNeuron& own, const double* state) const {
    return model_.hazard(own.hazard, sum(own.drive, state));
  }
  double bound(const LinearNeuron& own, const double* start, double length) const;
  Interval interval(const LinearNeuron& own, const double* start, double length) const;
  Rng draw(std::int64_t neuron, double* state) const;

  const Layout& layout_;
  Piece piece_;
};

double HazardRule::bound(const LinearNeuron& own, const double* start, double length) const {
  const Bounds range = bounds(own, own.drive.weights, start, length);
  return std::max(model_.hazard(own.hazard, own.drive.offset + range.low),
                  model_.hazard(own.hazard, own.drive.offset + range.high));
}

/// An interval from `start` over which few candidates are rejected: for ever if the hazard hardly
/// changes, else one that has at most a candidate on average, or where the bound is twice the
/// hazard.
HazardRule::Interval HazardRule::interval(const LinearNeuron& own, const double* start,
                                          double length) const {
  const double enough = 2 * hazard(own, start);
  const double ever = bound(own, start, kForEver);
  if (ever <= enough) return {kForEver, ever};
  constexpr double kShortest = 1e-12;
  double high = bound(own, start, length);
  for (; high > enough && high * length > 1 && length > kShortest; length *= 0.5) {
    high = bound(own, start, 0.5 * length);
  }
  return {length, high};
}

Rng HazardRule::draw(std::int64_t neuron, double* state) const {
  const auto number = static_cast<std::uint64_t>(state[kDraws]++);
  return Rng(layout_.options.seed)
      .stream("escape")
      .stream(layout_.population(piece_.population).name)
      .stream("neuron", static_cast<std::uint64_t>(piece_.begin + neuron))
      .stream("draw", number);
}

void HazardRule::look_ahead(std::int64_t neuron, double* state, Outlook& outlook) const {
  const LinearNeuron& own = form(neuron).neuron;
  const double begin = outlook.quiet_until - outlook.time;
  State there;
  propagate(neuron, state, begin, there.data());
  const Interval next = interval(own, there.data(), own.search + begin);
  Rng random = draw(neuron, state);
  const double gap = next.bound > 0 ? -std::log1p(-random.uniform()) / next.bound : kForEver;
  outlook.quiet_until = outlook.time + begin + std::min(gap, next.length);
  if (gap >= next.length) return;
  propagate(neuron, state, begin + gap, there.data());
  // The spike comes at once if no interval is short enough for a finite bound.
  outlook.spikes =
      std::isinf(next.bound) || random.uniform() * next.bound < hazard(own, there.data());
}

}  // namespace

std::unique_ptr<ExactRule> make_linear_rule(const Layout& layout, const Piece& piece,
                                            LinearModel model) {
  if (model.hazard == nullptr) {
    return std::make_unique<ThresholdRule>(layout, piece, std::move(model));
  }
  return std::make_unique<HazardRule>(layout, piece, std::move(model));
}

}  // namespace afterspike::spiking
