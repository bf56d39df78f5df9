#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "exact/bounds.hpp"
#include "exact/linear_rule.hpp"
#include "models/propagators.hpp"

namespace afterspike::spiking {

/// The part of a linear model that does not depend on how it spikes. A state is x, then the rest of
/// the time that withholds spikes, then a count of random numbers.
class LinearFlow : public ExactRule {
 public:
  static constexpr std::size_t kStates = LinearNeuron::kStates;
  enum Place : std::size_t { kWithheld = kStates, kDraws };
  static constexpr std::int64_t kSize = 16;

  LinearFlow(const Layout& layout, const Piece& piece, LinearModel model);

  std::int64_t state_size() const override { return kSize; }
  void fetch(std::int64_t neuron) const override { __builtin_prefetch(&form(neuron)); }
  void initial_state(std::int64_t neuron, double* state) const override;
  void set_current(std::int64_t neuron, double* state, double injected) const override;
  void propagate(std::int64_t neuron, const double* from, double time, double* to) const override;
  void receive(std::int64_t neuron, double* state, std::int64_t receptor, double weight,
               double age) const override;
  void spike(std::int64_t neuron, double* state) const override;
  double refractory(std::int64_t neuron) const override;
  double value(std::int64_t neuron, const double* state, double later,
               std::size_t variable) const override;

 protected:
  using Row = LinearNeuron::Row;
  using State = std::array<double, kSize>;

  /// A neuron's equations, and their modes if quotients of differences of rates keep their digits:
  /// x(t) = to_states exp(-rates t) to_modes x(0).
  struct Form {
    LinearNeuron neuron;
    bool has_modes = true;
    std::array<Row, kStates> to_modes{}, to_states{};
  };

  const Form& form(std::int64_t neuron) const {
    return forms_[forms_.size() == 1 ? 0 : static_cast<std::size_t>(neuron)];
  }
  static double sum(const LinearNeuron::Sum& sum, const double* x);
  static Row derivative(const LinearNeuron& neuron, const double* x);
  /// Bounds of weights times y over `length`, where y obeys the equations: the states, or any of
  /// their derivatives.
  Bounds bounds(const LinearNeuron& neuron, const Row& weights, const double* start,
                double length) const;

  LinearModel model_;

 private:
  struct Coupling {
    std::size_t to, from;
  };
  void find_modes(Form& form) const;
  void move_others(const LinearNeuron& neuron, double* state, double time) const;

  std::vector<Form> forms_;  ///< One for each neuron, or one for all.
  std::vector<Coupling> couplings_;
  std::array<bool, kStates> is_held_{};
};

}  // namespace afterspike::spiking
