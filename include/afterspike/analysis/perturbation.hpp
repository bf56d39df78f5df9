#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/rng.hpp"

/// Ways to damage a trained network, or its input.
namespace afterspike::analysis {

/// Kinds of damage. The level is its amount.
enum class Perturbation {
  silence,       ///< Hidden neurons emit 0 towards everything. Level: the fraction of silenced
                 ///< neurons.
  weight_noise,  ///< Normal noise on every weight, including the readout's. Level: its standard
                 ///< deviation as a multiple of that of the weights of the same matrix.
  jitter,        ///< Input events move in time, normally. Level: standard deviation in steps.
  deletion,      ///< Input events are deleted. Level: the probability.
};

/// "silence", "weight_noise" ...
std::string_view perturbation_name(Perturbation perturbation) noexcept;

/// Returns the name of the level in tables: "fraction", "weight_noise_sd", "jitter_sd_steps",
/// "deletion_probability".
std::string_view level_name(Perturbation perturbation) noexcept;

/// Throws Error(usage) naming a level out of range: fractions and probabilities 0 to 1, others 0 or
/// more.
void require_level(Perturbation perturbation, double level);

/// Returns one mask per layer (nn::NetworkPass::masks): 0 for the hidden neurons with these
/// numbers, counted from the first layer on, and 1 for the others.
std::vector<at::Tensor> masks_without(const nn::Network& network,
                                      std::span<const std::int64_t> silenced);

/// Returns a copy of the network with noise on the trained values of its weights: N(0, (level
/// sd)^2), each parameter from the stream of `rng` with its name. Thresholds, time constants and
/// biases stay.
std::shared_ptr<nn::Network> with_weight_noise(const experiment::Trained& trained, double level,
                                               const Rng& rng);

/// Changes of a batch (experiment::Candidate::change), for input of events: every value is a whole
/// number, the count of events. Each sample has its own stream, by its number. They throw
/// Error(data) for input without events, such as images.
using InputChange = std::function<void(tasks::Batch&, std::span<const std::int64_t>)>;

/// Moves each event by a normal number of steps, rounded. An event that would leave its sample
/// stays at the first or last step, so that none is lost.
InputChange jittered(double sd_steps, const Rng& rng);

/// Deletes each event with a probability.
InputChange thinned(double probability, const Rng& rng);

}  // namespace afterspike::analysis
