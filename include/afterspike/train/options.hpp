#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "afterspike/base/options.hpp"
#include "afterspike/nn/neuron_layer.hpp"

namespace afterspike::train {

using nn::Precision;

enum class Algorithm { adam, adamw, adamax };
enum class Schedule { constant, cosine, step, one_cycle };
enum class SigmaSchedule { constant, linear, cosine, exponential };
enum class Select { automatic, best, last };

/// Options of training that decide the result. Threads, directories and time limits are elsewhere.
struct TrainOptions {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 128;

  Algorithm optimizer = Algorithm::adam;
  double learning_rate = 1e-3;         ///< Learning rate of weights and biases; the peak of a
                                       ///< schedule.
  double intrinsic_learning_rate = 0;  ///< Learning rate of intrinsic parameters; 0: the same.
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< Decay of weights only; decoupled for adamw.
  double average = 0;       ///< Decay of the averaged parameters that are evaluated; 0: none.
  double clip_norm = 0;     ///< Max norm of the whole gradient; 0: no limit.

  Schedule schedule = Schedule::constant;
  double warmup_epochs = 0;          ///< Linear rise from 0; not for one_cycle.
  double final_fraction = 0;         ///< Fraction of the peak at the end of a cosine.
  double step_epochs = 10;           ///< Epochs between two drops of a step schedule.
  double step_factor = 0.1;          ///< Factor of each drop.
  double rise_fraction = 0.3;        ///< Rising fraction of a one_cycle schedule.
  std::int64_t schedule_start = 0;   ///< Epoch after which a cosine or one_cycle begins.
  std::int64_t schedule_epochs = 0;  ///< Epochs of a cosine or one_cycle; 0: to the last epoch.

  double label_smoothing = 0;
  std::string class_weights = "none";  ///< "none", "balanced", or a number per class with commas.
  double silence = 0;                  ///< Max fraction of neurons silenced in a training sequence.
  double silence_share = 0.5;  ///< Fraction of the training sequences with silenced neurons.

  std::string start_from;            ///< Run whose parameters are the initial values; empty: none.
  std::string start_groups = "all";  ///< Copied parameters (nn::ParameterChoice).
  std::string freeze = "none";       ///< Parameters that are not trained (nn::ParameterChoice).

  /// Type of the recurrent products in training; evaluation uses float32.
  /// nullopt (`auto`): the faster one, measured when a run is created.
  std::optional<Precision> precision = Precision::float32;

  SigmaSchedule sigma_schedule = SigmaSchedule::constant;
  double sigma_start_mV = 1;  ///< Softness at the start of the annealing.
  double sigma_final_mV = 1;  ///< Softness at its end.
  double sigma_epochs = 0;    ///< Duration of the annealing; 0: the whole training.
  double spikes_from = 1;  ///< Fraction of the training after which neurons emit spikes; 1: never.
  double surrogate_sigma_mV = 0.3;  ///< Softness of the gradient of a spike.

  Select select = Select::automatic;
  bool evaluate_test = true;  ///< false: the summary has no test split.
  std::int64_t patience = 0;  ///< Stop after this many epochs without improvement; 0: never.

  void describe(options::Section section);

  /// Throws Error(config) for settings that contradict each other.
  void validate() const;
};

/// Returns the factor of the peak learning rate at `step` (from 0) of `total` steps.
double learning_rate_factor(const TrainOptions& options, std::int64_t step, std::int64_t total,
                            std::int64_t steps_per_epoch);

/// Returns the softness of the threshold at `step`, mV.
double annealed_sigma(const TrainOptions& options, std::int64_t step, std::int64_t total,
                      std::int64_t steps_per_epoch);

/// Returns whether neurons emit spikes at `step`.
bool spikes_at(const TrainOptions& options, std::int64_t step, std::int64_t total);

/// Returns whether the threshold at `step` has become the final one: the annealing of its softness
/// has ended and spikes, if the training comes to them, have begun.
bool threshold_final(const TrainOptions& options, std::int64_t step, std::int64_t total,
                     std::int64_t steps_per_epoch);

}  // namespace afterspike::train
