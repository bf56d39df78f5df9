#pragma once

#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/csrc/autograd/autograd.h>

#include "models.hpp"
#include "support/tensors.hpp"

/// The two engines of a layer side by side: whole-sequence kernels and composed operations.
namespace afterspike::testing {

using nn::Engine;
using nn::LayerPass;
using nn::LayerShape;
using nn::NamedTensors;
using nn::NeuronLayer;
using nn::ParameterSpec;

/// Emissions of a layer and the gradients of a linear loss of them, by parameter and "input".
struct Outcome {
  at::Tensor emitted;
  NamedTensors gradients;
};

inline Outcome run_engine(const NeuronLayer& layer, const at::Tensor& input, LayerPass pass,
                          Engine engine, bool with_input = true) {
  pass.execution.engine = engine;
  if (pass.dropout.defined()) pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  const at::Tensor leaf = input.detach().clone().requires_grad_(with_input);
  Outcome outcome;
  outcome.emitted = layer.emissions(leaf, pass);
  const at::Tensor weights =
      uniform_tensor(outcome.emitted.sizes().vec(), Rng(5)).to(input.scalar_type());
  std::vector<at::Tensor> variables;
  std::vector<std::string> names;
  for (const ParameterSpec& spec : layer.specs()) {
    if (!spec.trainable || layer.raw(spec.name).numel() == 0) continue;
    names.push_back(spec.name);
    variables.push_back(layer.raw(spec.name));
  }
  if (with_input) {
    names.emplace_back("input");
    variables.push_back(leaf);
  }
  const auto gradients = torch::autograd::grad({(outcome.emitted * weights).sum()}, variables, {},
                                               c10::nullopt, false, true);
  for (std::size_t i = 0; i < names.size(); ++i) outcome.gradients[names[i]] = gradients[i];
  return outcome;
}

struct Twin {
  std::string neuron;
  LayerShape shape;
  std::int64_t steps, rows;
  Settings settings;
  LayerPass pass;
};

/// Describes a test of that twin, for failures.
inline ::testing::Message described(const Twin& twin) {
  ::testing::Message message;
  message << "inputs " << twin.shape.input_size << ", neurons " << twin.shape.neurons << ", steps "
          << twin.steps << ", rows " << twin.rows << ", first " << twin.pass.first;
  for (const auto& [name, value] : twin.settings) message << ", " << name << " " << value;
  return message;
}

/// Each kind of dropout, and all of them.
inline const std::vector<Settings>& dropouts() {
  static const std::vector<Settings> all = {
      {{"dropout", "0.3"}},
      {{"recurrent_dropout", "0.3"}},
      {{"input_dropout", "0.3"}},
      {{"dropout", "0.2"}, {"recurrent_dropout", "0.4"}, {"input_dropout", "0.1"}}};
  return all;
}

/// Expects both engines to agree on an input; returns the kernel's outcome.
inline Outcome expect_engines_agree(const NeuronLayer& layer, const at::Tensor& input,
                                    const LayerPass& pass, double tolerance = 1e-12) {
  const Outcome kernel = run_engine(layer, input, pass, Engine::automatic);
  const Outcome composed = run_engine(layer, input, pass, Engine::composed);
  expect_close(kernel.emitted, composed.emitted, tolerance, "emissions");
  for (const auto& [name, gradient] : composed.gradients) {
    expect_close(kernel.gradients.at(name), gradient, 10 * tolerance, "gradient of " + name);
  }
  return kernel;
}

/// Both engines on a random layer; `tolerance` is that of double precision.
inline void expect_twins(const Twin& twin, at::ScalarType type = at::kDouble,
                         double tolerance = 1e-12) {
  const auto layer = make_layer(twin.neuron, twin.shape, twin.settings);
  layer->to(type);
  const at::Tensor input =
      uniform_tensor({twin.steps, twin.rows, twin.shape.input_size}, Rng(3), -2, 2).to(type);
  const Outcome kernel = expect_engines_agree(*layer, input, twin.pass, tolerance);
  const at::NoGradGuard no_grad;
  LayerPass pass = twin.pass;
  if (pass.dropout.defined()) pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  expect_close(layer->emissions(input, pass), kernel.emitted, tolerance, "without gradients");
}

}  // namespace afterspike::testing
