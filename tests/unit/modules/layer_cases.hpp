#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/nn/layer_stack.hpp"
#include "support/tensors.hpp"

namespace afterspike::testing {

/// A stack of layers whose options differ from the defaults in one respect.
struct LayerCase {
  std::string name;
  nn::StackOptions options;
  std::int64_t steps = 6, batch = 3;
};

using NeuronOptions = std::vector<std::pair<std::string, std::string>>;

inline LayerCase layer_case(std::string name, std::string neuron, NeuronOptions own = {},
                            std::int64_t layers = 1, std::int64_t steps = 6,
                            std::int64_t batch = 3) {
  // Currents that move the voltage by a millivolt, so that their parameters have gradients.
  if (neuron == "glifr") own.emplace_back("after_spike_additive", "uniform(-500, 500)");
  return {
      std::move(name), {std::move(neuron), 3, 4, layers, 1, false, std::move(own)}, steps, batch};
}

inline void PrintTo(const LayerCase& own, std::ostream* stream) {
  *stream << own.name;
}

/// Every neuron model, and the options that change the path through a kernel.
inline std::vector<LayerCase> layer_cases() {
  return {layer_case("glifr", "glifr"),
          layer_case("glifr_delay", "glifr", {{"delay", "3 steps"}}),
          layer_case("glifr_delay_beyond", "glifr", {{"delay", "9 steps"}}),
          layer_case("glifr_no_currents", "glifr", {{"after_spike_currents", "0"}}),
          layer_case("glifr_one_current", "glifr", {{"after_spike_currents", "1"}}),
          layer_case("glifr_three_currents", "glifr", {{"after_spike_currents", "3"}}),
          layer_case("glifr_layers", "glifr", {{"delay", "2 steps"}}, 2),
          layer_case("glifr_one_sequence", "glifr", {}, 1, 6, 1),
          layer_case("glifr_one_step", "glifr", {}, 1, 1, 3),
          layer_case("alif", "alif", {{"delay", "2 steps"}}),
          layer_case("elm", "elm"),
          layer_case("elm_v1", "elm", {{"version", "v1"}}),
          layer_case("elm_learned_traces", "elm", {{"learn", "all"}}),
          layer_case("elm_layers", "elm", {{"mlp_layers", "2"}}, 2),
          layer_case("elm_network", "elm_network", {{"memory", "2"}}),
          layer_case("elm_network_slow", "elm_network",
                     {{"memory", "2"}, {"branch_tau", "5 ms"}, {"high_pass_tau", "20 ms"}}),
          layer_case("rnn", "rnn"),
          layer_case("rnn_delay", "rnn", {{"delay", "2 steps"}}),
          layer_case("gru", "gru"),
          layer_case("gru_layers", "gru", {}, 2),
          layer_case("lstm", "lstm"),
          layer_case("lstm_one_step", "lstm", {}, 1, 1, 1)};
}

/// The stack in double precision with drawn parameters.
inline nn::LayerStack make_stack(const LayerCase& own) {
  nn::LayerStack stack(own.options);
  for (const auto& layer : stack.layers()) layer->to(at::kDouble);
  stack.initialize(Rng(1));
  return stack;
}

inline at::Tensor make_sequences(const LayerCase& own) {
  return uniform_tensor({own.steps, own.batch, own.options.input_size}, Rng(2), -1.5, 2);
}

}  // namespace afterspike::testing
