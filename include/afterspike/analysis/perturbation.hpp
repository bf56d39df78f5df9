#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/rng.hpp"

/// Ways to damage a trained network, or what it sees.
namespace afterspike::analysis {

/// What is done. Its level says how much of it.
enum class Perturbation {
  silence,       ///< Hidden neurons emit 0 towards everything. Level: the fraction of them.
  weight_noise,  ///< Normal noise on every weight, the readout's too. Level: its standard deviation
                 ///< as a multiple of that of the weights of the same matrix.
  jitter,        ///< Input events are moved in time, normally. Level: standard deviation in steps.
  deletion,      ///< Input events are left out. Level: the probability.
};

/// "silence", "weight_noise" ...
std::string_view perturbation_name(Perturbation perturbation) noexcept;

/// How the level is called in tables: "fraction", "weight_noise_sd", "jitter_sd_steps",
/// "deletion_probability".
std::string_view level_name(Perturbation perturbation) noexcept;

/// Throws Error(usage) naming a level that is out of range: fractions and probabilities 0 to 1,
/// others 0 or more.
void require_level(Perturbation perturbation, double level);

/// One mask for each layer (nn::NetworkPass::masks): 0 for the hidden neurons with these numbers,
/// counted from the first layer on, and 1 for the others.
std::vector<at::Tensor> masks_without(const nn::Network& network,
                                      std::span<const std::int64_t> silenced);

/// A copy of the network whose weights have noise on their trained values: N(0, (level sd)^2), each
/// parameter from the stream of `rng` that bears its name. Thresholds, time constants and biases
/// stay as they are.
std::shared_ptr<nn::Network> with_weight_noise(const experiment::Trained& trained, double level,
                                               const Rng& rng);

/// Changes of a batch (evaluation::Candidate::change), for input that consists of events: every
/// value is a whole number, how many events there are. Each sample has a stream of its own, by its
/// number. They throw Error(data) for input that is not of events, such as images.
using InputChange = std::function<void(data::Batch&, std::span<const std::int64_t>)>;

/// Moves each event by a normal number of steps, rounded; what would leave its sample stays at its
/// first or last step, so that no event is lost.
InputChange jittered(double sd_steps, const Rng& rng);

/// Leaves out each event with a probability.
InputChange thinned(double probability, const Rng& rng);

}  // namespace afterspike::analysis
