#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "exact/exact_rule.hpp"

/// Models that are linear between events. A model states its equations as numbers and gets both the
/// flow and the search for spikes.
namespace afterspike::spiking {

/// A neuron in an order in which no state depends on a later one:
///   x_k' = -rates[k] x_k + sum over j < k of couplings[k][j] x_j.
/// States that a model does not use have zeros. Times in ms.
struct LinearNeuron {
  static constexpr std::size_t kStates = 8;
  using Row = std::array<double, kStates>;
  /// offset + sum of weights[k] x_k.
  struct Sum {
    double offset = 0;
    Row weights{};
    bool operator==(const Sum&) const = default;
  };

  Row rates{}, initial{};
  std::array<Row, kStates> couplings{};
  Sum drive;                   ///< Voltage minus threshold; or the argument of the hazard.
  std::vector<Sum> variables;  ///< In the order of Model::variables.
  Row factors = {1, 1, 1, 1, 1, 1, 1, 1},
      jumps{};  ///< A spike makes x_k factors[k] x_k + jumps[k].
  double constant_current = 0;
  double refractory = 0;
  double search = 1;               ///< Length of the first interval to look for spikes in.
  std::array<double, 3> hazard{};  ///< Parameters of LinearModel::hazard.

  bool operator==(const LinearNeuron&) const = default;
};

/// Facts about all neurons of a model.
struct LinearModel {
  /// A neuron from its parameters in the order of the model's entry.
  LinearNeuron (*neuron)(const double* parameters) = nullptr;
  std::size_t current = 0;                  ///< State that is the current; its rate is 0.
  std::vector<std::size_t> receptors = {};  ///< State that each receptor adds its weights to.

  /// States that do not move during refractoriness and lose their input; no other may depend on
  /// another one. Empty: all states move, and refractoriness withholds spikes only.
  std::vector<std::size_t> held = {};

  /// Spikes are drawn at this rate, 1/ms, as a function of the drive. It must have no maximum
  /// inside an interval: the greater of its values at the ends bounds it. Null: neurons spike where
  /// the drive rises above 0.
  double (*hazard)(const std::array<double, 3>& parameters, double drive) = nullptr;
};

std::unique_ptr<ExactRule> make_linear_rule(const Layout& layout, const Piece& piece,
                                            LinearModel model);

}  // namespace afterspike::spiking
