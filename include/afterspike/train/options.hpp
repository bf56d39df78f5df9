#pragma once

#include <cstdint>
#include <string>

#include "afterspike/base/options.hpp"

namespace afterspike::train {

/// Of the products with recurrent weights (nn::Precision).
enum class Precision { float32, bf16 };

enum class Algorithm { adam, adamw, adamax };
enum class Schedule { constant, cosine, step, one_cycle };
enum class SigmaSchedule { constant, linear, cosine, exponential };
enum class Select { automatic, best, last };

/// How a network is trained. Everything here decides the result; what does not (threads,
/// directories, limits of time) is elsewhere.
struct TrainOptions {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 128;

  Algorithm optimizer = Algorithm::adam;
  double learning_rate = 1e-3;         ///< Of weights and biases; the peak of a schedule.
  double intrinsic_learning_rate = 0;  ///< Of intrinsic parameters; 0: the same.
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;  ///< On weights only; decoupled for adamw.
  double clip_norm = 0;     ///< Largest norm of the whole gradient; 0: none.

  Schedule schedule = Schedule::constant;
  double warmup_epochs = 0;    ///< Linear rise from 0; not for one_cycle.
  double final_fraction = 0;   ///< Of the peak, at the end of a cosine.
  double step_epochs = 10;     ///< A step schedule multiplies after each of these ...
  double step_factor = 0.1;    ///< ... by this.
  double rise_fraction = 0.3;  ///< Part of a one_cycle schedule that rises.

  double label_smoothing = 0;
  Precision precision = Precision::float32;  ///< While training; evaluation is in float32.

  SigmaSchedule sigma_schedule = SigmaSchedule::constant;
  double sigma_start_mV = 1;  ///< Where the annealing begins.
  double sigma_final_mV = 1;  ///< Where it ends.
  double sigma_epochs = 0;    ///< How long it takes; 0: the whole training.

  Select select = Select::automatic;
  std::int64_t patience = 0;  ///< Stop after so many epochs without improvement; 0: never.

  void describe(options::Section section);

  /// Throws Error(config) for settings that contradict each other.
  void validate() const;
};

/// The factor by which the peak learning rate is multiplied at `step` (from 0) of `total` steps.
double learning_rate_factor(const TrainOptions& options, std::int64_t step, std::int64_t total,
                            std::int64_t steps_per_epoch);

/// The softness of the threshold at `step`; mV.
double annealed_sigma(const TrainOptions& options, std::int64_t step, std::int64_t total,
                      std::int64_t steps_per_epoch);

/// True when the annealing of the softness has ended at `step` (always, when there is none).
bool annealing_over(const TrainOptions& options, std::int64_t step, std::int64_t total,
                    std::int64_t steps_per_epoch);

}  // namespace afterspike::train
