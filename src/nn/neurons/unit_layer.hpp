#pragma once

#include "afterspike/nn/neuron_layer.hpp"

/// What LSTM and GRU share: gates from the input and from what the units emitted a step ago.
namespace afterspike::nn {

struct GatedOptions {
  double input_dropout = 0;
  double dropout = 0;
  double recurrent_dropout = 0;

  void describe(options::Section section);
};

/// Weights and the two biases of `gates` gates, initially uniform(-1, 1) / sqrt(units) as in
/// PyTorch: input_weight [I, gates H], recurrent_weight [H, gates H], input_bias and recurrent_bias
/// [gates H].
std::vector<ParameterSpec> gated_specs(const LayerShape& shape, std::int64_t gates);

/// A gated neuron model: its options, and layers of type Layer(shape, options) with as many gates
/// as Layer::kGates says.
template <typename Layer>
class GatedModel final : public NeuronModel {
 public:
  void describe(options::Section section) override { options_.describe(section); }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    return gated_specs(shape, Layer::kGates);
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    return std::make_shared<Layer>(shape, options_);
  }

 private:
  GatedOptions options_;
};

}  // namespace afterspike::nn
