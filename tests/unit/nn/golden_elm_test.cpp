// ELM neurons against golden_elm.h5: trajectories and gradients by the authors' own code in double
// precision. The tests iterate over the contents of the file; an unknown group or name is a
// failure.

#include <filesystem>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/nn/elm.hpp"
#include "golden_file.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::GoldenFile;

constexpr const char* kFile = "golden_elm.h5";
constexpr double kTolerance = 1e-12;

ElmOptions options_of(const GoldenFile& golden, const std::string& group) {
  const auto integer = [&](const char* name) { return golden.integers(group, name).at(0); };
  ElmOptions options;
  options.version =
      golden.text(group, "version") == "v1" ? ElmOptions::Version::v1 : ElmOptions::Version::v2;
  options.lambda = golden.number(group, "lambda_value");
  options.memory_tau.min_ms = golden.number(group, "memory_tau_min");
  options.memory_tau.max_ms = golden.number(group, "memory_tau_max");
  options.memory_tau.scale = MemoryTimescales::Scale::linear;
  options.memory_tau.widening = 1;
  options.mlp_layers = integer("mlp_num_layers");
  options.mlp_width = integer("mlp_hidden_size_effective");
  options.mlp_activation =
      golden.text(group, "mlp_activation") == "silu" ? Activation::silu : Activation::relu;
  options.branches = integer("num_branch");
  options.synapses_per_branch = integer("num_synapse_per_branch");
  options.time_step_ms = golden.number(group, "delta_t");
  options.learn = "memory_tau";
  const std::string routing = golden.text(group, "input_to_synapse_routing");
  if (routing == "random_routing") options.routing = ElmOptions::Routing::random;
  if (routing == "neuronio_routing") options.routing = ElmOptions::Routing::neuronio;
  return options;
}

/// A layer with the parameters of the file, and its data.
struct Case {
  std::shared_ptr<Elm> layer;
  at::Tensor readout_weight, readout_bias;
  at::Tensor input;  ///< [B, T, I], a leaf.
  NamedTensors trace;
  at::Tensor output;  ///< [B, T, O]
};

std::optional<Routing> routing_of(const GoldenFile& golden, const std::string& group) {
  if (!golden.exists(group + "/params/input_to_synapse_indices")) return std::nullopt;
  const at::Tensor source = golden.tensor(group + "/params/input_to_synapse_indices");
  const at::Tensor valid = golden.tensor(group + "/params/valid_indices_mask");
  Routing routing;
  for (std::int64_t i = 0; i < source.numel(); ++i) {
    routing.source.push_back(source[i].item<std::int64_t>());
    routing.valid.push_back(valid[i].item<double>() != 0);
  }
  return routing;
}

/// Copies the authors' parameters: rows of the first map are split into those from branches and
/// those from memory; maps are [to, from] there.
void copy_mlp(const GoldenFile& golden, const std::string& group, const Elm& layer) {
  const std::string prefix = group + "/params/mlp.network.";
  const std::int64_t layers = layer.options().mlp_layers;
  const std::int64_t branches = layer.raw("input_weight").size(0);
  const at::Tensor first = golden.tensor(prefix + "0.weight").t();
  layer.raw("input_weight").copy_(first.narrow(0, 0, branches));
  layer.raw("recurrent_weight").copy_(first.narrow(0, branches, first.size(0) - branches));
  layer.raw("bias").copy_(golden.tensor(prefix + "0.bias"));
  for (std::int64_t i = 1; i < layers; ++i) {
    const std::string own = prefix + std::to_string(2 * i);
    layer.raw("hidden_weight")[i - 1].copy_(golden.tensor(own + ".weight").t());
    layer.raw("hidden_bias")[i - 1].copy_(golden.tensor(own + ".bias"));
  }
  if (layers == 0) return;
  const std::string last = prefix + std::to_string(2 * layers);
  layer.raw("output_weight").copy_(golden.tensor(last + ".weight").t());
  layer.raw("output_bias").copy_(golden.tensor(last + ".bias"));
}

Case make_case(const GoldenFile& golden, const std::string& group) {
  const auto integer = [&](const char* name) { return golden.integers(group, name).at(0); };
  Case example;
  example.layer = std::make_shared<Elm>(LayerShape{integer("num_input"), integer("num_memory"), 1},
                                        options_of(golden, group), routing_of(golden, group));
  example.layer->to(at::kDouble);
  const at::NoGradGuard no_grad;
  const std::string params = group + "/params/";
  example.layer->raw("memory_tau").copy_(golden.tensor(params + "_proto_tau_m"));
  example.layer->raw("synapse_weight").copy_(golden.tensor(params + "_proto_w_s"));
  const bool first_version = example.layer->options().version == ElmOptions::Version::v1;
  at::Tensor tau = example.layer->raw("synapse_tau");
  tau.copy_(golden.tensor(params + (first_version ? "tau_s" : "tau_b")));
  tau.requires_grad_(true);
  copy_mlp(golden, group, *example.layer);
  example.readout_weight = golden.tensor(params + "w_y.weight").requires_grad_(true);
  example.readout_bias = golden.tensor(params + "w_y.bias").requires_grad_(true);
  example.input = golden.tensor(group + "/inputs/X").requires_grad_(true);
  return example;
}

void run(Case& example, bool traced) {
  LayerPass pass;
  if (traced) pass.trace = &example.trace;
  const at::Tensor memory = example.layer->emissions(example.input.transpose(0, 1), pass);
  example.output =
      (at::matmul(memory, example.readout_weight.t()) + example.readout_bias).transpose(0, 1);
}

at::Tensor loss_of(const GoldenFile& golden, const std::string& group, const at::Tensor& output) {
  const at::Tensor labels = golden.tensor(group + "/inputs/labels").to(at::kLong);
  const at::Tensor target = golden.tensor(group + "/inputs/target");
  return (output - target).square().mean() +
         at::nll_loss(at::log_softmax(output.select(1, -1), 1), labels);
}

/// Returns our gradients under the name of the file.
at::Tensor gradient(const Case& example, const std::string& name, const at::Tensor& loss) {
  const auto by = [&](const at::Tensor& variable) {
    return torch::autograd::grad({loss}, {variable}, {}, true)[0];
  };
  const auto raw = [&](const char* own) { return by(example.layer->raw(own)); };
  if (name == "X") return by(example.input);
  if (name == "w_y.weight") return by(example.readout_weight);
  if (name == "w_y.bias") return by(example.readout_bias);
  if (name == "_proto_tau_m") return raw("memory_tau");
  if (name == "_proto_w_s") return raw("synapse_weight");
  if (name == "tau_s" || name == "tau_b") return raw("synapse_tau");
  const std::string prefix = "mlp.network.";
  if (!name.starts_with(prefix)) throw std::out_of_range("unknown gradient " + name);
  const std::int64_t index = std::stoll(name.substr(prefix.size())) / 2;
  const std::int64_t layers = example.layer->options().mlp_layers;
  const bool bias = name.ends_with("bias");
  if (index == 0 && bias) return raw("bias");
  if (index == 0) {
    const auto both = torch::autograd::grad(
        {loss}, {example.layer->raw("input_weight"), example.layer->raw("recurrent_weight")}, {},
        true);
    return at::cat({both[0], both[1]}).t();
  }
  if (index == layers) return bias ? raw("output_bias") : raw("output_weight").t();
  return bias ? raw("hidden_bias")[index - 1] : raw("hidden_weight")[index - 1].t();
}

/// Each gradient by its own pass, because kernels compute them once.
void expect_gradients(const GoldenFile& golden, const std::string& group, Case& example,
                      bool traced) {
  expect_close(loss_of(golden, group, example.output), golden.tensor(group + "/loss/total"),
               kTolerance, "loss");
  for (const std::string& name : golden.members(group + "/grads")) {
    const bool of_trace = name == "tau_s" || name == "tau_b";
    if (of_trace && !example.layer->raw("synapse_tau").requires_grad()) continue;
    run(example, traced);
    const at::Tensor loss = loss_of(golden, group, example.output);
    expect_close(gradient(example, name, loss), golden.tensor(group + "/grads/" + name), kTolerance,
                 "gradient of " + name);
  }
}

TEST(GoldenElm, TrajectoriesAndGradientsAreReproduced) {
  const GoldenFile golden(kFile);
  const std::map<std::string, std::string> names = {{"routed", "routed"}, {"s", "trace"},
                                                    {"b", "trace"},       {"branch_in", "branch"},
                                                    {"delta_m", "delta"}, {"m", "memory"}};
  EXPECT_GE(golden.members("/").size(), 8U);
  for (const std::string& member : golden.members("/")) {
    const std::string group = "/" + member;
    SCOPED_TRACE(group);
    Case example = make_case(golden, group);
    run(example, true);
    for (const std::string& name : golden.members(group + "/traj")) {
      const at::Tensor found =
          name == "y" ? example.output : example.trace.at(names.at(name)).transpose(0, 1);
      expect_close(found, golden.tensor(group + "/traj/" + name), kTolerance, name);
    }
    expect_gradients(golden, group, example, true);
  }
}

TEST(GoldenElm, KernelReproducesOutputsAndGradients) {
  const GoldenFile golden(kFile);
  for (const std::string& member : golden.members("/")) {
    const std::string group = "/" + member;
    SCOPED_TRACE(group);
    for (const bool trace_tau_learned : {true, false}) {
      Case example = make_case(golden, group);
      example.layer->raw("synapse_tau").set_requires_grad(trace_tau_learned);
      run(example, false);
      expect_close(example.output, golden.tensor(group + "/traj/y"), kTolerance, "y");
      expect_gradients(golden, group, example, false);
    }
  }
}

TEST(GoldenElm, DerivedValuesAreReproduced) {
  const GoldenFile golden(kFile);
  const std::map<std::string, std::string> names = {{"tau_m", "memory_tau"},
                                                    {"tau_s", "synapse_tau"},
                                                    {"tau_b", "synapse_tau"},
                                                    {"w_s", "synapse_weight"}};
  for (const std::string& member : golden.members("/")) {
    const std::string group = "/" + member;
    SCOPED_TRACE(group);
    const Case example = make_case(golden, group);
    for (const auto& [name, own] : names) {
      if (!golden.exists(group + "/derived/" + name)) continue;
      expect_close(example.layer->physical(own), golden.tensor(group + "/derived/" + name),
                   kTolerance, name);
    }
  }
}

TEST(GoldenElm, RoutingOfNeuronIoIsReproduced) {
  const GoldenFile golden(kFile);
  const std::string group = "/v2_branch_neuronio_routing";
  const auto given = routing_of(golden, group);
  ASSERT_TRUE(given.has_value());
  const auto shape = LayerShape{golden.integers(group, "num_input").at(0), 6, 1};
  const Elm own(shape, options_of(golden, group));
  EXPECT_EQ(own.routing().valid, given->valid);
  for (std::size_t i = 0; i < given->source.size(); ++i) {
    if (given->valid[i]) {
      EXPECT_EQ(own.routing().source[i], given->source[i]) << i;
    }
  }
}

}  // namespace
}  // namespace afterspike::nn
