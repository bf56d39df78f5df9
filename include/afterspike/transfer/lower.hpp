#pragma once

#include <cstdint>
#include <string_view>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/spiking/network.hpp"

/// From trained rate networks to networks of spiking neurons. What a rate means there, and what of
/// it is exact, is in docs/export-semantics.md.
namespace afterspike::transfer {

/// How a neuron of rate S comes to spike.
enum class Mode {
  threshold,   ///< When its voltage is above the threshold: the rate network for sigma to 0.
  escape,      ///< In a step with probability S dt / tau.
  population,  ///< As escape, by several copies of each neuron.
};

/// "threshold", "escape", "population"; throws Error(usage) for another name.
Mode parse_mode(std::string_view name);
std::string_view mode_name(Mode mode) noexcept;

struct Options {
  Mode mode = Mode::threshold;
  std::int64_t copies = 1;  ///< Copies of each neuron; other than 1 for populations only.
  /// Duration of a step in the spiking network; 0: the duration in training. Another duration
  /// changes decays and delays in proportion, and no spike.
  double time_step_ms = 0;
};

/// Names of the populations of a lowered network.
inline constexpr std::string_view kNeurons = "hidden", kInput = "input";

/// The selected network of a run as spiking neurons: GLIFR neurons in discrete time, an analog
/// source of the task's features, the readout over the steps that the task reads. Provenance says
/// checkpoint (SHA-256 of its weights), task, neuron, mode, copies, sigma_mV, configuration (JSON
/// of all options), version and libtorch (its version).
///
/// Throws Error(config) for what has no form as spikes: other neurons than GLIFR, several layers,
/// no readout, outputs that are not classes, or rates with a spike shorter than a step.
spiking::Network lower(const experiment::Trained& trained, const Options& options);

}  // namespace afterspike::transfer
