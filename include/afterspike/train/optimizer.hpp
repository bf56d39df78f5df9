#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/nn/network.hpp"
#include "afterspike/train/options.hpp"

namespace afterspike::train {

/// Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), Adamax (Kingma and Ba 2015,
/// section 7.1), with PyTorch's conventions, over the trained parameters of a network. Its state is
/// a set of named tensors, so that a run resumes bit for bit.
class Optimizer {
 public:
  Optimizer(const TrainOptions& options, const nn::Network& network);

  /// Returns the trained parameters, in the order in which step() takes their gradients.
  const std::vector<nn::Network::Parameter>& parameters() const noexcept { return parameters_; }

  /// Returns the number of trained values.
  std::int64_t numbers() const noexcept;

  /// Makes one update; undefined gradients count as zero. `factor` scales the learning rates.
  void step(const std::vector<at::Tensor>& gradients, double factor);

  std::int64_t steps() const noexcept { return steps_; }

  /// Replaces the tensors of `model` that are averaged (TrainOptions::average) by their average.
  void put_averages(nn::NamedTensors& model) const;

  /// Exchanges the network's parameters with their average, if they are averaged.
  void swap_averages();

  /// Returns first and second moments as "moment1.<parameter>", "moment2.<parameter>", and "steps";
  /// with averaged parameters also "average.<parameter>" and "weights.<parameter>".
  nn::NamedTensors state() const;

  /// Restores the result of state(), with averaged parameters the network's parameters, too. Throws
  /// Error(checkpoint) naming a tensor that is missing or of another shape.
  void restore(const nn::NamedTensors& state);

 private:
  void update(std::size_t index, at::Tensor gradient, double learning_rate);
  void start_average();
  void update_average();

  TrainOptions options_;
  std::vector<nn::Network::Parameter> parameters_;
  std::vector<at::Tensor> moment1_, moment2_;
  std::vector<at::Tensor> average_;  ///< Empty before the first step, or without averages.
  std::int64_t steps_ = 0;
};

}  // namespace afterspike::train
