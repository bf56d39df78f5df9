#include "afterspike/train/optimizer.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "afterspike/base/denormals.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/nn/parameter_choice.hpp"

namespace afterspike::train {

Optimizer::Optimizer(const TrainOptions& options, const nn::Network& network) : options_(options) {
  const auto frozen = nn::ParameterChoice::parse(options.freeze, "train.freeze");
  for (const nn::Network::Parameter& parameter : network.named()) {
    if (!parameter.spec->trainable || frozen.contains(parameter)) continue;
    parameters_.push_back(parameter);
    moment1_.push_back(at::zeros_like(parameter.tensor.detach()));
    moment2_.push_back(at::zeros_like(parameter.tensor.detach()));
  }
}

std::int64_t Optimizer::numbers() const noexcept {
  std::int64_t sum = 0;
  for (const nn::Network::Parameter& parameter : parameters_) sum += parameter.tensor.numel();
  return sum;
}

void Optimizer::step(const std::vector<at::Tensor>& gradients, double factor) {
  const at::NoGradGuard no_grad;
  const DenormalsFlushed flushed;  // Moments become denormal, too.
  require(gradients.size() == parameters_.size(), ErrorKind::internal,
          "{} gradients for {} parameters", gradients.size(), parameters_.size());
  if (options_.average > 0 && average_.empty()) start_average();
  ++steps_;
  for (std::size_t index = 0; index < parameters_.size(); ++index) {
    const bool intrinsic = parameters_[index].spec->group == nn::ParameterGroup::intrinsic;
    const double rate = intrinsic && options_.intrinsic_learning_rate > 0
                            ? options_.intrinsic_learning_rate
                            : options_.learning_rate;
    const at::Tensor& gradient = gradients[index];
    update(index,
           gradient.defined() ? gradient.to(parameters_[index].tensor.device())
                              : at::zeros_like(parameters_[index].tensor),
           rate * factor);
  }
  update_average();
}

void Optimizer::start_average() {
  for (const nn::Network::Parameter& parameter : parameters_) {
    average_.push_back(parameter.tensor.detach().clone());
  }
}

void Optimizer::update_average() {
  // Few steps have a shorter memory, so that the average leaves the initial values soon.
  const auto count = static_cast<double>(steps_);
  const double decay = std::min(options_.average, (1 + count) / (10 + count));
  for (std::size_t index = 0; index < average_.size(); ++index) {
    average_[index].lerp_(parameters_[index].tensor.detach(), 1 - decay);
  }
}

void Optimizer::put_averages(nn::NamedTensors& model) const {
  for (std::size_t index = 0; index < average_.size(); ++index) {
    model[parameters_[index].name] = average_[index].clone();
  }
}

void Optimizer::swap_averages() {
  const at::NoGradGuard no_grad;
  for (std::size_t index = 0; index < average_.size(); ++index) {
    at::Tensor parameter = parameters_[index].tensor;
    const at::Tensor weights = parameter.detach().clone();
    parameter.copy_(average_[index]);
    average_[index].copy_(weights);
  }
}

void Optimizer::update(std::size_t index, at::Tensor gradient, double learning_rate) {
  at::Tensor parameter = parameters_[index].tensor;
  const bool decays = parameters_[index].spec->group == nn::ParameterGroup::weight;
  if (decays && options_.weight_decay > 0) {
    if (options_.optimizer == Algorithm::adamw) {
      parameter.mul_(1 - learning_rate * options_.weight_decay);
    } else {
      gradient = gradient.add(parameter, options_.weight_decay);
    }
  }
  const auto count = static_cast<double>(steps_);
  const double correction1 = 1 - std::pow(options_.beta1, count);
  moment1_[index].mul_(options_.beta1).add_(gradient, 1 - options_.beta1);
  if (options_.optimizer == Algorithm::adamax) {
    moment2_[index] =
        at::maximum(moment2_[index] * options_.beta2, gradient.abs() + options_.epsilon);
    parameter.addcdiv_(moment1_[index], moment2_[index], -learning_rate / correction1);
    return;
  }
  const double correction2 = 1 - std::pow(options_.beta2, count);
  moment2_[index].mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
  const at::Tensor scale =
      moment2_[index].sqrt().div_(std::sqrt(correction2)).add_(options_.epsilon);
  parameter.addcdiv_(moment1_[index], scale, -learning_rate / correction1);
}

nn::NamedTensors Optimizer::state() const {
  nn::NamedTensors state = {{"steps", at::full({1}, steps_, at::kLong)}};
  for (std::size_t index = 0; index < parameters_.size(); ++index) {
    state["moment1." + parameters_[index].name] =
        moment1_[index].to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
    state["moment2." + parameters_[index].name] =
        moment2_[index].to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
    if (options_.average <= 0) continue;
    const at::Tensor weights = parameters_[index].tensor.detach();
    const at::Tensor average = average_.empty() ? weights : average_[index];
    state["average." + parameters_[index].name] =
        average.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
    state["weights." + parameters_[index].name] =
        weights.to(at::kCPU, /*non_blocking=*/false, /*copy=*/true);
  }
  return state;
}

void Optimizer::restore(const nn::NamedTensors& state) {
  const auto take = [&](const std::string& name, const at::Tensor& like) {
    const auto found = state.find(name);
    require(found != state.end(), ErrorKind::checkpoint,
            "training state: tensor '{}' is missing; the run cannot be resumed from it", name);
    require(found->second.sizes() == like.sizes(), ErrorKind::checkpoint,
            "training state: tensor '{}' is of another shape than the network's", name);
    return found->second;
  };
  steps_ = take("steps", at::zeros({1})).item<std::int64_t>();
  for (std::size_t index = 0; index < parameters_.size(); ++index) {
    moment1_[index].copy_(take("moment1." + parameters_[index].name, moment1_[index]));
    moment2_[index].copy_(take("moment2." + parameters_[index].name, moment2_[index]));
  }
  if (options_.average <= 0) return;
  const at::NoGradGuard no_grad;
  if (average_.empty()) start_average();
  for (std::size_t index = 0; index < parameters_.size(); ++index) {
    average_[index].copy_(take("average." + parameters_[index].name, average_[index]));
    at::Tensor(parameters_[index].tensor)
        .copy_(take("weights." + parameters_[index].name, average_[index]));
  }
}

}  // namespace afterspike::train
