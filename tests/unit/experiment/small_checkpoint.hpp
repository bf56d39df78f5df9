#pragma once

#include <limits>
#include <memory>

#include <ATen/ATen.h>

#include "afterspike/experiment/checkpoint.hpp"
#include "support/tensors.hpp"
#include "unit/nn/models.hpp"

namespace afterspike::testing {

inline std::shared_ptr<nn::Network> small_network(const std::string& neuron = "glifr",
                                                  std::int64_t hidden = 3, std::uint64_t seed = 1) {
  nn::NetworkOptions options;
  options.hidden = hidden;
  auto network =
      std::make_shared<nn::Network>(*make_model(neuron), options, nn::NetworkShape{2, 2, 0.05});
  network->initialize(Rng(seed));
  return network;
}

/// Returns a checkpoint of the network with every member set.
inline experiment::Checkpoint content_of(const nn::Network& network) {
  experiment::Checkpoint content;
  content.configuration = {{"task.name", "sine_generation"}, {"neuron.name", "glifr"}};
  content.progress = {{"step", 3}, {"loss", 0.1 + 0.2}};
  content.parameters = experiment::describe_parameters(network);
  content.model = experiment::model_tensors(network);
  content.training = {{"steps", at::full({1}, 3, at::kLong)},
                      {"moment1.a", at::rand({4, 1, 2})},
                      {"moment2.a", at::rand({4, 1, 2}, at::kDouble)}};
  return content;
}

}  // namespace afterspike::testing
