#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/train/ranks.hpp"

/// Parts of a training step: the work of one thread, and the combination of the results.
namespace afterspike::train {

/// Result of one shard of a batch.
struct Shard {
  tasks::Tally tally;
  at::Tensor gradient;                   ///< Gradient by all parameters, concatenated; on the CPU.
  double forward_s = 0, backward_s = 0;  ///< Computing time; the loss belongs to the forward pass.
};

/// Passes the samples of a shard forward and backward: computes the gradient of their loss (with
/// the layers' penalty, nn::LayerPass::penalty), divided by the size of the whole batch, by
/// `parameters`. May be called from several threads at once.
Shard run_shard(const nn::Network& network, const tasks::Task& task,
                const std::vector<nn::Network::Parameter>& parameters, const tasks::Batch& samples,
                std::int64_t batch, double label_smoothing, nn::NetworkPass pass,
                const at::Tensor& class_weights = {});

/// Returns whether losses and gradients of all shards are finite.
bool all_finite(const std::vector<Shard>& shards);

/// Returns the gradient, of `size` values, of the whole batch, of which this rank has `shards`: the
/// sum over all shards of all ranks, in their order. REQUIRES: rank 0 has at least one. Throws as
/// train::Ranks.
at::Tensor sum_gradients(const std::vector<Shard>& shards, std::int64_t size,
                         train::Ranks& ranks = train::alone());

/// Splits such a gradient by parameter, each in its shape; views.
std::vector<at::Tensor> by_parameter(const at::Tensor& gradient,
                                     const std::vector<nn::Network::Parameter>& parameters);

}  // namespace afterspike::train
