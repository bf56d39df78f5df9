// Trains GLIFR neurons on the 1,000 digits that come with afterspike, a line of an image per step.
#include <iostream>

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adamw.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/images.hpp"
#include "afterspike/modules/glifr.hpp"

namespace {

/// Images as sequences, [rows, images, columns], and their classes.
struct Digits {
  explicit Digits(afterspike::datasets::Part part) {
    const auto& entry = afterspike::find_entry<afterspike::datasets::DatasetEntry>(
        afterspike::datasets::entries(), "mini_mnist", "data set");
    auto set = afterspike::datasets::read_images(entry, "datasets", part);
    const auto bytes =
        at::from_blob(set.pixels.data(), {set.count, set.rows, set.columns}, at::kByte);
    input = bytes.to(at::kFloat).div(255).transpose(0, 1).contiguous();
    target = at::from_blob(set.labels.data(), {set.count}, at::kByte).to(at::kLong);
  }
  at::Tensor input, target;
};

}  // namespace

int main() try {
  at::manual_seed(1);
  const Digits train(afterspike::datasets::Part::train), test(afterspike::datasets::Part::test);
  torch::nn::Sequential network(
      afterspike::GLIFR(afterspike::GLIFROptions(28, 64).dt_ms(0.05).delay(1).currents(2)),
      afterspike::LastStep(), torch::nn::Linear(64, 10));
  std::cout << network << '\n';
  torch::optim::AdamW optimizer(network->parameters(), torch::optim::AdamWOptions(0.005));
  for (int epoch = 0; epoch < 15; ++epoch) {
    double sum = 0;
    for (const at::Tensor& batch : at::randperm(train.target.size(0)).split(50)) {
      optimizer.zero_grad();
      const at::Tensor output = network->forward(train.input.index_select(1, batch));
      const at::Tensor loss = at::cross_entropy_loss(output, train.target.index_select(0, batch));
      loss.backward();
      optimizer.step();
      sum += loss.item<double>();
    }
    std::cout << "epoch " << epoch + 1 << ": loss " << sum / 20 << '\n';
  }
  network->eval();
  const at::NoGradGuard no_grad;
  const at::Tensor decision = network->forward(test.input).argmax(1);
  const double accuracy = decision.eq(test.target).to(at::kFloat).mean().item<double>();
  std::cout << "test accuracy " << accuracy << '\n';
  return accuracy > 0.5 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
