#pragma once

#include "afterspike/modules/layers.hpp"

namespace afterspike {

/// Options of GRU.
class GRUOptions : public LayerOptions<GRUOptions> {
 public:
  /// Inputs and units of a layer.
  GRUOptions(std::int64_t input_size, std::int64_t hidden_size)
      : LayerOptions("gru", input_size, hidden_size) {}
};

/// Gated recurrent units, with gates in the order r, z, n. Parameters and their layout are those of
/// the program (docs/numerics.md), not those of torch::nn::GRU.
class GRUImpl : public LayerModule<GRUImpl, GRUOptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit GRUImpl(const GRUOptions& own) : LayerModule("afterspike::GRU", own) {}
  GRUImpl(std::int64_t input_size, std::int64_t hidden_size)
      : GRUImpl(GRUOptions(input_size, hidden_size)) {}

  /// Runs `input` [steps, batch, input_size] from `state` [num_layers, batch, hidden_size], or from
  /// rest, as torch::nn::GRU does. Returns the outputs [steps, batch, hidden_size] and the state
  /// after the last step.
  std::tuple<at::Tensor, at::Tensor> forward(const at::Tensor& input, at::Tensor state = {});

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(at::Tensor())})
};
TORCH_MODULE(GRU);

}  // namespace afterspike
