#include "afterspike/train/shard.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/base/denormals.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "clock.hpp"
#include "finite.hpp"

namespace afterspike::train {

Shard run_shard(const nn::Network& network, const tasks::Task& task,
                const std::vector<nn::Network::Parameter>& parameters, const tasks::Batch& samples,
                std::int64_t batch, double label_smoothing, nn::NetworkPass pass,
                const at::Tensor& class_weights) {
  const DenormalsFlushed flushed;  // In the backward pass, and in composed operations.
  Shard shard;
  const double start_s = now_s();
  at::Tensor penalty;
  if (network.has_penalty()) pass.penalty = &penalty;
  const tasks::ReadValues outputs =
      experiment::outputs(network, samples, task.objective().read, pass);
  at::Tensor loss = task.loss(outputs, samples, label_smoothing, class_weights);
  if (penalty.defined()) loss = loss + penalty.sum().to(loss.device());
  const double forward_end_s = now_s();
  std::vector<at::Tensor> tensors;
  for (const nn::Network::Parameter& parameter : parameters) tensors.push_back(parameter.tensor);
  std::vector<at::Tensor> gradients =
      torch::autograd::grad({loss / static_cast<double>(batch)}, tensors, {},
                            /*retain_graph=*/false, /*create_graph=*/false,
                            /*allow_unused=*/true);
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    gradients[i] = gradients[i].defined() ? gradients[i].reshape(-1)
                                          : at::zeros({tensors[i].numel()}, tensors[i].options());
  }
  shard.gradient = at::cat(gradients).to(at::kCPU);
  shard.forward_s = forward_end_s - start_s;
  shard.backward_s = now_s() - forward_end_s;
  shard.tally = task.tally(outputs, samples);
  return shard;
}

bool all_finite(const std::vector<Shard>& shards) {
  return std::all_of(shards.begin(), shards.end(), [](const Shard& shard) {
    return std::isfinite(shard.tally.loss) && is_finite(shard.gradient);
  });
}

at::Tensor sum_gradients(const std::vector<Shard>& shards, std::int64_t size, train::Ranks& ranks) {
  // The sum begins with the first shard, which is rank 0's.
  const std::size_t begin = ranks.rank() == 0 ? 1 : 0;
  at::Tensor sum = begin == 1 ? shards.front().gradient : at::empty({size});
  ranks.fold(sum, [&](const at::Tensor& part, std::int64_t offset) {
    for (std::size_t i = begin; i < shards.size(); ++i) {
      part.add_(shards[i].gradient.narrow(0, offset, part.numel()));
    }
  });
  return sum;
}

std::vector<at::Tensor> by_parameter(const at::Tensor& gradient,
                                     const std::vector<nn::Network::Parameter>& parameters) {
  std::vector<at::Tensor> parts;
  std::int64_t offset = 0;
  for (const nn::Network::Parameter& parameter : parameters) {
    const std::int64_t size = parameter.tensor.numel();
    parts.push_back(gradient.narrow(0, offset, size).view(parameter.tensor.sizes()));
    offset += size;
  }
  return parts;
}

}  // namespace afterspike::train
