#include "afterspike/train/options.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "afterspike/base/error.hpp"
#include "afterspike/nn/parameter_choice.hpp"
#include "class_weights.hpp"

namespace afterspike::train {
namespace {

/// Starting and final learning rate of a one-cycle schedule relative to the peak (Smith and Topin
/// 2019; the factors are PyTorch's).
constexpr double kOneCycleStart = 1.0 / 25;
constexpr double kOneCycleEnd = kOneCycleStart / 1e4;

/// Sanity limits, well inside the range of float.
constexpr double kLargestRate = 1e30;
constexpr double kLargestDecay = 1e6;

/// Returns a value from `start` to `end` along half a cosine as x goes from 0 to 1.
double cosine(double start, double end, double x) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * x)) / 2;
}

double one_cycle(double rise, double x) {
  if (x < rise) return cosine(kOneCycleStart, 1, x / rise);
  return cosine(1, kOneCycleEnd, (x - rise) / (1 - rise));
}

/// Returns the steps of the annealing of the softness.
double annealing_steps(const TrainOptions& options, std::int64_t total,
                       std::int64_t steps_per_epoch) {
  if (options.sigma_epochs <= 0) return static_cast<double>(total);
  return options.sigma_epochs * static_cast<double>(steps_per_epoch);
}

void describe_optimiser(options::Section& section, TrainOptions& o) {
  section.choice(
      "optimizer", o.optimizer,
      {{"adam", Algorithm::adam}, {"adamw", Algorithm::adamw}, {"adamax", Algorithm::adamax}},
      "Optimisation algorithm.");
  section
      .add("learning_rate", o.learning_rate,
           "Learning rate of weights and biases; peak of a schedule.")
      .above(0)
      .at_most(kLargestRate);
  section
      .add("intrinsic_learning_rate", o.intrinsic_learning_rate,
           "Learning rate of intrinsic parameters; 0: the same.")
      .at_least(0)
      .at_most(kLargestRate);
  section.add("beta1", o.beta1, "Decay of the mean gradient.").at_least(0).below(1);
  section.add("beta2", o.beta2, "Decay of the mean squared gradient.").at_least(0).below(1);
  section.add("epsilon", o.epsilon, "Added to the denominator.")
      .above(0)
      .at_most(options::kLargest);
  section
      .add("weight_decay", o.weight_decay,
           "Decay of weights, not of biases or intrinsic parameters.")
      .at_least(0)
      .at_most(kLargestDecay);
  section
      .add("average", o.average,
           "Decay of the averaged parameters that are evaluated and kept; 0: none.")
      .at_least(0)
      .below(1);
  section.add("clip_norm", o.clip_norm, "Max norm of the whole gradient; 0: no limit.").at_least(0);
}

void describe_schedule(options::Section& section, TrainOptions& o) {
  section.choice("schedule", o.schedule,
                 {{"constant", Schedule::constant},
                  {"cosine", Schedule::cosine},
                  {"step", Schedule::step},
                  {"one_cycle", Schedule::one_cycle}},
                 "Schedule of the learning rate.");
  section.add("warmup_epochs", o.warmup_epochs, "Epochs of linear rise from 0; not for one_cycle.")
      .at_least(0);
  section.add("final_fraction", o.final_fraction, "Fraction of the peak at the end of a cosine.")
      .at_least(0)
      .at_most(1);
  section.add("step_epochs", o.step_epochs, "Epochs between two drops of a step schedule.")
      .above(0);
  section.add("step_factor", o.step_factor, "Factor of each drop.").above(0).at_most(1);
  section.add("rise_fraction", o.rise_fraction, "Rising fraction of a one_cycle schedule.")
      .above(0)
      .below(1);
  section.add("schedule_start", o.schedule_start, "Epoch after which a cosine or one_cycle begins.")
      .at_least(0);
  section
      .add("schedule_epochs", o.schedule_epochs,
           "Epochs that a cosine or one_cycle takes; 0: to the last epoch.")
      .at_least(0);
}

void describe_sigma(options::Section& section, TrainOptions& o) {
  section.choice("sigma_schedule", o.sigma_schedule,
                 {{"constant", SigmaSchedule::constant},
                  {"linear", SigmaSchedule::linear},
                  {"cosine", SigmaSchedule::cosine},
                  {"exponential", SigmaSchedule::exponential}},
                 "Annealing of the threshold's softness; constant: none, neuron.sigma holds.");
  section.quantity("sigma_start", o.sigma_start_mV, "mV", "Softness at the start of the annealing.")
      .above(0)
      .at_least(options::kSmallest)
      .bounded();
  section.quantity("sigma_final", o.sigma_final_mV, "mV", "Softness at its end, and in evaluation.")
      .above(0)
      .at_least(options::kSmallest)
      .bounded();
  section
      .add("sigma_epochs", o.sigma_epochs,
           "Duration of the annealing in epochs; 0: the whole training.")
      .at_least(0);
  section
      .add("spikes_from", o.spikes_from,
           "Fraction of the training after which neurons emit spikes, with a surrogate gradient; "
           "1: never.")
      .at_least(0)
      .at_most(1);
  section
      .quantity("surrogate_sigma", o.surrogate_sigma_mV, "mV",
                "Softness of the threshold whose gradient stands for that of a spike.")
      .above(0)
      .at_least(options::kSmallest)
      .bounded();
}

void describe_silencing(options::Section& section, TrainOptions& o) {
  section
      .add("silence", o.silence,
           "In training sequences, silence a fraction of the neurons, drawn from 0 to this.")
      .at_least(0)
      .at_most(1);
  section
      .add("silence_share", o.silence_share, "Fraction of training sequences that it happens in.")
      .above(0)
      .at_most(1);
}

void describe_start(options::Section& section, TrainOptions& o) {
  section.add("start_from", o.start_from, "Run whose trained parameters are the initial values.");
  section.add("start_groups", o.start_groups,
              "Which of them: all, or some of intrinsic, weight, bias, readout.");
  section.add(
      "freeze", o.freeze,
      "Parameters that are not trained: none, or some of intrinsic, weight, bias, readout.");
}

}  // namespace

void TrainOptions::describe(options::Section section) {
  section.add("epochs", epochs, "Passes over the training data.").at_least(0).at_most(1e9);
  section.add("batch_size", batch_size, "Samples per step.").at_least(1).at_most(1 << 24);
  describe_optimiser(section, *this);
  describe_schedule(section, *this);
  section.add("label_smoothing", label_smoothing, "Part of the target spread over all classes.")
      .at_least(0)
      .below(1);
  section.add("class_weights", class_weights,
              "Factors of the classes' losses: none, balanced, or a number for each: 1, 2.5.");
  std::vector<std::pair<std::string, std::optional<Precision>>> precisions;
  for (const auto& [name, value] : kernels::kPrecisions) precisions.emplace_back(name, value);
  precisions.emplace_back("auto", std::nullopt);
  section.choice(
      "precision", precision, std::move(precisions),
      "Type of the recurrent products in training; bfloat16 needs glifr or alif and a processor "
      "that multiplies it; auto: the faster one, measured at the start.");
  describe_silencing(section, *this);
  describe_start(section, *this);
  describe_sigma(section, *this);
  section.choice("select", select,
                 {{"auto", Select::automatic}, {"best", Select::best}, {"last", Select::last}},
                 "Selected epoch: best on validation, or last; auto: best if there is validation.");
  section.add("evaluate_test", evaluate_test,
              "Evaluate the test split after training; false when settings are compared.");
  section.add("patience", patience, "Epochs without improvement before stopping; 0: never stop.")
      .at_least(0);
}

void TrainOptions::validate() const {
  nn::ParameterChoice::parse(start_groups, "train.start_groups");
  nn::ParameterChoice::parse(freeze, "train.freeze");
  require_class_weights(class_weights);
  require(!start_from.empty() || start_groups == TrainOptions().start_groups, ErrorKind::config,
          "option 'train.start_groups': found '{}', expected '{}' where train.start_from names no "
          "run",
          start_groups, TrainOptions().start_groups);
  require(schedule != Schedule::one_cycle || warmup_epochs == 0, ErrorKind::config,
          "option 'train.warmup_epochs': found {}, expected 0 with the one_cycle schedule, which "
          "rises by itself (rise_fraction)",
          warmup_epochs);
  require(warmup_epochs <= static_cast<double>(epochs), ErrorKind::config,
          "option 'train.warmup_epochs': found {}, expected at most the {} epochs of the training",
          warmup_epochs, epochs);
  require(sigma_schedule == SigmaSchedule::constant || sigma_epochs <= static_cast<double>(epochs),
          ErrorKind::config,
          "option 'train.sigma_epochs': found {}, expected at most the {} epochs of the training",
          sigma_epochs, epochs);
  require(patience == 0 || select != Select::last, ErrorKind::config,
          "option 'train.patience': found {}, expected 0 when the last epoch is selected",
          patience);
}

namespace {

/// Part of the schedule that is over at step `now`, 0 to 1.
double schedule_progress(const TrainOptions& options, double now, std::int64_t total,
                         double steps_per_epoch) {
  const double start = static_cast<double>(options.schedule_start) * steps_per_epoch;
  const double steps = options.schedule_epochs > 0
                           ? static_cast<double>(options.schedule_epochs) * steps_per_epoch
                           : static_cast<double>(total) - start;
  return steps > 1 ? std::clamp((now - start) / (steps - 1), 0.0, 1.0) : 0;
}

}  // namespace

double learning_rate_factor(const TrainOptions& options, std::int64_t step, std::int64_t total,
                            std::int64_t steps_per_epoch) {
  const auto now = static_cast<double>(step);
  const auto epoch = static_cast<double>(steps_per_epoch);
  const double progress = schedule_progress(options, now, total, epoch);
  const double warmup = options.warmup_epochs * epoch;
  const double rise = warmup > 0 ? std::min(1.0, (now + 1) / warmup) : 1;
  switch (options.schedule) {
    case Schedule::constant:
      break;
    case Schedule::cosine:
      return rise * cosine(1, options.final_fraction, progress);
    case Schedule::step:
      return rise * std::pow(options.step_factor, std::floor(now / (options.step_epochs * epoch)));
    case Schedule::one_cycle:
      return one_cycle(options.rise_fraction, progress);
  }
  return rise;
}

double annealed_sigma(const TrainOptions& options, std::int64_t step, std::int64_t total,
                      std::int64_t steps_per_epoch) {
  const double length = annealing_steps(options, total, steps_per_epoch);
  const double x = length > 0 ? std::min(1.0, static_cast<double>(step) / length) : 1;
  const double start = options.sigma_start_mV;
  const double end = options.sigma_final_mV;
  switch (options.sigma_schedule) {
    case SigmaSchedule::constant:
      break;
    case SigmaSchedule::linear:
      return start + (end - start) * x;
    case SigmaSchedule::cosine:
      return cosine(start, end, x);
    case SigmaSchedule::exponential:
      return start * std::pow(end / start, x);
  }
  return end;
}

bool spikes_at(const TrainOptions& options, std::int64_t step, std::int64_t total) {
  return options.spikes_from < 1 &&
         static_cast<double>(step) >= options.spikes_from * static_cast<double>(total);
}

bool threshold_final(const TrainOptions& options, std::int64_t step, std::int64_t total,
                     std::int64_t steps_per_epoch) {
  if (options.spikes_from < 1) return spikes_at(options, step, total);
  if (options.sigma_schedule == SigmaSchedule::constant) return true;
  return static_cast<double>(step) >= annealing_steps(options, total, steps_per_epoch) - 0.5;
}

}  // namespace afterspike::train
