#include "exact/linear_flow.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "exact/exponentials.hpp"

namespace afterspike::spiking {
namespace {

using Row = LinearNeuron::Row;
constexpr std::size_t kStates = LinearFlow::kStates;

/// Quotients of differences of rates lose as many digits as the rates share; a chain of three
/// divides more than once.
bool chain_apart(double rate, double other) {
  return std::abs(rate - other) > 0.05 * std::max(rate, other);
}

}  // namespace

LinearFlow::LinearFlow(const Layout& layout, const Piece& piece, LinearModel model)
    : model_(std::move(model)) {
  for (const std::size_t state : model_.held) is_held_[state] = true;
  for (const std::vector<double>& parameters : parameter_rows(layout, piece)) {
    Form& form = forms_.emplace_back();
    form.neuron = model_.neuron(parameters.data());
  }
  const auto differs = [&](const Form& form) { return !(form.neuron == forms_[0].neuron); };
  if (std::none_of(forms_.begin(), forms_.end(), differs)) forms_.resize(1);
  for (std::size_t to = 0; to < kStates; ++to) {
    for (std::size_t from = 0; from < to; ++from) {
      const bool used = std::any_of(forms_.begin(), forms_.end(), [&](const Form& form) {
        return form.neuron.couplings[to][from] != 0;
      });
      if (used) couplings_.push_back({to, from});
    }
  }
  for (Form& form : forms_) find_modes(form);
}

/// Eigenvectors of the equations, and their inverse. Both are lower triangular.
void LinearFlow::find_modes(Form& form) const {
  const LinearNeuron& neuron = form.neuron;
  for (std::size_t mode = 0; mode < kStates; ++mode) {
    form.to_states[mode][mode] = 1;
    for (std::size_t k = mode + 1; k < kStates; ++k) {
      double drive = 0;
      for (std::size_t j = mode; j < k; ++j) {
        drive += neuron.couplings[k][j] * form.to_states[j][mode];
      }
      if (drive == 0) continue;
      form.has_modes = form.has_modes && chain_apart(neuron.rates[k], neuron.rates[mode]);
      form.to_states[k][mode] = drive / (neuron.rates[k] - neuron.rates[mode]);
    }
  }
  for (std::size_t column = 0; column < kStates; ++column) {
    form.to_modes[column][column] = 1;
    for (std::size_t k = column + 1; k < kStates; ++k) {
      for (std::size_t j = column; j < k; ++j) {
        form.to_modes[k][column] -= form.to_states[k][j] * form.to_modes[j][column];
      }
    }
  }
}

double LinearFlow::sum(const LinearNeuron::Sum& sum, const double* x) {
  double total = sum.offset;
  for (std::size_t k = 0; k < kStates; ++k) total += sum.weights[k] * x[k];
  return total;
}

Row LinearFlow::derivative(const LinearNeuron& neuron, const double* x) {
  Row slope;
  for (std::size_t k = 0; k < kStates; ++k) {
    slope[k] = -neuron.rates[k] * x[k];
    for (std::size_t j = 0; j < k; ++j) slope[k] += neuron.couplings[k][j] * x[j];
  }
  return slope;
}

/// Each state lags behind a sum of earlier ones, whose bounds are known by then.
Bounds LinearFlow::bounds(const LinearNeuron& neuron, const Row& weights, const double* start,
                          double length) const {
  std::array<Bounds, kStates> each;
  auto coupling = couplings_.begin();
  Bounds total{0, 0};
  for (std::size_t k = 0; k < kStates; ++k) {
    Bounds input{0, 0};
    for (; coupling != couplings_.end() && coupling->to == k; ++coupling) {
      input = input + neuron.couplings[k][coupling->from] * each[coupling->from];
    }
    each[k] = lagged(start[k], neuron.rates[k], input, length);
    if (weights[k] != 0) total = total + weights[k] * each[k];
  }
  return total;
}

void LinearFlow::initial_state(std::int64_t neuron, double* state) const {
  std::fill_n(state, kSize, 0.0);
  std::copy_n(form(neuron).neuron.initial.begin(), kStates, state);
}

void LinearFlow::set_current(std::int64_t neuron, double* state, double injected) const {
  state[model_.current] = form(neuron).neuron.constant_current + injected;
}

void LinearFlow::propagate(std::int64_t neuron, const double* from, double time, double* to) const {
  const Form& f = form(neuron);
  Row next{};
  if (f.has_modes) {
    Row decays, modes{};
    decay_factors(f.neuron.rates.data(), kStates, time, decays.data());
    for (std::size_t k = 0; k < kStates; ++k) {
      for (std::size_t j = 0; j < kStates; ++j) modes[k] += f.to_modes[k][j] * from[j];
      modes[k] *= decays[k];
    }
    for (std::size_t k = 0; k < kStates; ++k) {
      for (std::size_t j = 0; j < kStates; ++j) next[k] += f.to_states[k][j] * modes[j];
    }
  } else {
    SquareMatrix<kStates> moved{};
    for (std::size_t k = 0; k < kStates; ++k) {
      moved[k][k] = -f.neuron.rates[k] * time;
      for (std::size_t j = 0; j < k; ++j) moved[k][j] = f.neuron.couplings[k][j] * time;
    }
    moved = matrix_exponential(moved);
    for (std::size_t k = 0; k < kStates; ++k) {
      for (std::size_t j = 0; j <= k; ++j) next[k] += moved[k][j] * from[j];
    }
  }
  const double withheld = std::max(0.0, from[kWithheld] - time), draws = from[kDraws];
  std::copy(next.begin(), next.end(), to);
  to[kWithheld] = withheld;
  to[kDraws] = draws;
}

/// Moves states that are not held. They decay alone; the time may be negative.
void LinearFlow::move_others(const LinearNeuron& neuron, double* state, double time) const {
  for (std::size_t k = 0; k < kStates; ++k) {
    if (!is_held_[k] && neuron.rates[k] != 0) state[k] *= std::exp(-neuron.rates[k] * time);
  }
}

void LinearFlow::receive(std::int64_t neuron, double* state, std::int64_t receptor, double weight,
                         double age) const {
  const std::size_t at = model_.receptors[static_cast<std::size_t>(receptor)];
  if (age == 0) {
    state[at] += weight;
  } else if (!is_held_[at]) {
    state[at] += weight * std::exp(-form(neuron).neuron.rates[at] * age);
  }
}

void LinearFlow::spike(std::int64_t neuron, double* state) const {
  const LinearNeuron& own = form(neuron).neuron;
  for (std::size_t k = 0; k < kStates; ++k) state[k] = own.factors[k] * state[k] + own.jumps[k];
  if (model_.held.empty()) {
    state[kWithheld] = own.refractory;
  } else {
    move_others(own, state, own.refractory);
  }
}

double LinearFlow::refractory(std::int64_t neuron) const {
  return model_.held.empty() ? 0 : form(neuron).neuron.refractory;
}

double LinearFlow::value(std::int64_t neuron, const double* held, double later,
                         std::size_t variable) const {
  const LinearNeuron& own = form(neuron).neuron;
  State state;
  std::copy_n(held, kSize, state.begin());
  if (later >= 0) {
    propagate(neuron, held, later, state.data());
  } else {
    move_others(own, state.data(), later);  // Refractory until then.
  }
  return sum(own.variables[variable], state.data());
}

}  // namespace afterspike::spiking
