#include <sstream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adamw.h>
#include <torch/serialize.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/modules/elm.hpp"
#include "afterspike/modules/elm_network.hpp"
#include "afterspike/modules/glifr.hpp"
#include "afterspike/modules/gru.hpp"
#include "afterspike/modules/lstm.hpp"
#include "afterspike/modules/rnn.hpp"
#include "afterspike/nn/network.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike {
namespace {

GLIFROptions small() {
  return GLIFROptions(3, 4).delay(2).currents(1).num_layers(2);
}

at::Tensor sequences(std::int64_t steps = 6, std::int64_t batch = 5) {
  return testing::uniform_tensor({steps, batch, 3}, Rng(2), -1, 2).to(at::kFloat);
}

TEST(Modules, RegisterParametersUnderTheNamesOfCheckpoints) {
  const GLIFR module(small());
  const auto names = module->named_parameters().keys();
  EXPECT_EQ(names.front(), "layers.0.threshold");
  EXPECT_EQ(names.back(), "layers.1.recurrent_weight");
  EXPECT_EQ(names.size(), 14U);
}

TEST(Modules, BeginLikeTheNetworkOfTheProgram) {
  const auto model = find_entry<nn::NeuronEntry>(nn::entries(), "glifr", "neuron").make();
  nn::NetworkOptions options;
  options.hidden = 4;
  nn::Network network(*model, options, {3, 2, 1});
  network.initialize(Rng(7).stream("initial"));
  const GLIFR module(GLIFROptions(3, 4).seed(7));
  for (const auto& own : module->named_parameters()) {
    for (const auto& parameter : network.named()) {
      if (parameter.name == own.key()) {
        testing::expect_same(own.value(), parameter.tensor, own.key());
      }
    }
  }
  nn::NetworkPass pass;
  testing::expect_close(std::get<0>(GLIFR(module)->forward(sequences())),
                        network.emissions(sequences(), pass), 1e-6, "emissions");
}

TEST(Modules, ReturnTheShapesOfTorch) {
  RNN rnn(RNNOptions(3, 4).num_layers(2));
  GRU gru(3, 4);
  LSTM lstm(LSTMOptions(3, 4).num_layers(2).batch_first(true));
  EXPECT_EQ(std::get<1>(rnn->forward(sequences())).sizes(), at::IntArrayRef({2, 5, 4}));
  EXPECT_EQ(std::get<1>(gru->forward(sequences())).sizes(), at::IntArrayRef({1, 5, 4}));
  const auto [output, state] = lstm->forward(sequences().transpose(0, 1));
  EXPECT_EQ(output.sizes(), at::IntArrayRef({5, 6, 4}));
  EXPECT_EQ(std::get<1>(state).sizes(), at::IntArrayRef({2, 5, 4}));
}

TEST(Modules, ContinueFromAState) {
  LSTM lstm(LSTMOptions(3, 4).num_layers(2));
  const at::Tensor input = sequences();
  const auto first = lstm->forward(input.narrow(0, 0, 2));
  const auto second = lstm->forward(input.narrow(0, 2, 4), std::get<1>(first));
  testing::expect_close(std::get<0>(second), std::get<0>(lstm->forward(input)).narrow(0, 2, 4),
                        1e-6, "output");
}

TEST(Modules, CloneIndependently) {
  GLIFR module(small());
  const auto copy = std::dynamic_pointer_cast<GLIFRImpl>(module->clone());
  const at::Tensor before = std::get<0>(module->forward(sequences()));
  testing::expect_same(std::get<0>(copy->forward(sequences())), before, "output of the copy");
  at::NoGradGuard no_grad;
  for (at::Tensor& own : copy->parameters()) own.add_(1);
  testing::expect_same(std::get<0>(module->forward(sequences())), before, "output");
}

TEST(Modules, AreClonedWithinASequential) {
  torch::nn::Sequential network(GLIFR(GLIFROptions(3, 4)), LastStep(), torch::nn::Linear(4, 2));
  at::NoGradGuard no_grad;
  for (at::Tensor& own : network->parameters()) own.mul_(1.5);
  const auto copy = std::dynamic_pointer_cast<torch::nn::SequentialImpl>(network->clone());
  testing::expect_same(copy->forward(sequences()), network->forward(sequences()), "output");
}

TEST(Modules, SaveAndLoadTheSameBits) {
  GLIFR module(small()), other(small().seed(9));
  std::stringstream stream;
  torch::save(module, stream);
  torch::load(other, stream);
  for (const auto& own : module->named_parameters()) {
    testing::expect_same(other->named_parameters()[own.key()], own.value(), own.key());
  }
  // The layers see what was loaded.
  testing::expect_same(std::get<0>(other->forward(sequences())),
                       std::get<0>(module->forward(sequences())), "output");
}

TEST(Modules, ReadAndWriteSafetensors) {
  const testing::TempDir folder;
  const auto path = folder.path() / "model.safetensors";
  LSTM module(3, 4), other(LSTMOptions(3, 4).seed(9));
  module->save_safetensors(path);
  other->load_safetensors(path);
  testing::expect_same(std::get<0>(other->forward(sequences())),
                       std::get<0>(module->forward(sequences())), "output");
  testing::expect_error(ErrorKind::checkpoint, {"model.safetensors", "layers.0.input_weight"},
                        [&] { LSTM(3, 5)->load_safetensors(path); });
  testing::expect_error(ErrorKind::checkpoint, {"layers.0.threshold"},
                        [&] { GLIFR(3, 4)->load_safetensors(path); });
}

TEST(Modules, ChangeTypeInPlace) {
  GLIFR module(small());
  module->to(at::kDouble);
  EXPECT_EQ(std::get<0>(module->forward(sequences().to(at::kDouble))).scalar_type(), at::kDouble);
  testing::expect_error(ErrorKind::config, {"input", "Float", "Double"},
                        [&] { module->forward(sequences()); });
}

TEST(Modules, GiveDifferentiablePhysicalValues) {
  GLIFR module(small());
  const at::Tensor decay = module->physical("membrane_decay");
  EXPECT_NEAR(decay[0].item<double>(), 0.05, 1e-6);
  decay.sum().backward();
  EXPECT_GT(module->named_parameters()["layers.0.membrane_decay"].grad().abs().max().item<double>(),
            0);
  module->set_physical("layers.1.membrane_decay", at::full({4}, 0.2));
  EXPECT_NEAR(module->physical("layers.1.membrane_decay")[3].item<double>(), 0.2, 1e-6);
  testing::expect_error(ErrorKind::config, {"membrane_decy", "membrane_decay"},
                        [&] { module->physical("membrane_decy"); });
}

TEST(Modules, LearnByAnOptimiserOfTorch) {
  torch::nn::Sequential network(ELMNetwork(ELMNetworkOptions(3, 6).memory(2)), LastStep(),
                                torch::nn::Linear(6, 1));
  torch::optim::AdamW optimizer(network->parameters(), torch::optim::AdamWOptions(0.02));
  const at::Tensor input = sequences(8, 40), target = input.select(0, 7).select(1, 0);
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    optimizer.zero_grad();
    const at::Tensor loss = at::mse_loss(network->forward(input).squeeze(1), target);
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item<double>();
  }
  EXPECT_LT(last, 0.3 * first);
}

TEST(Modules, DropOutWhileTheyTrainOnly) {
  GLIFR module(GLIFROptions(3, 4).set("dropout", "0.5"));
  const auto output = [&] { return std::get<0>(module->forward(sequences())); };
  EXPECT_FALSE(at::equal(output(), output()));
  module->eval();
  testing::expect_same(output(), output(), "output");
}

TEST(Modules, PrintTheirOptions) {
  std::ostringstream text;
  text << GLIFR(small());
  EXPECT_THAT(text.str(), ::testing::StartsWith(
                              "afterspike::GLIFR(3, 4, num_layers=2, dt_ms=1, batch_first=false, "
                              "delay=2 steps, after_spike_currents=1)"));
}

TEST(Modules, RefuseWhatDoesNotFit) {
  const auto refused = [](ErrorKind kind, std::initializer_list<std::string> parts, auto&& action) {
    testing::expect_error(kind, parts, action);
  };
  refused(ErrorKind::config, {"sigm", "sigma"},
          [] { GLIFR(GLIFROptions(3, 4).set("sigm", "1 mV")); });
  refused(ErrorKind::config, {"at least one"}, [] { ELM(3, 0); });
  refused(ErrorKind::config, {"num_layers"}, [] { GRU(GRUOptions(3, 4).num_layers(0)); });
  refused(ErrorKind::config, {"dt_ms"}, [] { RNN(RNNOptions(3, 4).dt_ms(0)); });
  GLIFR module(GLIFROptions(3, 4));
  refused(ErrorKind::config, {"[6, 3]", "unsqueeze"}, [&] { module->forward(at::zeros({6, 3})); });
  refused(ErrorKind::config, {"[6, 2, 4]", "3"}, [&] { module->forward(at::zeros({6, 2, 4})); });
  refused(ErrorKind::config, {"at least one step"}, [&] { module->forward(at::zeros({0, 2, 3})); });
  refused(ErrorKind::numeric, {"not finite"}, [&] {
    module->forward(at::full({6, 2, 3}, std::nan("")));
  });
  LayerStates state = module->initial_state(2);
  state[0].erase("voltage");
  refused(ErrorKind::config, {"voltage"}, [&] { module->forward(sequences(6, 2), state); });
  refused(ErrorKind::config, {"after_spike_current", "[2, 2, 4]"},
          [&] { module->forward(sequences(6, 3), module->initial_state(2)); });
}

}  // namespace
}  // namespace afterspike
