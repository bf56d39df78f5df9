#include "train/silencing.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "small_training.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

using testing::class_task;
using testing::expect_same_tensors;
using testing::Settings;
using testing::Training;

std::unique_ptr<nn::Network> two_layers(const char* neuron, const Settings& settings = {}) {
  nn::NetworkOptions options;
  options.hidden = 50;
  options.layers = 2;
  return std::make_unique<nn::Network>(*testing::make_model(neuron, settings), options,
                                       nn::NetworkShape{2, 2, 1.0});
}

TEST(Silencing, DrawsAFractionForAShareOfTheSequences) {
  const auto network = two_layers("rnn");
  const TrainOptions options =
      testing::train_options({{"silence", "0.8"}, {"silence_share", "0.25"}});
  const auto masks = draw_silencing(*network, options, 20000, Rng(3));
  ASSERT_EQ(masks.size(), 2U);
  const at::Tensor silenced = 1 - at::stack(masks);
  EXPECT_TRUE((silenced.eq(0) | silenced.eq(1)).all().item<bool>());
  const at::Tensor fraction = silenced.mean(at::IntArrayRef({0, 2}));
  const at::Tensor acted = fraction.masked_select(fraction > 0);
  // p is uniform in [0, 0.8]; all of 100 neurons stay with probability 1/81 or so.
  const double share = static_cast<double>(acted.numel()) / 20000;
  EXPECT_NEAR(share, 0.25 * (1 - 1 / (0.8 * 101)), 0.01);
  EXPECT_NEAR(fraction.mean().item<double>(), 0.25 * 0.4, 0.004);
  EXPECT_NEAR(acted.std().item<double>(), 0.8 / std::sqrt(12), 0.01);
  // Each neuron as often as any other, and not the same ones in both layers.
  const at::Tensor of_neuron = silenced.mean(1);
  EXPECT_LT((of_neuron - 0.1).abs().max().item<double>(), 0.015);
  EXPECT_FALSE(masks[0].equal(masks[1]));
}

TEST(Silencing, DependsOnTheStreamAndTheRowOnly) {
  const auto network = two_layers("rnn");
  const TrainOptions options = testing::train_options({{"silence", "0.8"}});
  const auto first = draw_silencing(*network, options, 30, Rng(3));
  const auto fewer = draw_silencing(*network, options, 10, Rng(3));
  EXPECT_TRUE(fewer[0].equal(first[0].narrow(0, 0, 10)));
  EXPECT_FALSE(draw_silencing(*network, options, 30, Rng(4))[0].equal(first[0]));
  EXPECT_TRUE(draw_silencing(*network, {}, 30, Rng(3)).empty()) << "off";
}

TEST(Silencing, SparesTheLayerThatReadsOut) {
  const auto network = two_layers("elm_network", {{"readout_neurons", "true"}});
  ASSERT_EQ(network->layers().size(), 3U);
  const TrainOptions options = testing::train_options({{"silence", "1"}, {"silence_share", "1"}});
  const auto masks = draw_silencing(*network, options, 5, Rng(3));
  ASSERT_EQ(masks.size(), 3U);
  EXPECT_TRUE(masks[0].defined() && masks[1].defined());
  EXPECT_FALSE(masks[2].defined());
}

nn::NamedTensors trained(const char* neuron, const Settings& settings, int threads = 1) {
  const tasks::Task task = class_task(80);
  Training training(task, neuron, settings, {}, threads);
  training.run();
  return training.model();
}

TEST(Silencing, TrainsToTheSameBitsWithAnyNumberOfThreads) {
  for (const char* neuron : {"glifr", "elm", "elm_network", "rnn", "gru", "lstm"}) {
    const Settings settings = {{"epochs", "2"}, {"batch_size", "70"}, {"silence", "0.9"}};
    const nn::NamedTensors one = trained(neuron, settings);
    expect_same_tensors(trained(neuron, settings, 3), one);
    const nn::NamedTensors off = trained(neuron, {{"epochs", "2"}, {"batch_size", "70"}});
    const nn::NamedTensors unused =
        trained(neuron, {{"epochs", "2"}, {"batch_size", "70"}, {"silence_share", "0.9"}});
    expect_same_tensors(unused, off);
    EXPECT_FALSE(one.at("readout.weight").equal(off.at("readout.weight"))) << neuron;
  }
}

TEST(Silencing, OfAllNeuronsLeavesOnlyTheBiasOfTheReadoutToLearn) {
  // p is uniform in [0, 1]; a mask of zeros is what the gradient of a dead network is of.
  const tasks::Task task = class_task(8);
  const Training training(task, "rnn");
  const std::vector<std::int64_t> numbers = {0, 1, 2, 3};
  const tasks::Batch samples = task.split(tasks::Split::train)->batch(numbers);
  const Optimizer optimizer({}, *training.network);
  nn::NetworkPass pass;
  pass.masks = {at::zeros({4, 6})};
  const Shard shard =
      run_shard(*training.network, task, optimizer.parameters(), samples, 4, 0, pass);
  const auto gradients = by_parameter(shard.gradient, optimizer.parameters());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const bool bias = optimizer.parameters()[i].name == "readout.bias";
    EXPECT_EQ(gradients[i].abs().max().item<float>() > 0, bias) << optimizer.parameters()[i].name;
  }
}

TEST(Silencing, IsRefusedWhereNeuronsAreTheOutput) {
  const tasks::Task task = class_task(20);
  nn::NetworkOptions options;
  options.hidden = 2;
  options.readout = false;
  nn::Network network(*testing::make_model("rnn"), options, {2, 2, 1.0});
  ThreadPool pool(1);
  testing::expect_error(ErrorKind::config, {"train.silence", "0.5", "expected 0"}, [&] {
    Trainer(network, task, testing::train_options({{"silence", "0.5"}}), Rng(1), pool);
  });
}

}  // namespace
}  // namespace afterspike::train
