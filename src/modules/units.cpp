#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/modules/gru.hpp"
#include "afterspike/modules/lstm.hpp"
#include "afterspike/modules/rnn.hpp"

/// The states of units of machine learning as torch::nn has them: one tensor for all layers.
namespace afterspike {
namespace {

/// Joins a part of the states of all layers, [layers, ...]; a delay of one step has no dimension.
at::Tensor joined(const LayerStates& states, const char* part) {
  std::vector<at::Tensor> all;
  for (const nn::NamedTensors& own : states) {
    const at::Tensor& tensor = own.at(part);
    all.push_back(tensor.dim() == 3 && tensor.size(0) == 1 ? tensor[0] : tensor);
  }
  return at::stack(all);
}

/// Writes the layers of a joined part into the states, in the shapes that these have.
void split(const at::Tensor& given, LayerStates& states, const char* part) {
  require(given.dim() >= 1 && given.size(0) == std::ssize(states), ErrorKind::config,
          "state: found {} layers in its first dimension, expected {}",
          given.dim() >= 1 ? given.size(0) : 0, states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    at::Tensor& own = states[i].at(part);
    at::Tensor layer = given[static_cast<std::int64_t>(i)];
    if (layer.dim() == 2 && own.dim() == 3 && own.size(0) == 1) layer = layer.unsqueeze(0);
    own = layer;
  }
}

}  // namespace

std::pair<at::Tensor, std::vector<at::Tensor>> LayersImpl::run_joined(
    const at::Tensor& input, const std::vector<const char*>& parts,
    const std::vector<at::Tensor>& given) const {
  c10::optional<LayerStates> states;
  if (!given.empty() && input.dim() == 3) {
    states = initial_state(input.size(options_.batch_first ? 0 : 1));
    for (std::size_t i = 0; i < parts.size(); ++i) split(given[i], *states, parts[i]);
  }
  nn::LayerStack::Result result = run(input, states);
  std::vector<at::Tensor> after;
  for (const char* part : parts) after.push_back(joined(result.states, part));
  return {std::move(result.output), std::move(after)};
}

namespace {

std::vector<at::Tensor> given_state(const at::Tensor& state) {
  return state.defined() ? std::vector<at::Tensor>{state} : std::vector<at::Tensor>{};
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> RNNImpl::forward(const at::Tensor& input, at::Tensor state) {
  auto [output, after] = run_joined(input, {"emitted"}, given_state(state));
  return {std::move(output), std::move(after[0])};
}

std::tuple<at::Tensor, at::Tensor> GRUImpl::forward(const at::Tensor& input, at::Tensor state) {
  auto [output, after] = run_joined(input, {"emitted"}, given_state(state));
  return {std::move(output), std::move(after[0])};
}

std::tuple<at::Tensor, std::tuple<at::Tensor, at::Tensor>> LSTMImpl::forward(
    const at::Tensor& input, c10::optional<std::tuple<at::Tensor, at::Tensor>> state) {
  std::vector<at::Tensor> given;
  if (state) given = {std::get<0>(*state), std::get<1>(*state)};
  auto [output, after] = run_joined(input, {"emitted", "cell"}, given);
  return {std::move(output), {std::move(after[0]), std::move(after[1])}};
}

}  // namespace afterspike
