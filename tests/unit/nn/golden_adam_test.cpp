// Five steps of Adam against the group adam5 of golden_glifr.h5.

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/train/optimizer.hpp"
#include "golden_case.hpp"
#include "support/tensors.hpp"

namespace afterspike::train {
namespace {

using testing::expect_close;
using testing::golden_parameter_names;
using testing::GoldenCase;
using testing::GoldenFile;

constexpr const char* kGroup = "/adam5";

/// The authors' loss: cross entropy of the output at the last step, the mean over the batch.
at::Tensor loss_of(const GoldenCase& example, const at::Tensor& labels) {
  const at::Tensor last = example.trajectories.at("output").select(1, -1);
  return at::nll_loss(at::log_softmax(last, 1), labels);
}

void expect_parameters(const GoldenFile& golden, const std::string& group,
                       const std::map<std::string, at::Tensor>& found, double allowed) {
  EXPECT_EQ(golden.members(group).size(), found.size());
  for (const std::string& name : golden.members(group)) {
    const at::Tensor expected = golden.tensor(group + "/" + name);
    const at::Tensor& own = found.at(golden_parameter_names().at(name));
    expect_close(own.reshape(expected.sizes()), expected, allowed, group + " " + name);
  }
}

/// Tolerated relative errors: of values (losses and parameters), and of gradients.
struct Tolerance {
  double value, gradient;
};

void check_adam(at::ScalarType type, const Tolerance& allowed) {
  const GoldenFile golden("golden_glifr.h5");
  GoldenCase example = testing::glifr_case(golden, "/main", type);
  const std::string group = kGroup;
  EXPECT_THAT(golden.members(group),
              ::testing::UnorderedElementsAre("grad_step0", "labels", "loss", "params_raw_after5"));
  const at::Tensor labels = golden.tensor(group + "/labels").to(at::kLong);
  const at::Tensor losses = golden.tensor(group + "/loss");
  ASSERT_EQ(losses.numel(), 5);

  TrainOptions options;
  options.learning_rate = 0.01;
  Optimizer optimizer(options, *example.network);
  std::vector<at::Tensor> leaves;
  for (const auto& parameter : optimizer.parameters()) leaves.push_back(parameter.tensor);
  for (std::int64_t step = 0; step < 5; ++step) {
    testing::run(example);
    const at::Tensor loss = loss_of(example, labels);
    EXPECT_NEAR(loss.item<double>() / losses[step].item<double>(), 1, allowed.value) << step;
    const auto gradients = torch::autograd::grad({loss}, leaves);
    if (step == 0) {
      std::map<std::string, at::Tensor> first;
      for (std::size_t i = 0; i < gradients.size(); ++i) {
        first[optimizer.parameters()[i].name] = gradients[i];
      }
      expect_parameters(golden, group + "/grad_step0", first, allowed.gradient);
    }
    optimizer.step(gradients, 1);
  }
  EXPECT_EQ(optimizer.steps(), 5);
  expect_parameters(golden, group + "/params_raw_after5", example.parameters, allowed.value);
}

TEST(GoldenAdam, FiveStepsAreReproducedInDoublePrecision) {
  check_adam(at::kDouble, {1e-12, 1e-12});
}

// As for the other cases; the errors are 3e-7 and 3e-6.
TEST(GoldenAdam, FiveStepsAreReproducedInSinglePrecision) {
  check_adam(at::kFloat, {1e-5, 1e-4});
}

}  // namespace
}  // namespace afterspike::train
