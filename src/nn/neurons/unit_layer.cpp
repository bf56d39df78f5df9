#include "unit_layer.hpp"

#include <cmath>

#include <ATen/ATen.h>

#include "neuron_options.hpp"
#include "rnn_kernel.hpp"

namespace afterspike::nn {

void UnitOptions::describe(options::Section section) {
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input of each layer.");
  describe_dropout(section, "dropout", dropout, "Dropout of what units emit, towards everything.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of what units emit, towards the recurrent weights only.");
}

UnitLayer::UnitLayer(const LayerShape& shape, std::vector<ParameterSpec> specs,
                     kernels::RnnCell cell, const UnitOptions& options, std::int64_t delay)
    : NeuronLayer(shape, std::move(specs)), cell_(cell), options_(options), delay_(delay) {}

at::Tensor UnitLayer::emissions(const at::Tensor& input, const LayerPass& pass) const {
  if (pass.engine == Engine::composed || pass.trace != nullptr || !has_kernel(input) ||
      pass.precision != Precision::same) {
    return NeuronLayer::emissions(input, pass);
  }
  RnnWeights weights{raw("input_weight"), raw("recurrent_weight"), {}, {}};
  if (cell_ == kernels::RnnCell::vanilla) {
    weights.input_bias = raw("bias");
    weights.recurrent_bias = at::zeros_like(raw("bias").detach());
  } else {
    weights.input_bias = raw("input_bias");
    weights.recurrent_bias = raw("recurrent_bias");
  }
  return rnn_sequence(dropout(input, options_.input_dropout, pass), cell_, delay_, weights,
                      options_.dropout, options_.recurrent_dropout,
                      beside_dropped_input(pass, options_.input_dropout, input));
}

std::optional<NeuronLayer::Workspace> UnitLayer::workspace(std::int64_t steps, std::int64_t rows,
                                                           Precision /*precision*/,
                                                           std::size_t limit) const {
  const kernels::RnnShape sizes{cell_, steps, rows, shape().input_size, shape().neurons, delay_};
  const std::size_t input =
      dropped_input_bytes(options_.input_dropout, steps, rows, shape().input_size);
  const auto bytes = [&](std::size_t within) {
    return input + rnn_workspace(sizes, options_.dropout > 0, options_.recurrent_dropout > 0,
                                 left_of(within, input));
  };
  return Workspace{bytes(limit), bytes(1)};
}

std::vector<ParameterSpec> gated_specs(const LayerShape& shape, kernels::RnnCell cell) {
  const double bound = 1 / std::sqrt(static_cast<double>(shape.neurons));
  const Initial initial = Initial::uniform(-bound, bound);
  const std::int64_t width = kernels::rnn_gates(cell) * shape.neurons;
  return {{"input_weight", "W_i", "1", {shape.input_size, width}, {}, initial},
          {"recurrent_weight", "W_h", "1", {shape.neurons, width}, {}, initial},
          {"input_bias", "b_i", "1", {width}, {}, initial, ParameterGroup::bias},
          {"recurrent_bias", "b_h", "1", {width}, {}, initial, ParameterGroup::bias}};
}

}  // namespace afterspike::nn
