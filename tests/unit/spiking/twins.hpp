#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <numbers>
#include <string>
#include <vector>

/// Models in plain doubles, written down again from their equations: one neuron, Runge-Kutta steps
/// of at most a twentieth of the grid's. They share no code with the engines.
namespace afterspike::testing {

/// Parameters by symbol.
using Values = std::map<std::string, double>;

class Twin {
 public:
  virtual ~Twin() = default;

  std::vector<double> x;  ///< V first.

  /// Called at the begin of every step, when spikes have arrived.
  virtual void begin_step(double /*current*/) {}
  virtual void slopes(const std::vector<double>& at, double current,
                      std::vector<double>& dx) const = 0;
  virtual void arrive(std::size_t receptor, double weight) = 0;
  /// Whether the receptor moves V, which stays while the neuron is refractory.
  virtual bool is_delta(std::size_t /*receptor*/) const { return false; }
  /// Whether V stays while the neuron is refractory.
  virtual bool holds() const { return true; }
  /// V at which the neuron spikes within the step.
  virtual double peak() const { return std::numeric_limits<double>::infinity(); }
  virtual void reset() = 0;
  /// Whether the neuron spikes at the end of a step that began at `before`, if it is not
  /// refractory.
  virtual bool fires(double /*before*/) const { return false; }
  /// Replaces fires() and reset() by a rule of the model's own.
  virtual bool ends_itself() const { return false; }
  virtual bool end_step(bool /*ready*/, double /*random*/) { return false; }
};

/// A synaptic variable of the shape of an exponential or an alpha function at states[at].
struct PlainSynapse {
  std::size_t at;
  double tau;
  bool alpha = false;

  void slopes(const std::vector<double>& x, std::vector<double>& dx) const {
    dx[at] = -x[at] / tau + (alpha ? x[at + 1] : 0);
    if (alpha) dx[at + 1] = -x[at + 1] / tau;
  }
  void arrive(std::vector<double>& x, double weight) const {
    x[alpha ? at + 1 : at] += alpha ? weight * std::numbers::e / tau : weight;
  }
};

struct TwinSpike {
  std::int64_t step;
  std::size_t receptor;
  double weight;
};

/// Input of a twin: a current from one step to another and weights that arrive at ends of steps.
struct TwinInput {
  double current = 0;
  std::int64_t from_step = 0, until_step = 0;
  std::vector<TwinSpike> spikes;  ///< By step.
};

struct TwinRun {
  std::vector<double> voltages;      ///< At the end of every step.
  std::vector<std::int64_t> spikes;  ///< Steps at whose end the neuron spikes.
};

/// Advances a twin over a time; V stays if `held`. Returns the time that is left after a peak, or a
/// negative number.
inline double advance_twin(Twin& twin, double current, double time, double longest, bool held) {
  constexpr double kMost_mV = 0.02;  // In a step: an upstroke is a matter of microseconds.
  const std::size_t count = twin.x.size();
  std::vector<double> k1(count), k2(count), k3(count), k4(count), y(count);
  const auto slopes = [&](const std::vector<double>& at, std::vector<double>& dx) {
    twin.slopes(at, current, dx);
    if (held) dx[0] = 0;
  };
  const auto along = [&](const std::vector<double>& k, double h) -> const std::vector<double>& {
    for (std::size_t i = 0; i < count; ++i) y[i] = twin.x[i] + h * k[i];
    return y;
  };
  while (time > 0) {
    slopes(twin.x, k1);
    double h = std::min({longest, time, kMost_mV / std::abs(k1[0])});
    if (time - h < 1e-12) h = time;
    slopes(along(k1, h / 2), k2);
    slopes(along(k2, h / 2), k3);
    slopes(along(k3, h), k4);
    for (std::size_t i = 0; i < count; ++i) {
      twin.x[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    }
    time -= h;
    if (!held && twin.x[0] >= twin.peak()) {
      time += (twin.x[0] - twin.peak()) / k4[0];
      return std::max(time, 0.0);
    }
  }
  return -1;
}

/// Runs a twin on a grid. `random` has a uniform number for each step, or is empty.
inline TwinRun run_twin(Twin& twin, const TwinInput& input, double dt, std::int64_t steps,
                        double t_ref, const std::vector<double>& random = {}) {
  const double refractory = std::ceil(t_ref / dt - 1e-9);
  TwinRun run;
  double waiting = 0;
  std::size_t next = 0;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const bool on = step > input.from_step && step <= input.until_step;
    const double current = on ? input.current : 0, before = twin.x[0];
    const bool ready = waiting <= 0;
    twin.begin_step(current);
    bool fired = false, held = !ready && twin.holds();
    waiting = std::max(waiting - 1, 0.0);
    for (double left = dt; left > 0;) {
      left = advance_twin(twin, current, left, dt / 20, held);
      if (left < 0) break;
      fired = true;
      twin.reset();
      waiting = refractory;
      held = refractory > 0;
    }
    if (twin.ends_itself()) {
      fired =
          twin.end_step(ready, random.empty() ? 0.5 : random[static_cast<std::size_t>(step - 1)]);
      if (fired) waiting = refractory;
    } else if (ready && twin.fires(before)) {
      fired = true;
      twin.reset();
      waiting = refractory;
    }
    for (; next < input.spikes.size() && input.spikes[next].step == step; ++next) {
      if (waiting > 0 && twin.is_delta(input.spikes[next].receptor)) continue;
      twin.arrive(input.spikes[next].receptor, input.spikes[next].weight);
      if (twin.x[0] < twin.peak()) continue;
      fired = true;
      twin.reset();
      waiting = refractory;
    }
    run.voltages.push_back(twin.x[0]);
    if (fired) run.spikes.push_back(step);
  }
  return run;
}

}  // namespace afterspike::testing
