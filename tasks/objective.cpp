#include "objective.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"

namespace afterspike::tasks {
namespace {

/// Returns the cross entropy of each row of logits [..., classes] against classes [...].
at::Tensor cross_entropies(const at::Tensor& logits, const at::Tensor& classes, double smoothing) {
  const at::Tensor log_probability = at::log_softmax(logits, -1);
  const at::Tensor plain = -log_probability.gather(-1, classes.unsqueeze(-1)).squeeze(-1);
  if (smoothing <= 0) return plain;
  return plain * (1 - smoothing) - log_probability.mean(-1) * smoothing;
}

at::Tensor class_losses(const Objective& objective, const ReadValues& outputs,
                        const tasks::Batch& batch, double smoothing) {
  if (objective.over == Objective::Over::mean_output) {
    return cross_entropies(mean_over_read(outputs), batch.target, smoothing);
  }
  const at::Tensor classes =
      batch.target.unsqueeze(0).expand({outputs.values.size(0), batch.target.size(0)});
  return mean_over_read({cross_entropies(outputs.values, classes, smoothing), outputs.weight});
}

std::int64_t right_classes(const ReadValues& outputs, const tasks::Batch& batch) {
  return mean_over_read(outputs).argmax(-1).eq(batch.target).sum().item<std::int64_t>();
}

std::vector<Measure> class_measures(const Objective&, const Tally& tally) {
  if (tally.samples == 0) return {};
  const double accuracy = static_cast<double>(tally.correct) / static_cast<double>(tally.samples);
  return {{"accuracy", accuracy, Measure::Form::fraction}};
}

/// Returns the weights of the read steps of a trace: existing and scored steps count; undefined:
/// all.
at::Tensor weight_of_steps(const Objective& objective, const ReadValues& outputs,
                           const tasks::Batch& batch) {
  if (!batch.weight.defined()) return outputs.weight;
  const at::Tensor asked = read_steps(batch.weight, batch.lengths, objective.read).values;
  return outputs.weight.defined() ? asked * outputs.weight : asked;
}

at::Tensor targets_of_steps(const Objective& objective, const ReadValues& outputs,
                            const tasks::Batch& batch) {
  return read_steps(batch.target, batch.lengths, objective.read)
      .values.to(outputs.values.scalar_type());
}

/// The squared error of each step, a mean over the outputs whose target is known, and the weights
/// of steps with a known target. A target that is NaN is unknown.
ReadValues known_errors(const at::Tensor& outputs, const at::Tensor& target, at::Tensor weight) {
  const at::Tensor known = target.isnan().logical_not();
  // An unknown target is replaced by the output, so that error and gradient are 0.
  const at::Tensor error = (outputs - at::where(known, target, outputs.detach())).square().sum(-1);
  const at::Tensor count = known.sum(-1);
  const at::Tensor counts = count.gt(0).to(outputs.scalar_type());
  weight = weight.defined() ? weight.to(outputs.scalar_type()) * counts : counts;
  return {error / count.clamp_min(1), weight};
}

at::Tensor trace_losses(const Objective& objective, const ReadValues& outputs,
                        const tasks::Batch& batch, double /*smoothing*/) {
  const at::Tensor target = targets_of_steps(objective, outputs, batch);
  const at::Tensor weight = weight_of_steps(objective, outputs, batch);
  if (target.isnan().any().item<bool>()) {
    return mean_over_read(known_errors(outputs.values, target, weight));
  }
  return mean_over_read({(outputs.values - target).square().mean(-1), weight});
}

at::Tensor spike_losses(const Objective& objective, const ReadValues& outputs,
                        const tasks::Batch& batch, double /*smoothing*/) {
  const at::Tensor target = targets_of_steps(objective, outputs, batch);
  const at::Tensor surprise = at::binary_cross_entropy_with_logits(
      outputs.values.select(-1, 0), target.select(-1, 0), {}, {}, at::Reduction::None);
  const at::Tensor error = (outputs.values.select(-1, 1) - target.select(-1, 1)).square();
  return mean_over_read({0.5 * surprise + 0.5 * error, weight_of_steps(objective, outputs, batch)});
}

std::vector<StepReading> spike_steps(const Objective& objective, const ReadValues& outputs,
                                     const tasks::Batch& batch) {
  const at::Tensor values = outputs.values.detach();
  const at::Tensor both = at::cat({values, targets_of_steps(objective, outputs, batch)}, -1)
                              .transpose(0, 1)
                              .to(at::kFloat)
                              .contiguous();
  at::Tensor weight = weight_of_steps(objective, outputs, batch);
  if (!weight.defined()) weight = at::ones({both.size(1), both.size(0)});
  weight = weight.transpose(0, 1).to(at::kFloat).contiguous();
  std::vector<StepReading> steps;
  const float* value = both.data_ptr<float>();
  const float* counts = weight.data_ptr<float>();
  for (std::int64_t step = 0; step < weight.numel(); ++step, value += 4) {
    if (counts[step] > 0) steps.push_back({value[0], value[2], value[1], value[3]});
  }
  return steps;
}

/// Returns the area under the receiver operating characteristic: the probability that a step with a
/// spike has a larger logit than one without, ties counting half (Mann and Whitney 1947); nullopt
/// if one of the two kinds is missing.
std::optional<double> area_under_curve(const std::vector<StepReading>& steps) {
  std::vector<std::size_t> order(steps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return steps[a].spike_logit < steps[b].spike_logit;
  });
  double silent = 0, spiking = 0, won = 0;
  for (std::size_t i = 0; i < order.size();) {
    double tied_silent = 0, tied_spiking = 0;
    const float logit = steps[order[i]].spike_logit;
    for (; i < order.size() && steps[order[i]].spike_logit == logit; ++i) {
      (steps[order[i]].spike > 0.5F ? tied_spiking : tied_silent) += 1;
    }
    won += tied_spiking * (silent + tied_silent / 2);
    silent += tied_silent;
    spiking += tied_spiking;
  }
  if (silent == 0 || spiking == 0) return std::nullopt;
  return won / (silent * spiking);
}

struct Moments {
  double mean = 0, sd = 0;
};

Moments moments(const std::vector<StepReading>& steps, float StepReading::*value) {
  const auto count = static_cast<double>(steps.size());
  Moments result;
  for (const StepReading& step : steps) result.mean += step.*value / count;
  double square = 0;
  for (const StepReading& step : steps) square += std::pow(step.*value - result.mean, 2);
  result.sd = std::sqrt(square / count);
  return result;
}

/// Returns the error of the voltages, with the predictions multiplied and shifted first.
double voltage_error(const std::vector<StepReading>& steps, double factor, double shift) {
  double square = 0;
  for (const StepReading& step : steps) {
    square += std::pow(factor * step.voltage + shift - step.true_voltage, 2);
  }
  return std::sqrt(square / static_cast<double>(steps.size()));
}

std::vector<Measure> spike_measures(const Objective& objective, const Tally& tally) {
  const std::vector<StepReading>& steps = tally.steps;
  if (steps.empty() || !std::isfinite(tally.loss)) return {};
  std::vector<Measure> measures;
  if (const auto area = area_under_curve(steps)) measures.push_back({"auc", *area});
  const double unit_mV = objective.voltage_unit_mV;
  measures.push_back({"rmse_mV", unit_mV * voltage_error(steps, 1, 0)});
  const Moments predicted = moments(steps, &StepReading::voltage);
  const Moments truth = moments(steps, &StepReading::true_voltage);
  if (predicted.sd > 0) {
    const double factor = truth.sd / predicted.sd;
    measures.push_back(
        {"rmse_rescaled_mV",
         unit_mV * voltage_error(steps, factor, truth.mean - factor * predicted.mean)});
  }
  return measures;
}

std::int64_t no_decisions(const ReadValues&, const tasks::Batch&) {
  return 0;
}

std::vector<StepReading> no_steps(const Objective&, const ReadValues&, const tasks::Batch&) {
  return {};
}

std::vector<Measure> no_measures(const Objective&, const Tally&) {
  return {};
}

/// In the order of Objective::Kind.
constexpr std::array kRules = {
    Rule{"classify", class_losses, right_classes, no_steps, class_measures},
    Rule{"trace", trace_losses, no_decisions, no_steps, no_measures},
    Rule{"spikes_and_voltage", spike_losses, no_decisions, spike_steps, spike_measures},
};

}  // namespace

const Rule& rule_of(Objective::Kind kind) noexcept {
  return kRules[static_cast<std::size_t>(kind)];
}

Objective::Kind parse_objective_kind(std::string_view name) {
  const auto found = std::find_if(kRules.begin(), kRules.end(),
                                  [&](const Rule& rule) { return rule.name == name; });
  require(found != kRules.end(), ErrorKind::checkpoint,
          "objective.kind: found '{}', expected classify, trace or spikes_and_voltage", name);
  return static_cast<Objective::Kind>(found - kRules.begin());
}

std::string_view objective_kind_name(Objective::Kind kind) noexcept {
  return rule_of(kind).name;
}

}  // namespace afterspike::tasks
