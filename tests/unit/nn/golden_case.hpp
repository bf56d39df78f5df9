#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden_file.hpp"
#include "models.hpp"

namespace afterspike::testing {

/// A network with the parameters of the file, and the results of one pass through it.
struct GoldenCase {
  std::shared_ptr<nn::Network> network;
  std::map<std::string, at::Tensor> parameters;  ///< Raw, by our names.
  at::Tensor input;                              ///< [B, T, I], a leaf.
  nn::NetworkPass pass;
  std::map<std::string, at::Tensor> trajectories;  ///< By the names and in the layout of the file.
};

/// Copies the raw parameters of a group into the network.
inline void set_parameters(const GoldenFile& golden, const std::string& group, GoldenCase& example,
                           at::ScalarType type) {
  example.network->to(type);
  for (const auto& parameter : example.network->named()) {
    example.parameters[parameter.name] = parameter.tensor;
  }
  std::set<std::string> left;
  for (const auto& [name, tensor] : example.parameters) left.insert(name);
  const at::NoGradGuard no_grad;
  for (const std::string& name : golden.members(group)) {
    const std::string own = golden_parameter_names().at(name);
    const at::Tensor value = golden.tensor(group + "/" + name);
    const at::Tensor& parameter = example.parameters.at(own);
    ASSERT_EQ(value.numel(), parameter.numel()) << name;
    parameter.copy_(value.reshape(parameter.sizes()));
    left.erase(own);
  }
  EXPECT_THAT(left, ::testing::IsEmpty()) << "parameters that the file does not have";
}

/// Runs the network and names the results as in the file.
inline void run(GoldenCase& example) {
  nn::NamedTensors trace;
  example.pass.trace = &trace;
  const at::Tensor output = example.network->forward(example.input.transpose(0, 1), example.pass);
  example.pass.trace = nullptr;
  example.trajectories = {{"output", output.transpose(0, 1)}, {"out", output.transpose(0, 1)}};
  const std::map<std::string, std::string> names = {{"synaptic", "Isyn"},
                                                    {"voltage", "V"},
                                                    {"rate", "S"},
                                                    {"delayed", "S_delayed"},
                                                    {"after_spike_current", "Iasc"},
                                                    {"preactivation", "preactivation"}};
  for (const auto& [name, tensor] : trace) {
    const std::string own = name.substr(std::string("layers.0.").size());
    example.trajectories[names.at(own)] =
        own == "after_spike_current" ? tensor.permute({1, 2, 0, 3}) : tensor.transpose(0, 1);
  }
}

/// The settings of a case, from its attributes.
inline nn::GlifrOptions glifr_options(const GoldenFile& golden, const std::string& group) {
  nn::GlifrOptions options;
  options.after_spike_currents = golden.integers(group, "num_ascs").at(0);
  options.delay = units::Duration::steps(golden.integers(group, "delay_steps").at(0));
  options.sigma_mV = golden.number(group, "sigma_v");
  options.resistance_GOhm = golden.number(group, "R");
  options.bias_current_pA = golden.number(group, "I0");
  options.reset_mV = golden.number(group, "v_reset");
  options.tau_ms = golden.number(group, "tau");
  // The raw tensors of the file then equal ours, one to one.
  options.amplitude = nn::GlifrOptions::Amplitude::pA;
  options.bound_after_spike_currents = false;
  return options;
}

/// A case of GLIFR neurons, run.
inline GoldenCase glifr_case(const GoldenFile& golden, const std::string& group,
                             at::ScalarType type) {
  GoldenCase example;
  nn::NetworkOptions options;
  options.hidden = golden.integers(group, "H").at(0);
  const nn::NetworkShape shape{golden.integers(group, "I").at(0), golden.integers(group, "O").at(0),
                               golden.number(group, "dt")};
  example.network =
      std::make_shared<nn::Network>(GlifrWith(glifr_options(golden, group)), options, shape);
  set_parameters(golden, group + "/params_raw", example, type);
  example.input = golden.tensor(group + "/input").to(type).requires_grad_(true);
  const std::vector<std::int64_t> silenced = golden.integers(group, "silence");
  if (!silenced.empty()) {
    at::Tensor mask = at::ones({options.hidden}, type);
    for (const std::int64_t neuron : silenced) mask[neuron] = 0;
    example.pass.masks = {mask};
  }
  run(example);
  return example;
}

}  // namespace afterspike::testing
