#include "gated.hpp"

#include <cmath>

#include "neuron_options.hpp"

namespace afterspike::nn {

void GatedOptions::describe(options::Section section) {
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input of each layer.");
  describe_dropout(section, "dropout", dropout, "Dropout of what units emit, towards everything.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of what units emit, towards the recurrent weights only.");
}

std::vector<ParameterSpec> gated_specs(const LayerShape& shape, std::int64_t gates) {
  const double bound = 1 / std::sqrt(static_cast<double>(shape.neurons));
  const Initial initial = Initial::uniform(-bound, bound);
  const std::int64_t width = gates * shape.neurons;
  return {{"input_weight", "W_i", "1", {shape.input_size, width}, {}, initial},
          {"recurrent_weight", "W_h", "1", {shape.neurons, width}, {}, initial},
          {"input_bias", "b_i", "1", {width}, {}, initial, ParameterGroup::bias},
          {"recurrent_bias", "b_h", "1", {width}, {}, initial, ParameterGroup::bias}};
}

}  // namespace afterspike::nn
