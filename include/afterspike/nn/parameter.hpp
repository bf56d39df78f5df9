#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/base/rng.hpp"
#include "afterspike/nn/transform.hpp"

namespace afterspike::nn {

/// Distribution of initial values, in physical units.
///
/// As text: "0.05", "uniform(-0.01, 0.01)", "log_uniform(0.01, 1)", "normal(1, 0.1)";
/// "raw_normal(0, 1)" for a normal distribution of the raw value, whatever the transform;
/// "orthogonal(1)" for a random matrix with orthonormal rows or columns (the fewer) times a gain;
/// "log_spaced(1, 1000)" for values from the first to the second, evenly spaced in their logarithm,
/// along the last dimension, without randomness.
struct Initial {
  enum class Kind { constant, uniform, log_uniform, normal, raw_normal, orthogonal, log_spaced };

  Kind kind = Kind::constant;
  double first = 0;   ///< The value; or the lower end; or the mean; or the gain.
  double second = 0;  ///< The upper end; or the standard deviation.

  static Initial constant(double value) { return {Kind::constant, value, 0}; }
  static Initial uniform(double low, double high) { return {Kind::uniform, low, high}; }
  static Initial log_uniform(double low, double high) { return {Kind::log_uniform, low, high}; }
  static Initial log_spaced(double low, double high) { return {Kind::log_spaced, low, high}; }
  static Initial normal(double mean, double sd) { return {Kind::normal, mean, sd}; }

  /// Throws Error(config) naming `what` for text of another form, ends out of order, ends of a
  /// log_uniform or log_spaced that are not positive, a negative standard deviation or a value that
  /// is not finite.
  static Initial parse(std::string_view text, std::string_view what);

  std::string text() const;

  /// Draws values of the given shape, in double precision.
  at::Tensor draw(const std::vector<std::int64_t>& shape, Rng rng) const;
};

/// Group of a parameter, which selects its learning rate and weight decay.
enum class ParameterGroup {
  intrinsic,  ///< Parameters of a neuron: thresholds, time constants, after-spike currents.
  weight,     ///< Weights of synapses or of the readout; weight decay acts on these.
  bias,       ///< Learns like weights, without weight decay.
};

/// The only description of a parameter; registration, initial values, freezing, learning rate,
/// manifest, and the columns of analyses are derived from it.
struct ParameterSpec {
  std::string name;    ///< "membrane_decay": key in checkpoints, column in tables.
  std::string symbol;  ///< "k_m": symbol of the paper.
  std::string unit;    ///< Unit of the physical value: "1/ms"; "1" if it has none.
  std::vector<std::int64_t> shape;
  Transform transform;
  Initial initial;  ///< Distribution of the physical value.
  ParameterGroup group = ParameterGroup::weight;
  bool trainable = true;
};

std::string_view group_name(ParameterGroup group) noexcept;

}  // namespace afterspike::nn
