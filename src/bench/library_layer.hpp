#pragma once

#include <memory>
#include <string_view>

#include "afterspike/nn/neuron_layer.hpp"

namespace afterspike::bench {

/// Returns LibTorch's own layer of the neuron model of this name, with the parameters of our model;
/// null if LibTorch has none.
std::unique_ptr<nn::NeuronModel> library_model(std::string_view name);

}  // namespace afterspike::bench
