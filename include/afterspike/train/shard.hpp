#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"

/// The parts of a training step: what one thread does at a time, and how that is put together.
namespace afterspike::train {

/// What one shard of a batch gives.
struct Shard {
  tasks::Tally tally;
  std::vector<at::Tensor> gradients;     ///< In the order of the parameters; undefined: zero.
  double forward_s = 0, backward_s = 0;  ///< Time that it took; the loss belongs to the first.
};

/// The samples of a shard through the network and back: gradients of their loss, divided by the
/// size of the whole batch, by `parameters`. May be called from several threads at once.
Shard run_shard(const nn::Network& network, const tasks::Task& task,
                const std::vector<nn::Network::Parameter>& parameters, const data::Batch& samples,
                std::int64_t batch, double label_smoothing, const nn::NetworkPass& pass);

/// The gradients of the batch: those of its shards, added in their order. REQUIRES: at least one.
std::vector<at::Tensor> sum_gradients(const std::vector<Shard>& shards);

/// True where the losses of all shards are finite and so are the gradients: `sums` of them, for
/// what is not finite makes its sum not finite.
bool all_finite(const std::vector<Shard>& shards, const std::vector<at::Tensor>& sums);

}  // namespace afterspike::train
