#include <iostream>

#include <ATen/ATen.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/nn/neuron_layer.hpp"

// Runs a layer of each neuron model for three steps of a batch of two.
int main() try {
  for (const afterspike::nn::NeuronEntry& entry : afterspike::nn::entries()) {
    const auto layer = entry.make()->make({.input_size = 4, .neurons = 5, .dt_ms = 1});
    layer->initialize(afterspike::Rng(1));
    afterspike::nn::NamedTensors state = layer->initial_state(2);
    const at::Tensor emitted = layer->forward(at::ones({3, 2, 4}), state, {});
    afterspike::require(emitted.sizes() == at::IntArrayRef({3, 2, 5}),
                        afterspike::ErrorKind::internal, "{}: another shape", entry.name);
    std::cout << entry.name << ": " << emitted.mean().item<double>() << '\n';
  }
  afterspike::find_entry(afterspike::nn::entries(), "glifr", "neuron");
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
