// GLIFR and RNN against golden_glifr.h5: trajectories and gradients by the authors' own layers in
// double precision. The tests iterate over the contents of the file; an unknown group, data set or
// name is a failure.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "golden_case.hpp"
#include "support/gradient_check.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::glifr_case;
using testing::GoldenCase;
using testing::GoldenFile;
using testing::run;
using testing::set_parameters;

constexpr const char* kFile = "golden_glifr.h5";

/// Tolerated relative errors.
struct Tolerance {
  double trajectory, gradient;
  bool gradients = true;
};

Tolerance tolerance(at::ScalarType type, double sigma_mV) {
  const bool nearly_spiking = sigma_mV < 0.1;
  if (type == at::kDouble) return nearly_spiking ? Tolerance{1e-9, 1e-9} : Tolerance{1e-12, 1e-12};
  return nearly_spiking ? Tolerance{1e-3, 0, false} : Tolerance{1e-5, 1e-4};
}

void expect_trajectories(const GoldenFile& golden, const std::string& group,
                         const GoldenCase& example, double allowed) {
  for (const std::string& name : golden.members(group + "/trajectory")) {
    ASSERT_TRUE(example.trajectories.contains(name)) << "unknown trajectory " << name;
    expect_close(example.trajectories.at(name), golden.tensor(group + "/trajectory/" + name),
                 allowed, "trajectory " + name);
  }
}

/// The fixed scalar of the file: the sum of all trajectories times coefficients.
at::Tensor full_loss(const GoldenFile& golden, const std::string& group,
                     const GoldenCase& example) {
  at::Tensor loss = at::zeros({}, example.input.options().requires_grad(false));
  for (const std::string& name : golden.members(group)) {
    if (!name.starts_with("coef_")) continue;
    const at::Tensor coefficients = golden.tensor(group + "/" + name).to(loss.scalar_type());
    loss = loss + (coefficients * example.trajectories.at(name.substr(5))).sum();
  }
  return loss;
}

void expect_gradients(const GoldenFile& golden, const std::string& group, const GoldenCase& example,
                      const at::Tensor& loss, double allowed) {
  for (const std::string& name : golden.members(group + "/grad")) {
    const at::Tensor expected = golden.tensor(group + "/grad/" + name);
    const at::Tensor variable =
        name == "input" ? example.input
                        : example.parameters.at(testing::golden_parameter_names().at(name));
    const at::Tensor found = torch::autograd::grad({loss}, {variable}, {}, true)[0];
    expect_close(found.reshape(expected.sizes()), expected, allowed, "gradient of " + name);
  }
  if (!golden.exists(group + "/grad_physical")) return;
  for (const std::string& name : golden.members(group + "/grad_physical")) {
    const at::Tensor expected = golden.tensor(group + "/grad_physical/" + name);
    const std::string own = testing::golden_parameter_names().at(name);
    const at::Tensor& raw = example.parameters.at(own);
    const at::Tensor physical =
        example.network->layer(0)->physical(own.substr(std::string("layers.0.").size()));
    const at::Tensor slope = torch::autograd::grad({physical.sum()}, {raw})[0];
    const at::Tensor found = torch::autograd::grad({loss}, {raw}, {}, true)[0] / slope;
    expect_close(found.reshape(expected.sizes()), expected, allowed,
                 "physical gradient of " + name);
  }
}

void expect_physical(const GoldenFile& golden, const std::string& group, const GoldenCase& example,
                     double allowed) {
  for (const std::string& name : golden.members(group)) {
    const std::string own = testing::golden_parameter_names().at(name);
    const at::Tensor expected = golden.tensor(group + "/" + name);
    const at::Tensor found =
        example.network->layer(0)->physical(own.substr(std::string("layers.0.").size()));
    expect_close(found.reshape(expected.sizes()), expected, allowed, "physical " + name);
  }
}

void check_glifr(const GoldenFile& golden, const std::string& group, at::ScalarType type) {
  EXPECT_THAT(golden.members(group),
              ::testing::UnorderedElementsAre("input", "loss_full", "loss_mse", "params_physical",
                                              "params_raw", "target", "trajectory"));
  const Tolerance allowed = tolerance(type, golden.number(group, "sigma_v"));
  const GoldenCase example = glifr_case(golden, group, type);
  expect_physical(golden, group + "/params_physical", example, type == at::kDouble ? 1e-12 : 1e-5);
  expect_trajectories(golden, group, example, allowed.trajectory);
  if (!allowed.gradients) return;

  const at::Tensor full = full_loss(golden, group + "/loss_full", example);
  const at::Tensor squares =
      at::mse_loss(example.trajectories.at("output"), golden.tensor(group + "/target").to(type));
  for (const auto& [name, loss] :
       {std::pair("/loss_full", full), std::pair("/loss_mse", squares)}) {
    SCOPED_TRACE(name);
    const double expected = golden.number(group + name, "value");
    EXPECT_NEAR(loss.item<double>() / expected, 1, allowed.gradient);
    expect_gradients(golden, group + name, example, loss, allowed.gradient);
  }
}

void check_rnn(const GoldenFile& golden, const std::string& group, at::ScalarType type) {
  const Tolerance allowed = tolerance(type, 1);
  const std::int64_t delay = golden.integers(group, "delay_steps").at(0);
  const at::Tensor weight = golden.tensor(group + "/params/out_weight");
  GoldenCase example;
  example.input = golden.tensor(group + "/input").to(type).requires_grad_(true);
  NetworkOptions options;
  options.hidden = weight.size(1);
  example.network = std::make_shared<Network>(
      *testing::make_model("rnn", {{"delay", std::to_string(delay) + "steps"}}), options,
      NetworkShape{example.input.size(2), weight.size(0), 0.05});
  set_parameters(golden, group + "/params", example, type);
  run(example);
  for (const std::string name : {"output", "preactivation"}) {
    expect_close(example.trajectories.at(name), golden.tensor(group + "/" + name),
                 allowed.trajectory, name);
  }
  const at::Tensor loss = full_loss(golden, group, example);
  EXPECT_NEAR(loss.item<double>() / golden.number(group, "loss"), 1, allowed.gradient);
  expect_gradients(golden, group, example, loss, allowed.gradient);
}

/// Returns a layer of one neuron with a user's initial values for this time step.
std::shared_ptr<Glifr> initial_layer(double dt_ms, const std::string& initial,
                                     at::ScalarType type) {
  GlifrOptions options;
  options.initial = initial;
  auto layer = std::make_shared<Glifr>(LayerShape{1, 1, dt_ms}, options);
  layer->to(type);
  layer->initialize(Rng(1));
  return layer;
}

void check_initial(const GoldenFile& golden, const std::string& group, at::ScalarType type) {
  const double allowed = type == at::kDouble ? 1e-12 : 1e-6;
  const std::vector<std::pair<std::string, std::string>> names = {
      {"thresh", "threshold"}, {"k_m", "membrane_decay"}, {"k_j", "after_spike_decay"}};
  for (const std::string& step : golden.members(group)) {
    SCOPED_TRACE(step);
    ASSERT_TRUE(step.starts_with("dt_"));
    const double dt_ms = std::stod(step.substr(3));
    const std::string place = group + "/" + step;
    const auto reference = initial_layer(dt_ms, "reference", type);
    for (const auto& [name, own] : names) {
      const at::Tensor expected =
          at::full(reference->raw(own).sizes(), golden.number(place, name), at::kDouble);
      expect_close(reference->physical(own), expected, allowed, name);
    }
    for (const auto& [name, own] : {names[1], names[2]}) {
      const at::Tensor expected =
          at::full(reference->raw(own).sizes(), golden.number(place, "trans_" + name), at::kDouble);
      expect_close(reference->raw(own), expected, allowed, "trans_" + name);
    }
    // The reference's formula is right for 0.05 ms only; ours always is, unless theirs is
    // requested.
    const double ours =
        initial_layer(dt_ms, "parameters", type)->physical("membrane_decay").item<double>();
    const double theirs = golden.number(place, "k_m");
    EXPECT_NEAR(ours, 0.05, 0.05 * allowed);
    EXPECT_EQ(std::abs(theirs - ours) > 0.04 * ours, dt_ms != 0.05);
  }
}

void check_group(const GoldenFile& golden, const std::string& name, at::ScalarType type) {
  SCOPED_TRACE(name);
  const std::string group = "/" + name;
  if (name == "adam5") return;  // In golden_adam_test.cpp.
  if (name == "hom_init") return check_initial(golden, group, type);
  if (name == "rnn_baseline") return check_rnn(golden, group, type);
  ASSERT_TRUE(golden.exists(group + "/params_raw")) << "a group of unknown layout";
  check_glifr(golden, group, type);
}

TEST(GoldenGlifr, TheFileHoldsTheCasesThatAreKnown) {
  EXPECT_THAT(GoldenFile(kFile).members("/"),
              ::testing::IsSupersetOf({"adam5", "delay_gt_T", "hom_init", "lowsigma", "main",
                                       "noasc", "offdefault", "rnn_baseline", "silenced"}));
}

TEST(GoldenGlifr, EveryCaseIsReproducedInDoublePrecision) {
  const GoldenFile golden(kFile);
  for (const std::string& name : golden.members("/")) check_group(golden, name, at::kDouble);
}

TEST(GoldenGlifr, EveryCaseIsReproducedInSinglePrecision) {
  const GoldenFile golden(kFile);
  for (const std::string& name : golden.members("/")) check_group(golden, name, at::kFloat);
}

TEST(GoldenGlifr, FiniteDifferencesAgree) {
  const GoldenFile golden(kFile);
  for (const std::string name : {"main", "offdefault", "silenced", "noasc"}) {
    SCOPED_TRACE(name);
    GoldenCase example = glifr_case(golden, "/" + name, at::kDouble);
    testing::expect_gradients(
        [&] {
          run(example);
          return full_loss(golden, "/" + name + "/loss_full", example);
        },
        example.parameters);
  }
}

}  // namespace
}  // namespace afterspike::nn
