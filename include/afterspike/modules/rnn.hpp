#pragma once

#include "afterspike/modules/layers.hpp"

namespace afterspike {

/// Options of RNN.
class RNNOptions : public LayerOptions<RNNOptions> {
 public:
  /// Inputs and units of a layer.
  RNNOptions(std::int64_t input_size, std::int64_t hidden_size)
      : LayerOptions("rnn", input_size, hidden_size) {}

  /// Sets the delay of the recurrent synapses, in steps. Default: 1.
  RNNOptions& delay(std::int64_t steps) { return set("delay", std::to_string(steps) + " steps"); }
};

/// Vanilla recurrent units, tanh, with a delay. Parameters and their layout are those of the
/// program (docs/numerics.md), not those of torch::nn::RNN.
class RNNImpl : public LayerModule<RNNImpl, RNNOptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit RNNImpl(const RNNOptions& own) : LayerModule("afterspike::RNN", own) {}
  RNNImpl(std::int64_t input_size, std::int64_t hidden_size)
      : RNNImpl(RNNOptions(input_size, hidden_size)) {}

  /// Runs `input` [steps, batch, input_size] from `state` [num_layers, batch, hidden_size], or from
  /// rest, as torch::nn::RNN does. Returns the outputs [steps, batch, hidden_size] and the state
  /// after the last step. With a delay D above 1 it is [num_layers, D, batch, hidden_size].
  std::tuple<at::Tensor, at::Tensor> forward(const at::Tensor& input, at::Tensor state = {});

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(at::Tensor())})
};
TORCH_MODULE(RNN);

}  // namespace afterspike
