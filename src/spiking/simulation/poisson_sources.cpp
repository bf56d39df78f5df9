// Poisson spikes in continuous time. On a grid they count where the step ends that they fall in.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <queue>
#include <tuple>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "simulation/sources.hpp"

namespace afterspike::spiking {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// Random spikes of independent neurons. A neuron's n-th draw is a function of the seed, the
/// population's name, the neuron and n.
class Poisson : public Source {
 public:
  Poisson(const Layout& layout, std::int64_t population)
      : layout_(layout), index_(population), population_(layout.population(population)) {}

  void emit(const Window& window, std::vector<Emission>& emissions) override {
    while (!next_.empty() && next_.top().time <= window.end_ms) {
      const Due due = next_.top();
      next_.pop();
      emissions.push_back(
          {due.time, -1, layout_.neuron({index_, 0, population_.size}, due.neuron), 1});
      push(next(due.neuron, due.time, due.number + 1));
    }
  }

  void go_to(double /*time_ms*/) override {
    next_ = {};
    for (std::int64_t neuron = 0; neuron < population_.size; ++neuron) push(next(neuron, 0, 0));
  }

  void save(State& state) const override {
    auto& array = state.arrays[population_.name + "/next"];
    for (auto copy = next_; !copy.empty(); copy.pop()) {
      array.insert(array.end(), {static_cast<double>(copy.top().neuron), copy.top().time,
                                 static_cast<double>(copy.top().number)});
    }
  }

  void check(const State& state) const override { saved(state); }

  void restore(const State& state) override {
    next_ = {};
    const std::span<const double> rows = saved(state);
    for (std::size_t at = 0; at < rows.size(); at += 3) {
      next_.push({rows[at + 1], static_cast<std::int64_t>(rows[at]),
                  static_cast<std::uint64_t>(rows[at + 2])});
    }
  }

 protected:
  struct Due {
    double time;  ///< kNever: no spike follows.
    std::int64_t neuron;
    std::uint64_t number;  ///< Number of the last draw.

    /// The queue has the greatest on top.
    bool operator<(const Due& other) const {
      return std::tie(other.time, other.neuron) < std::tie(time, neuron);
    }
  };

  /// The first spike of a neuron after `time`; `number` is that of the first draw to use.
  virtual Due next(std::int64_t neuron, double time, std::uint64_t number) const = 0;

  Rng draw(std::int64_t neuron, std::uint64_t number) const {
    return Rng(layout_.options.seed)
        .stream("poisson")
        .stream(population_.name)
        .stream("neuron", static_cast<std::uint64_t>(neuron))
        .stream("gap", number);
  }
  /// A waiting time at rate 1.
  static double wait(Rng& random) { return -std::log1p(-random.uniform()); }
  double column(const char* name, std::int64_t neuron) const {
    return population_.column(name)[static_cast<std::size_t>(neuron)];
  }
  const Population& population() const { return population_; }

 private:
  void push(const Due& due) {
    if (due.time != kNever) next_.push(due);
  }

  /// Neuron, time and number of each next spike.
  std::span<const double> saved(const State& state) const {
    return saved_rows(state, population_.name + "/next", 3, [&](const double* due) {
      return is_index(due[0], 0, static_cast<double>(population_.size)) && std::isfinite(due[1]) &&
             due[1] >= state.time_ms && is_index(due[2], 0, kMostWhole);
    });
  }

  const Layout& layout_;
  std::int64_t index_;
  const Population& population_;
  std::priority_queue<Due> next_;
};

class Homogeneous final : public Poisson {
 public:
  Homogeneous(const Layout& layout, std::int64_t population) : Poisson(layout, population) {
    go_to(0);
  }

 private:
  Due next(std::int64_t neuron, double time, std::uint64_t number) const override {
    const double per_ms = column("rate", neuron) * 1e-3;
    if (per_ms == 0) return {kNever, neuron, number};
    Rng random = draw(neuron, number);
    return {time + wait(random) / per_ms, neuron, number};
  }
};

/// The rate in steps. The integral of the rate between two spikes is a waiting time at rate 1.
class Stepped final : public Poisson {
 public:
  Stepped(const Layout& layout, std::int64_t population) : Poisson(layout, population) { go_to(0); }

 private:
  Due next(std::int64_t neuron, double time, std::uint64_t number) const override {
    const RateSteps& steps = population().rates;
    Rng random = draw(neuron, number);
    double left = wait(random);
    auto at = static_cast<std::size_t>(
        std::upper_bound(steps.times_ms.begin(), steps.times_ms.end(), time) -
        steps.times_ms.begin());  // The step after the present one.
    for (; at <= steps.times_ms.size(); ++at) {
      const double per_ms = at == 0 ? 0 : steps.rates_hz[at - 1] * 1e-3;
      const double end = at == steps.times_ms.size() ? kNever : steps.times_ms[at];
      if (per_ms > 0 && left <= per_ms * (end - time)) {
        return {std::min(time + left / per_ms, end), neuron, number};
      }
      if (per_ms > 0) left -= per_ms * (end - time);
      time = end;
    }
    return {kNever, neuron, number};
  }
};

/// The rate max(0, rate + amplitude sin(2 pi frequency t + phase)), by thinning: candidates of a
/// Poisson process whose rate is the highest of an interval remain with the probability that is the
/// quotient of both rates.
class Sinusoidal final : public Poisson {
 public:
  Sinusoidal(const Layout& layout, std::int64_t population) : Poisson(layout, population) {
    go_to(0);
  }

 private:
  /// Rates in 1/ms, times in ms, and the phase in turns, with an amplitude that is not negative.
  struct Wave {
    double rate, amplitude, per_ms, phase;

    double turns(double time) const { return per_ms * time + phase; }
    double at(double time) const {
      const double turn = turns(time) - std::floor(turns(time));
      return std::max(0.0, rate + amplitude * std::sin(2 * std::numbers::pi * turn));
    }
    /// The highest rate in [begin, end].
    double highest(double begin, double end) const {
      constexpr double kPeak = 0.25;
      const bool has_peak =
          std::floor(turns(end) - kPeak) > std::floor(turns(begin) - kPeak) || end == kNever;
      return has_peak ? rate + amplitude : std::max(at(begin), at(end));
    }
  };

  Wave wave_of(std::int64_t neuron) const {
    const double amplitude = column("amplitude", neuron) * 1e-3;
    const double phase = column("phase", neuron) / 360 + (amplitude < 0 ? 0.5 : 0);
    return {column("rate", neuron) * 1e-3, std::abs(amplitude), column("frequency", neuron) * 1e-3,
            phase};
  }

  Due next(std::int64_t neuron, double time, std::uint64_t number) const override {
    const Wave wave = wave_of(neuron);
    const double peak = wave.per_ms > 0 ? wave.rate + wave.amplitude : wave.at(0);
    if (peak == 0) return {kNever, neuron, number};
    // Parts of a period, so that few candidates are rejected; all of it where spikes are rarer.
    constexpr double kParts = 8;
    const bool rare = peak < wave.per_ms;
    for (;; ++number) {
      const double end = wave.per_ms == 0 || rare ? kNever : time + 1 / (kParts * wave.per_ms);
      const double highest = wave.per_ms == 0 ? peak : wave.highest(time, end);
      if (time == kNever) return {kNever, neuron, number};
      Rng random = draw(neuron, number);
      const double candidate = highest > 0 ? time + wait(random) / highest : kNever;
      time = std::min(candidate, end);
      if (candidate <= end && random.uniform() * highest < wave.at(time)) {
        return {time, neuron, number};
      }
    }
  }
};

double sum_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += std::abs(value);
  return sum;
}

}  // namespace

double highest_rate(const Population& population) {
  if (population.model == "poisson_source") return sum_of(population.column("rate")) * 1e-3;
  if (population.model == "sinusoidal_poisson_source") {
    return (sum_of(population.column("rate")) + sum_of(population.column("amplitude"))) * 1e-3;
  }
  const auto& rates = population.rates.rates_hz;
  if (rates.empty()) return 0;
  return static_cast<double>(population.size) * *std::max_element(rates.begin(), rates.end()) *
         1e-3;
}

std::unique_ptr<Source> make_poisson_source(const Layout& layout, std::int64_t population) {
  return std::make_unique<Homogeneous>(layout, population);
}
std::unique_ptr<Source> make_stepped_poisson_source(const Layout& layout, std::int64_t population) {
  return std::make_unique<Stepped>(layout, population);
}
std::unique_ptr<Source> make_sinusoidal_poisson_source(const Layout& layout,
                                                       std::int64_t population) {
  return std::make_unique<Sinusoidal>(layout, population);
}

}  // namespace afterspike::spiking
