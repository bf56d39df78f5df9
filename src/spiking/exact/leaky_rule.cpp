#include <array>
#include <cstddef>
#include <utility>

#include "exact/exact_neuron.hpp"
#include "exact/exact_rule.hpp"
#include "models/leaky.hpp"

namespace afterspike::spiking {
namespace {

/// Leaky neurons: their equations are in ExactNeurons.
class LeakyRule final : public ExactRule {
 public:
  LeakyRule(const Piece& piece, const Leaky& leaky) : neurons_(leaky, piece.begin, piece.end) {
    initial_.assign(leaky.initial.begin() + piece.begin, leaky.initial.begin() + piece.end);
    constant_.assign(leaky.constant_current.begin() + piece.begin,
                     leaky.constant_current.begin() + piece.end);
  }

  std::int64_t state_size() const override { return neurons_.state_size(); }

  void fetch(std::int64_t neuron) const override {
    constexpr std::int64_t kLine = 8;
    const double* coefficients = neurons_.coefficients(neuron);
    for (std::int64_t at = 0; at < 4 * kLine; at += kLine) __builtin_prefetch(coefficients + at);
  }

  void initial_state(std::int64_t neuron, double* state) const override {
    neurons_.initial_state(initial_[static_cast<std::size_t>(neuron)], state);
  }
  void set_current(std::int64_t neuron, double* state, double injected) const override {
    state[ExactNeurons::kExternal] = constant_[static_cast<std::size_t>(neuron)] + injected;
  }
  void propagate(std::int64_t neuron, const double* from, double time, double* to) const override {
    neurons_.propagate(neuron, from, time, to);
  }
  void receive(std::int64_t neuron, double* state, std::int64_t receptor, double weight,
               double age) const override {
    neurons_.receive(neuron, state, receptor, weight, age);
  }
  void spike(std::int64_t neuron, double* state) const override { neurons_.spike(neuron, state); }
  double refractory(std::int64_t neuron) const override { return neurons_.refractory(neuron); }

  void changed(std::int64_t neuron, double* state, Outlook& outlook) const override {
    outlook.spikes = neurons_.excess(neuron, state) > 0;
    outlook.quiet_until =
        outlook.spikes ? outlook.time : outlook.time + neurons_.quiet_time(neuron, state);
  }
  void look_ahead(std::int64_t neuron, double* state, Outlook& outlook) const override;
  double value(std::int64_t neuron, const double* state, double later,
               std::size_t variable) const override;

 private:
  ExactNeurons neurons_;
  std::vector<double> initial_, constant_;
};

/// Moves quiet_until on: by the bound where that is worth while, else to the first crossing in an
/// interval that doubles with each look.
void LeakyRule::look_ahead(std::int64_t neuron, double* state, Outlook& outlook) const {
  const double begin = outlook.quiet_until - outlook.time;
  const double length = neurons_.search_length(neuron);
  std::array<double, ExactNeurons::kMostState> there;
  const double* start = state;
  if (begin > 0) {
    neurons_.propagate(neuron, state, begin, there.data());
    start = there.data();
    if (neurons_.excess(neuron, start) > 0) {
      outlook.spikes = true;
      return;
    }
    const double quiet = neurons_.quiet_time(neuron, start);
    constexpr double kWorthwhile = 0.125;
    if (quiet >= kWorthwhile * length) {
      outlook.quiet_until += quiet;
      return;
    }
  }
  const double end = begin + length + begin;
  const double crossing = neurons_.first_crossing(neuron, state, begin, start, end,
                                                  crossing_tolerance(outlook.time + end));
  outlook.spikes = crossing != ExactNeurons::kNone;
  outlook.quiet_until = outlook.time + (outlook.spikes ? crossing : end);
}

double LeakyRule::value(std::int64_t neuron, const double* held, double later,
                        std::size_t variable) const {
  std::array<double, ExactNeurons::kMostState> state;
  std::copy_n(held, neurons_.state_size(), state.data());
  if (later >= 0) {
    neurons_.propagate(neuron, held, later, state.data());
  } else {
    neurons_.propagate_synapses(neuron, state.data(), later);  // Refractory until then.
  }
  const double rest = neurons_.resting_potential(neuron);
  switch (static_cast<LeakyVariable>(variable)) {
    case LeakyVariable::voltage:
      return rest + state[ExactNeurons::kVoltage];
    case LeakyVariable::threshold:
      return rest + neurons_.threshold(neuron, state.data());
    case LeakyVariable::threshold_spike:
      return state[ExactNeurons::kSpikePart];
    case LeakyVariable::threshold_voltage:
      return state[ExactNeurons::kVoltagePart];
    case LeakyVariable::after_spike_current:
      return neurons_.after_spike_current(state.data());
    default:
      return neurons_.synaptic_current(state.data());
  }
}

}  // namespace

std::unique_ptr<ExactRule> make_leaky_rule(const Layout& layout, const Piece& piece) {
  return std::make_unique<LeakyRule>(piece, lower_leaky(layout.population(piece.population)));
}

}  // namespace afterspike::spiking
