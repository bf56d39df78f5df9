#include "afterspike/train/shard.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/evaluation/evaluate.hpp"
#include "clock.hpp"
#include "finite.hpp"

namespace afterspike::train {

Shard run_shard(const nn::Network& network, const tasks::Task& task,
                const std::vector<nn::Network::Parameter>& parameters, const data::Batch& samples,
                std::int64_t batch, double label_smoothing, const nn::NetworkPass& pass) {
  Shard shard;
  const double start_s = now_s();
  const tasks::ReadValues outputs =
      evaluation::outputs(network, samples, task.objective().read, pass);
  const at::Tensor loss = task.loss(outputs, samples, label_smoothing);
  const double forward_end_s = now_s();
  std::vector<at::Tensor> tensors;
  for (const nn::Network::Parameter& parameter : parameters) tensors.push_back(parameter.tensor);
  shard.gradients = torch::autograd::grad({loss / static_cast<double>(batch)}, tensors, {},
                                          /*retain_graph=*/false, /*create_graph=*/false,
                                          /*allow_unused=*/true);
  shard.forward_s = forward_end_s - start_s;
  shard.backward_s = now_s() - forward_end_s;
  const at::NoGradGuard no_grad;
  shard.tally = task.tally(outputs, samples);
  return shard;
}

std::vector<at::Tensor> sum_gradients(const std::vector<Shard>& shards) {
  std::vector<at::Tensor> sums = shards.front().gradients;
  for (std::size_t index = 1; index < shards.size(); ++index) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      // Not in place: two parameters that enter as a sum share one gradient.
      if (sums[i].defined()) sums[i] = sums[i].add(shards[index].gradients[i]);
    }
  }
  return sums;
}

bool all_finite(const std::vector<Shard>& shards, const std::vector<at::Tensor>& sums) {
  return std::all_of(shards.begin(), shards.end(),
                     [](const Shard& shard) { return std::isfinite(shard.tally.loss); }) &&
         std::all_of(sums.begin(), sums.end(), is_finite);
}

}  // namespace afterspike::train
