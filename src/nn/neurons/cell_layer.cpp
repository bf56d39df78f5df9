#include "cell_layer.hpp"

#include <cmath>

#include <ATen/ATen.h>

#include "neuron_options.hpp"
#include "rnn_kernel.hpp"

namespace afterspike::nn {

void CellOptions::describe(options::Section section) {
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input of each layer.");
  describe_dropout(section, "dropout", dropout, "Dropout of what units emit, towards everything.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of what units emit, towards the recurrent weights only.");
}

CellLayer::CellLayer(const LayerShape& shape, std::vector<ParameterSpec> specs,
                     kernels::RnnCell cell, const CellOptions& options, std::int64_t delay)
    : NeuronLayer(shape, std::move(specs)), cell_(cell), options_(options), delay_(delay) {}

at::Tensor CellLayer::emissions(const at::Tensor& input, const LayerPass& pass) const {
  if (!takes_kernel(input, pass)) return NeuronLayer::emissions(input, pass);
  RnnWeights weights{raw("input_weight"), raw("recurrent_weight"), {}, {}};
  if (cell_ == kernels::RnnCell::vanilla) {
    weights.input_bias = raw("bias");
  } else {
    weights.input_bias = raw("input_bias");
    weights.recurrent_bias = raw("recurrent_bias");
  }
  return rnn_sequence(dropout(input, options_.input_dropout, pass), cell_, delay_, weights,
                      options_.dropout, options_.recurrent_dropout,
                      beside_dropped_input(pass, options_.input_dropout, input));
}

std::optional<NeuronLayer::Workspace> CellLayer::workspace(std::int64_t steps, std::int64_t rows,
                                                           Precision /*precision*/,
                                                           std::size_t limit) const {
  const kernels::RnnShape sizes{cell_, steps, rows, shape().input_size, shape().neurons, delay_};
  return workspace_beside(
      dropped_input_bytes(options_.input_dropout, steps, rows, shape().input_size), limit,
      [&](std::size_t within) {
        return rnn_workspace(sizes, options_.dropout > 0, options_.recurrent_dropout > 0, within);
      });
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
