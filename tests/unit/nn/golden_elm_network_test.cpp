// Layers of ELM neurons against golden_elmnet.h5: two networks of two layers, made in double
// precision by an independent transcription of the authors' code; and the published numbers of
// parameters. An unknown name in the file is a failure.

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/nn/elm_network.hpp"
#include "golden_file.hpp"
#include "models.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::GoldenFile;

constexpr const char* kFile = "golden_elmnet.h5";
constexpr double kTolerance = 1e-12;

Activation activation_of(const std::string& name) {
  if (name == "relu_squared") return Activation::relu_squared;
  return name == "silu" ? Activation::silu : Activation::relu;
}

/// One layer with the parameters of the file.
std::shared_ptr<ElmNetwork> make_layer(const GoldenFile& golden, const std::string& group,
                                       std::int64_t index) {
  const std::string prefix = "layer" + std::to_string(index) + ".";
  const auto integer = [&](const char* name) {
    return golden.integers(group, prefix + name).at(0);
  };
  const auto number = [&](const char* name) { return golden.number(group, prefix + name); };
  const auto number_or_none = [&](const char* name) {
    return golden.is_text(group, prefix + name) ? 0.0 : number(name);
  };
  ElmNetworkOptions options;
  options.memory = integer("num_memory");
  options.mlp_layers = integer("mlp_num_hidden_layer");
  options.mlp_width = options.mlp_layers > 0 ? integer("mlp_num_hidden_units") : 0;
  options.mlp_activation = activation_of(golden.text(group, prefix + "mlp_hidden_act"));
  options.branches = integer("num_branch");
  options.synapses_per_branch = integer("num_synapse_per_branch");
  options.input_scale = number("input_scale");
  options.lambda = number("lambda_value");
  options.lambda_as_timescale = integer("lambda_as_timescale_ratio") != 0;
  const double widening = number("memory_tau_range_scale");
  options.memory_tau = {number("memory_tau_min"), number("memory_tau_max"), widening,
                        MemoryTimescales::Scale::linear};
  options.branch_tau_ms = number_or_none("branch_tau");
  options.high_pass_tau_ms = number_or_none("high_pass_tau");
  options.output = golden.text(group, prefix + "neuron_activation") == "relu"
                       ? ElmNetworkOptions::Output::relu
                       : ElmNetworkOptions::Output::identity;
  options.time_step_ms = number("delta_t");
  options.learn = "memory_tau";
  const std::string params = group + "/params/layers." + std::to_string(index) + ".";
  auto layer =
      std::make_shared<ElmNetwork>(LayerShape{integer("num_input"), integer("num_neuron"), 1},
                                   options, golden.tensor(params + "connectome").to(at::kLong));
  layer->to(at::kDouble);
  return layer;
}

/// Returns our parameter under the name of the file; the first map is [W_b, W_m] there, maps are
/// [N, to, from].
at::Tensor as_in_file(const ElmNetwork& layer, const std::string& name,
                      const std::function<std::vector<at::Tensor>(std::vector<at::Tensor>)>& take) {
  const auto one = [&](const char* own) { return take({layer.raw(own)})[0]; };
  if (name == "W1") {
    const auto both = take({layer.raw("input_weight"), layer.raw("recurrent_weight")});
    return at::cat({both[0], both[1]}, 1).transpose(1, 2);
  }
  if (name == "b1") return one("bias");
  if (name == "W2") return one("output_weight").transpose(1, 2);
  if (name == "b2") return one("output_bias");
  if (name == "b") return one("threshold");
  if (name == "proto_tau_m") return one("memory_tau");
  if (name == "w_s") return one("synapse_weight");
  if (name == "w_y") return one("memory_weight");
  throw std::out_of_range("unknown parameter " + name);
}

void copy_parameters(const GoldenFile& golden, const std::string& params, const ElmNetwork& layer) {
  const at::NoGradGuard no_grad;
  const std::int64_t branches = layer.raw("input_weight").size(1);
  const at::Tensor first = golden.tensor(params + "W1").transpose(1, 2);
  layer.raw("input_weight").copy_(first.narrow(1, 0, branches));
  layer.raw("recurrent_weight").copy_(first.narrow(1, branches, first.size(1) - branches));
  layer.raw("bias").copy_(golden.tensor(params + "b1"));
  if (layer.options().mlp_layers > 0) {
    layer.raw("output_weight").copy_(golden.tensor(params + "W2").transpose(1, 2));
    layer.raw("output_bias").copy_(golden.tensor(params + "b2"));
  }
  layer.raw("threshold").copy_(golden.tensor(params + "b"));
  layer.raw("memory_tau").copy_(golden.tensor(params + "proto_tau_m"));
  layer.raw("synapse_weight").copy_(golden.tensor(params + "w_s"));
  layer.raw("memory_weight").copy_(golden.tensor(params + "w_y"));
}

struct Case {
  std::vector<std::shared_ptr<ElmNetwork>> layers;
  std::vector<NamedTensors> traces;
  at::Tensor input, out_weight, out_bias, output;
};

Case make_case(const GoldenFile& golden, const std::string& group) {
  Case example;
  for (std::int64_t index = 0; index < 2; ++index) {
    example.layers.push_back(make_layer(golden, group, index));
    copy_parameters(golden, group + "/params/layers." + std::to_string(index) + ".",
                    *example.layers.back());
  }
  example.input = golden.tensor(group + "/inputs/X").requires_grad_(true);
  if (golden.exists(group + "/params/out_w")) {
    example.out_weight = golden.tensor(group + "/params/out_w").requires_grad_(true);
    example.out_bias = golden.tensor(group + "/params/out_b").requires_grad_(true);
  }
  return example;
}

void run(Case& example, bool traced) {
  example.traces.assign(2, {});
  at::Tensor signal = example.input.transpose(0, 1);
  for (std::size_t index = 0; index < 2; ++index) {
    LayerPass pass;
    if (traced) pass.trace = &example.traces[index];
    signal = example.layers[index]->emissions(signal, pass);
  }
  if (example.out_weight.defined()) {
    signal = at::matmul(signal, example.out_weight.t()) + example.out_bias;
  }
  example.output = signal.transpose(0, 1);
}

at::Tensor loss_of(const GoldenFile& golden, const std::string& group, const at::Tensor& output) {
  const at::Tensor labels = golden.tensor(group + "/inputs/labels").to(at::kLong);
  return (output - golden.tensor(group + "/inputs/target")).square().mean() +
         at::nll_loss(at::log_softmax(output.select(1, -1), 1), labels);
}

/// Each by its own pass, because kernels compute gradients once.
void expect_gradients(const GoldenFile& golden, const std::string& group, Case& example,
                      bool traced) {
  for (const std::string& name : golden.members(group + "/grads")) {
    run(example, traced);
    const at::Tensor loss = loss_of(golden, group, example.output);
    const auto by = [&](const std::vector<at::Tensor>& variables) {
      return torch::autograd::grad({loss}, variables);
    };
    at::Tensor found;
    if (name == "X") {
      found = by({example.input})[0];
    } else if (name == "out_w" || name == "out_b") {
      found = by({name == "out_w" ? example.out_weight : example.out_bias})[0];
    } else {
      const auto index = static_cast<std::size_t>(std::stoll(name.substr(7)));
      found = as_in_file(*example.layers.at(index), name.substr(9), by);
    }
    expect_close(found, golden.tensor(group + "/grads/" + name), kTolerance, "gradient of " + name);
  }
}

TEST(GoldenElmNetwork, TrajectoriesAndGradientsAreReproduced) {
  const GoldenFile golden(kFile);
  const std::map<std::string, std::string> names = {{"a", "activity"}, {"branch", "branch"},
                                                    {"m", "memory"},   {"mlp", "mlp"},
                                                    {"r", "low_pass"}, {"readout", "readout"}};
  EXPECT_GE(golden.members("/").size(), 2U);
  for (const std::string& member : golden.members("/")) {
    const std::string group = "/" + member;
    SCOPED_TRACE(group);
    Case example = make_case(golden, group);
    run(example, true);
    for (const std::string& name : golden.members(group + "/traj")) {
      if (name == "y") {
        expect_close(example.output, golden.tensor(group + "/traj/y"), kTolerance, "y");
        continue;
      }
      const auto index = static_cast<std::size_t>(std::stoll(name.substr(5)));
      const at::Tensor found = example.traces.at(index).at(names.at(name.substr(7)));
      expect_close(found.transpose(0, 1), golden.tensor(group + "/traj/" + name), kTolerance, name);
    }
    expect_close(loss_of(golden, group, example.output), golden.tensor(group + "/loss/total"),
                 kTolerance, "loss");
    expect_gradients(golden, group, example, true);
  }
}

TEST(GoldenElmNetwork, KernelReproducesOutputsAndGradients) {
  const GoldenFile golden(kFile);
  for (const std::string& member : golden.members("/")) {
    const std::string group = "/" + member;
    SCOPED_TRACE(group);
    Case example = make_case(golden, group);
    run(example, false);
    expect_close(example.output, golden.tensor(group + "/traj/y"), kTolerance, "y");
    expect_gradients(golden, group, example, false);
  }
}

TEST(ElmNetworkParameters, AreAsManyAsPublished) {
  // number_vs_complexity_of_neuron_shd_adding.csv of the authors' repository: memory units,
  // neurons, trained parameters, of networks of one layer on SHD-Adding (700 inputs, 19 classes).
  const std::int64_t published[][3] = {
      {2, 155, 77069}, {3, 130, 76864}, {4, 111, 77025}, {5, 96, 77310},  {7, 73, 77079},
      {9, 57, 76551},  {11, 46, 76588}, {15, 32, 77246}, {20, 21, 74895}, {25, 15, 74109}};
  for (const auto& [memory, neurons, parameters] : published) {
    NetworkOptions options;
    options.hidden = neurons;
    const Network network(*testing::make_model("elm_network", {{"memory", std::to_string(memory)},
                                                               {"branches", "30"},
                                                               {"synapses_per_branch", "10"}}),
                          options, {700, 19, 2});
    EXPECT_EQ(network.trainable_parameters(), parameters) << memory << " memory units";
  }
}

}  // namespace
}  // namespace afterspike::nn
