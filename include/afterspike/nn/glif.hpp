#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "afterspike/kernels/glif.hpp"
#include "afterspike/nn/neuron_layer.hpp"
#include "afterspike/nn/parameter.hpp"

namespace afterspike::nn {

/// Settings of a layer of spiking GLIF neurons (docs/numerics.md#glif). Initial values are in
/// physical units; voltages are relative to rest.
struct GlifOptions {
  std::int64_t level = 3;                              ///< 1 to 5, the model of Teeter et al. 2018.
  Initial capacitance = Initial::constant(100);        ///< pF
  Initial conductance = Initial::constant(10);         ///< nS
  Initial threshold = Initial::constant(10);           ///< mV
  Initial reset = Initial::constant(0);                ///< mV
  Initial refractory = Initial::constant(2);           ///< ms
  Initial threshold_spike_add = Initial::constant(1);  ///< mV
  Initial threshold_spike_decay = Initial::constant(0.02);      ///< 1/ms
  Initial reset_fraction = Initial::constant(0.2);              ///< 1
  Initial threshold_voltage_index = Initial::constant(0.005);   ///< 1/ms
  Initial threshold_voltage_decay = Initial::constant(0.05);    ///< 1/ms
  Initial after_spike_decay = Initial::log_uniform(0.01, 0.3);  ///< 1/ms
  Initial after_spike_multiplier = Initial::constant(0.5);      ///< 1
  Initial after_spike_amplitude = Initial::uniform(-20, 20);    ///< pA
  Initial synapse_tau = Initial::constant(5);                   ///< ms
  Initial input_weight = Initial::constant(0);      ///< pA; constant 0: uniform, by fan-in.
  Initial recurrent_weight = Initial::constant(0);  ///< pA; likewise.
  std::int64_t after_spike_currents = 2;            ///< Used by levels 3 to 5.
  std::int64_t receptors = 1;
  bool alpha = false;  ///< Alpha synapses; else exponential ones.
  kernels::GlifInput input = kernels::GlifInput::current;
  double refractory_max_ms = 5, current_scale_pA = 100;
  std::string learn = "all";  ///< Trained intrinsic parameters: "all", "none", or names.
  units::Duration delay = units::Duration::steps(1);
  double sigma_mV = 3;
  double input_dropout = 0, dropout = 0, recurrent_dropout = 0;

  bool has_spike_threshold() const { return level == 2 || level >= 4; }
  bool has_voltage_threshold() const { return level == 5; }
  std::int64_t currents() const { return level >= 3 ? after_spike_currents : 0; }

  void describe(options::Section section);
};

/// Spiking GLIF neurons whose forward pass is the grid rule of the simulator (and of NEST's
/// glif_psc) with a soft or a hard threshold.
///
/// State: "emitted" [delay, batch, H] and "spiked" [R, batch, H], the latest last; "voltage" mV
/// [batch, H]; "synaptic" pA [receptors, batch, H], with alpha synapses "rise"; by level
/// "after_spike_current" pA [currents, batch, H], "threshold_spike" and "threshold_voltage" mV
/// [batch, H]. Trace: "voltage" mV, "rate" before silencing.
class Glif final : public NeuronLayer {
 public:
  /// Throws Error(config) naming a setting that does not fit.
  Glif(const LayerShape& shape, const GlifOptions& options);

  const GlifOptions& options() const noexcept { return options_; }
  bool has_threshold_softness() const override { return true; }
  bool has_surrogate_gradient() const override { return true; }
  std::int64_t delay_steps() const override { return delay_steps_; }
  NamedTensors initial_state(std::int64_t batch) const override;
  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override;
  at::Tensor emissions(const at::Tensor& input, const LayerPass& pass) const override;
  std::optional<Workspace> workspace(std::int64_t steps, std::int64_t rows, Precision precision,
                                     std::size_t limit) const override;

 private:
  kernels::GlifShape kernel_shape(std::int64_t steps, std::int64_t rows) const;
  kernels::GlifSettings settings(const LayerPass& pass) const;
  /// Returns the coefficients of the equations by their names in kernels/glif.hpp.
  NamedTensors coefficients(const LayerPass& pass) const;
  /// Returns [R, H]: 1 for the steps of the refractory period.
  at::Tensor waiting(const LayerPass& pass) const;

  GlifOptions options_;
  double dt_ms_;
  std::int64_t delay_steps_, refractory_steps_;
};

}  // namespace afterspike::nn
