#pragma once

#include "afterspike/modules/layers.hpp"

namespace afterspike {

/// Options of LSTM.
class LSTMOptions : public LayerOptions<LSTMOptions> {
 public:
  /// Inputs and units of a layer.
  LSTMOptions(std::int64_t input_size, std::int64_t hidden_size)
      : LayerOptions("lstm", input_size, hidden_size) {}
};

/// Long short-term memory, with gates in the order i, f, g, o. Parameters and their layout are
/// those of the program (docs/numerics.md), not those of torch::nn::LSTM.
class LSTMImpl : public LayerModule<LSTMImpl, LSTMOptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit LSTMImpl(const LSTMOptions& own) : LayerModule("afterspike::LSTM", own) {}
  LSTMImpl(std::int64_t input_size, std::int64_t hidden_size)
      : LSTMImpl(LSTMOptions(input_size, hidden_size)) {}

  /// Runs `input` [steps, batch, input_size] from `state`, h and c [num_layers, batch, hidden_size]
  /// each, or from rest, as torch::nn::LSTM does. Returns the outputs [steps, batch, hidden_size]
  /// and the state after the last step.
  std::tuple<at::Tensor, std::tuple<at::Tensor, at::Tensor>> forward(
      const at::Tensor& input,
      c10::optional<std::tuple<at::Tensor, at::Tensor>> state = c10::nullopt);

 protected:
  FORWARD_HAS_DEFAULT_ARGS(
      {1, torch::nn::AnyValue(c10::optional<std::tuple<at::Tensor, at::Tensor>>())})
};
TORCH_MODULE(LSTM);

}  // namespace afterspike
