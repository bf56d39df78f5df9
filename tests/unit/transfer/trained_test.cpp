// The trained network of checkpoints/line_mnist_spiking on 1000 test images. Skipped where the
// images are not there: they are looked for where $AFTERSPIKE_DATA says.

#include <cstdlib>
#include <numeric>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/transfer/lower.hpp"
#include "afterspike/transfer/parity.hpp"

namespace afterspike::transfer {
namespace {

constexpr std::int64_t kImages = 1000, kSteps = 28;

class TrainedNetwork : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* directory = std::getenv("AFTERSPIKE_DATA");
    if (directory == nullptr) GTEST_SKIP() << "AFTERSPIKE_DATA is not set";
    const std::filesystem::path run =
        std::filesystem::path(AFTERSPIKE_TEST_SOURCE_DIR) / "checkpoints" / "line_mnist_spiking";
    trained_ = experiment::load(run / "checkpoint");
    try {
      task_ = trained_.experiment->make_task({directory});
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    std::vector<std::int64_t> numbers(kImages);
    std::iota(numbers.begin(), numbers.end(), 0);
    images_ = std::make_shared<tasks::Subset>(task_->split(tasks::Split::test), numbers);
  }

  /// Spikes by the grid engine, [images, steps, neurons].
  at::Tensor simulated() {
    const auto network = transfer::lower(trained_, {});
    at::Tensor raster = at::zeros({kImages, kSteps, network.populations[0].size}, at::kBool);
    ThreadPool pool(2);
    respond(network, *images_, spiking::Options{1}, pool, [&](const Answer& answer) {
      bool* own = raster[answer.sample].data_ptr<bool>();
      for (const spiking::Spike& spike : answer.spikes) {
        own[(step_of(spike, network) - 1) * raster.size(2) + spike.neuron] = true;
      }
    });
    return raster;
  }

  experiment::Trained trained_;
  std::unique_ptr<tasks::Task> task_;
  std::shared_ptr<const tasks::Dataset> images_;
};

TEST_F(TrainedNetwork, SpikesWhereTheRateNetworkWithAHardThresholdDoes) {
  ThreadPool pool(2);
  const at::Tensor found = simulated();
  EXPECT_TRUE(found.equal(hard_spikes(trained_, *images_, pool)));
  EXPECT_GT(found.to(at::kFloat).mean().item<double>(), 0.02);
}

TEST_F(TrainedNetwork, AgreesWithANearlyHardThresholdUntilAVoltageComesNearIt) {
  const at::Tensor found = simulated().permute({1, 0, 2});
  const auto network = experiment::in_double(trained_);
  nn::NamedTensors trace;
  nn::NetworkPass pass;
  constexpr double kNear_mV = 4e-5;
  pass.sigma_mV = 1e-6;
  pass.trace = &trace;
  std::vector<std::int64_t> numbers(kImages);
  std::iota(numbers.begin(), numbers.end(), 0);
  const at::NoGradGuard no_grad;
  const at::Tensor rates = network->emissions(images_->batch(numbers).input.to(at::kDouble), pass);
  const at::Tensor distance =
      (trace.at("layers.0.voltage") - network->physical("layers.0.threshold")).abs();
  const at::Tensor until = distance.gt(kNear_mV).all(2).to(at::kLong).cumprod(0).to(at::kBool);
  const at::Tensor alike = rates.gt(0.5).eq(found).all(2);
  EXPECT_TRUE(alike.logical_or(until.logical_not()).all().item<bool>());
  EXPECT_GT(until.to(at::kDouble).mean().item<double>(), 0.5);
}

}  // namespace
}  // namespace afterspike::transfer
