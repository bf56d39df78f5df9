#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "afterspike/base/units.hpp"
#include "afterspike/nn/neuron_layer.hpp"

namespace afterspike::nn {

/// Settings of a GLIFR layer. Initial values are in physical units.
struct GlifrOptions {
  /// One of the paper's eight variants; decides `after_spike_currents`, `learn` and `initial`.
  /// hom, lhet, fhet, rhet have no after-spike currents, homa, lheta, fheta, rheta have two. hom*
  /// keep homogeneous initial parameters, lhet* learn them, fhet* keep those resampled from a
  /// trained network, rhet* learn them further. Empty: the settings below hold.
  std::string variant;

  std::int64_t after_spike_currents = 2;  ///< Per neuron; 0 leaves them out.
  /// Which intrinsic parameters are trained: "all", "none", or names separated by commas.
  std::string learn = "all";
  /// "parameters": drawn as `threshold` ... `after_spike_additive` say. "reference": the same, with
  /// the membrane decay that the authors' code computes (0.05 /ms only where dt = 0.05 ms).
  /// "inherit": resampled from a donor run.
  std::string initial = "parameters";

  Initial threshold = Initial::constant(1);          ///< V_th, mV.
  Initial membrane_decay = Initial::constant(0.05);  ///< k_m, 1/ms.
  Initial after_spike_decay = Initial::constant(0);  ///< k_j, 1/ms; 0 takes 0.1 / dt.
  Initial after_spike_multiplicative = Initial::uniform(-0.01, 0.01);  ///< r_j.
  Initial after_spike_additive = Initial::uniform(-0.01, 0.01);        ///< a_j, pA.
  /// Weights, mV per step; empty: uniform(-1, 1) / sqrt(neurons), as the authors' code has it.
  std::optional<Initial> input_weight, recurrent_weight;
  bool learn_weights = true;  ///< Trains this layer's weights; the readout always learns.

  units::Duration delay =
      units::Duration::steps(1);  ///< Delay of the recurrent synapses; 0 acts as 1 step.
  double sigma_mV = 1;            ///< Softness of the threshold; towards 0 the neuron spikes.
  double resistance_GOhm = 0.1;   ///< R, the same for all neurons.
  double bias_current_pA = 0;     ///< I_0
  double reset_mV = 0;            ///< V_reset, relative to rest.
  double tau_ms = 0;              ///< Length of a spike; 0 takes the time step.

  /// Unit in which a_j is trained; an optimiser's step of 0.001 changes a_j by 0.001 of it.
  enum class Amplitude {
    pA,       ///< As the authors' code: hardly moves, for 1 pA is next to nothing.
    natural,  ///< `amplitude_scale_pA`.
    /// `amplitude_scale_pA` times dt k_j: at a constant rate a current comes to the same whatever
    /// its time constant, where otherwise a slow one sums up far more spikes than a fast one.
    steady
  };
  Amplitude amplitude = Amplitude::natural;
  /// 0 takes 1 / (R dt 0.05/ms), the current that moves the voltage of a neuron with the default
  /// membrane decay by 1 mV in a step (4000 pA with the defaults).
  double amplitude_scale_pA = 0;

  /// Keeps r_j below tau k_j, so that an after-spike current cannot grow on itself whatever the
  /// rate.
  bool bound_after_spike_currents = true;

  double input_dropout = 0;      ///< Dropout of the layer's input, a fresh mask at each step.
  double dropout = 0;            ///< Dropout of emissions to all targets (as the authors' code).
  double recurrent_dropout = 0;  ///< Dropout of emissions to the recurrent synapses only.

  void describe(options::Section section);
};

/// A layer of generalized leaky integrate-and-fire neurons with a smooth threshold (GLIFR), after
/// Winston, Mastrovito, Shea-Brown, Mihalas 2023; equations in docs/numerics.md.
///
/// Parameters (H neurons, I inputs, J after-spike currents): threshold [H], membrane_decay [H],
/// after_spike_decay, after_spike_multiplicative, after_spike_additive [J, H] (absent where J = 0),
/// input_weight [I, H], recurrent_weight [H presynaptic, H postsynaptic], mV per step each.
///
/// State: "emitted" [delay, batch, H] with the latest last, "voltage" [batch, H] in mV,
/// "after_spike_current" [J, batch, H] in pA.
///
/// Trace: "synaptic" mV per step, "voltage" mV, "rate" before silencing, "after_spike_current"
/// [steps, J, batch, H] pA, "delayed": what reached the recurrent synapses.
class Glifr final : public NeuronLayer {
 public:
  /// Throws Error(config) naming the first setting that is out of range.
  Glifr(const LayerShape& shape, const GlifrOptions& options);

  bool has_threshold_softness() const override { return true; }
  bool has_surrogate_gradient() const override { return true; }
  std::int64_t delay_steps() const override { return delay_steps_; }
  NamedTensors initial_state(std::int64_t batch) const override;
  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override;
  at::Tensor emissions(const at::Tensor& input, const LayerPass& pass) const override;
  std::optional<Workspace> workspace(std::int64_t steps, std::int64_t rows, Precision precision,
                                     std::size_t limit) const override;
  bool has_bfloat16() const override;

  /// The settings with nothing left to be filled in: the variant, "auto" and 0 resolved.
  const GlifrOptions& options() const noexcept { return options_; }

 private:
  /// The coefficients of the equations by their names in kernels/glifr.hpp, from the parameters as
  /// they are now.
  NamedTensors coefficients(const LayerPass& pass) const;

  GlifrOptions options_;
  double dt_ms_;
  std::int64_t delay_steps_;
};

/// Returns `options` with the settings that `variant` stands for; unchanged if it is empty.
GlifrOptions resolve_variant(GlifrOptions options);

}  // namespace afterspike::nn
