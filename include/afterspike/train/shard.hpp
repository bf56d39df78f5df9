#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/distributed/ranks.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"

/// The parts of a training step: what one thread does at a time, and how that is put together.
namespace afterspike::train {

/// What one shard of a batch gives.
struct Shard {
  tasks::Tally tally;
  at::Tensor gradient;                   ///< By all parameters, one after the other; on the CPU.
  double forward_s = 0, backward_s = 0;  ///< Time that it took; the loss belongs to the first.
};

/// The samples of a shard through the network and back: the gradient of their loss (with
/// what layers add to it, nn::LayerPass::penalty), divided by the
/// size of the whole batch, by `parameters`. May be called from several threads at once.
Shard run_shard(const nn::Network& network, const tasks::Task& task,
                const std::vector<nn::Network::Parameter>& parameters, const data::Batch& samples,
                std::int64_t batch, double label_smoothing, nn::NetworkPass pass);

/// True where losses and gradients of all shards are finite.
bool all_finite(const std::vector<Shard>& shards);

/// The gradient, of `size` numbers, of the whole batch, of which this rank has `shards`: those of
/// all shards of all ranks, added in their order. REQUIRES: rank 0 has at least one. Throws what
/// distributed::Ranks throw.
at::Tensor sum_gradients(const std::vector<Shard>& shards, std::int64_t size,
                         distributed::Ranks& ranks = distributed::alone());

/// The parts of such a gradient that belong to each parameter, in its shape; views.
std::vector<at::Tensor> by_parameter(const at::Tensor& gradient,
                                     const std::vector<nn::Network::Parameter>& parameters);

}  // namespace afterspike::train
