// RNN, LSTM and GRU against loops over plain numbers, written from the equations of the papers:
// Hochreiter and Schmidhuber 1997 with Gers's forget gate, Cho et al. 2014 in the form of cuDNN
// (the reset gate acts on the recurrent product and its bias).

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models.hpp"
#include "support/expect_error.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

constexpr std::size_t kInputs = 3;
constexpr std::size_t kUnits = 5;
constexpr std::size_t kSteps = 9;

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// One unit's pre-activation in one gate, from the input and from the units, including biases.
struct Drive {
  double input, recurrent;
};

/// Reads the parameters of a layer number by number.
class Loops {
 public:
  explicit Loops(const NeuronLayer& layer) : layer_(layer) {}

  Drive drive(std::size_t column, const double* input, const std::vector<double>& emitted) const {
    Drive drive{bias("input_bias", column), bias("recurrent_bias", column)};
    for (std::size_t i = 0; i < kInputs; ++i) {
      drive.input += input[i] * weight("input_weight", i, column);
    }
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
      drive.recurrent += emitted[unit] * weight("recurrent_weight", unit, column);
    }
    return drive;
  }

  double bias(const char* name, std::size_t column) const {
    return layer_.raw(name)[static_cast<std::int64_t>(column)].item<double>();
  }
  double weight(const char* name, std::size_t row, std::size_t column) const {
    return layer_.raw(name)[static_cast<std::int64_t>(row)][static_cast<std::int64_t>(column)]
        .item<double>();
  }

 private:
  const NeuronLayer& layer_;
};

/// Output of the units at each step, one sample.
using Sequence = std::vector<std::vector<double>>;

Sequence lstm(const Loops& loops, const double* input) {
  Sequence result;
  std::vector<double> emitted(kUnits, 0), cell(kUnits, 0);
  for (std::size_t step = 0; step < kSteps; ++step, input += kInputs) {
    std::vector<double> next(kUnits);
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
      std::array<double, 4> gate{};
      for (std::size_t g = 0; g < 4; ++g) {
        const Drive drive = loops.drive(g * kUnits + unit, input, emitted);
        gate[g] = drive.input + drive.recurrent;
      }
      cell[unit] = sigmoid(gate[1]) * cell[unit] + sigmoid(gate[0]) * std::tanh(gate[2]);
      next[unit] = sigmoid(gate[3]) * std::tanh(cell[unit]);
    }
    emitted = next;
    result.push_back(emitted);
  }
  return result;
}

Sequence gru(const Loops& loops, const double* input) {
  Sequence result;
  std::vector<double> emitted(kUnits, 0);
  for (std::size_t step = 0; step < kSteps; ++step, input += kInputs) {
    std::vector<double> next(kUnits);
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
      const Drive reset = loops.drive(unit, input, emitted);
      const Drive update = loops.drive(kUnits + unit, input, emitted);
      const Drive own = loops.drive(2 * kUnits + unit, input, emitted);
      const double r = sigmoid(reset.input + reset.recurrent);
      const double z = sigmoid(update.input + update.recurrent);
      const double candidate = std::tanh(own.input + r * own.recurrent);
      next[unit] = (1 - z) * candidate + z * emitted[unit];
    }
    emitted = next;
    result.push_back(emitted);
  }
  return result;
}

Sequence rnn(const Loops& loops, const double* input, std::size_t delay) {
  Sequence result;
  for (std::size_t step = 0; step < kSteps; ++step, input += kInputs) {
    std::vector<double> emitted(kUnits);
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
      double drive = loops.bias("bias", unit);
      for (std::size_t i = 0; i < kInputs; ++i) {
        drive += input[i] * loops.weight("input_weight", i, unit);
      }
      for (std::size_t from = 0; step >= delay && from < kUnits; ++from) {
        drive += result[step - delay][from] * loops.weight("recurrent_weight", from, unit);
      }
      emitted[unit] = std::tanh(drive);
    }
    result.push_back(emitted);
  }
  return result;
}

template <typename Twin>
void expect_twins(const NeuronLayer& layer, const Twin& twin) {
  const std::int64_t batch = 2;
  const at::Tensor samples = testing::uniform_tensor({batch, kSteps, kInputs}, Rng(5), -3, 3);
  NamedTensors state = layer.initial_state(batch);
  const at::Tensor input = samples.transpose(0, 1).contiguous();
  const at::Tensor found = layer.forward(input, state, {}), by_kernel = layer.emissions(input, {});
  for (std::int64_t sample = 0; sample < batch; ++sample) {
    const Sequence expected = twin(Loops(layer), samples[sample].data_ptr<double>());
    at::Tensor values = at::empty({kSteps, kUnits}, at::kDouble);
    for (std::size_t step = 0; step < kSteps; ++step) {
      values[static_cast<std::int64_t>(step)] = at::tensor(expected[step], at::kDouble);
    }
    const std::string name = "sample " + std::to_string(sample);
    testing::expect_close(found.select(1, sample), values, 1e-13, name);
    testing::expect_close(by_kernel.select(1, sample), values, 1e-13, name + " by the kernel");
  }
}

TEST(GatedNeurons, LstmEqualsItsEquations) {
  expect_twins(*testing::make_layer("lstm", {kInputs, kUnits, 1}), lstm);
}

TEST(GatedNeurons, GruEqualsItsEquations) {
  expect_twins(*testing::make_layer("gru", {kInputs, kUnits, 1}), gru);
}

TEST(GatedNeurons, RnnEqualsItsEquationsForAnyDelay) {
  for (const std::size_t delay : {1, 2, 5, 20}) {
    SCOPED_TRACE(delay);
    const auto layer = testing::make_layer("rnn", {kInputs, kUnits, 1},
                                           {{"delay", std::to_string(delay) + " ms"}});
    expect_twins(*layer,
                 [&](const Loops& loops, const double* input) { return rnn(loops, input, delay); });
  }
}

TEST(GatedNeurons, DelayOfNoStepsIsOneStep) {
  const auto none = testing::make_layer("rnn", {kInputs, kUnits, 1}, {{"delay", "0 ms"}});
  expect_twins(*none, [](const Loops& loops, const double* input) { return rnn(loops, input, 1); });
}

TEST(GatedNeurons, AllParametersStartUniformByTheNumberOfUnits) {
  for (const char* name : {"rnn", "gru", "lstm"}) {
    const auto layer = testing::make_layer(name, {40, 100, 1});
    for (const ParameterSpec& spec : layer->specs()) {
      EXPECT_EQ(spec.initial.text(), Initial::uniform(-0.1, 0.1).text()) << name << spec.name;
      const at::Tensor size = layer->raw(spec.name).abs();
      EXPECT_LE(size.max().item<double>(), 0.1) << name << spec.name;
      EXPECT_GT(size.max().item<double>(), 0.08) << name << spec.name;
    }
  }
}

/// Tallec and Ollivier 2018: timescales 1 / (1 - s(bias)) uniform from 2 to T steps, unit by unit.
TEST(Chrono, GatesBeginWithTimescales) {
  constexpr std::int64_t kMany = 400, kLongest = 101;
  for (const char* name : {"lstm", "gru"}) {
    const LayerShape shape{kInputs, kMany, 2};
    const auto usual = testing::make_layer(name, shape);
    const auto layer = testing::make_layer(name, shape, {{"chrono", "202 ms"}});
    const auto gate = [&](const NeuronLayer& of, const char* bias, std::int64_t index) {
      return of.raw(bias).narrow(0, index * kMany, kMany);
    };
    const at::Tensor timescales = 1 / (1 - gate(*layer, "input_bias", 1).sigmoid());
    EXPECT_GT(timescales.min().item<double>(), 2 - 1e-9);
    EXPECT_LT(timescales.max().item<double>(), kLongest + 1e-9);
    // The mean of 400 numbers from 2 to 101, within four standard deviations.
    EXPECT_NEAR(timescales.mean().item<double>(), 51.5, 4 * 99 / std::sqrt(12.0 * kMany));
    EXPECT_EQ(gate(*layer, "recurrent_bias", 1).abs().max().item<double>(), 0);
    const bool is_lstm = std::string(name) == "lstm";
    if (is_lstm) {
      testing::expect_same(gate(*layer, "input_bias", 0), -gate(*layer, "input_bias", 1), name);
      EXPECT_EQ(gate(*layer, "recurrent_bias", 0).abs().max().item<double>(), 0);
    }
    for (const std::int64_t other :
         is_lstm ? std::vector<std::int64_t>{2, 3} : std::vector<std::int64_t>{0, 2}) {
      testing::expect_same(gate(*layer, "input_bias", other), gate(*usual, "input_bias", other),
                           name);
    }
    testing::expect_same(layer->raw("input_weight"), usual->raw("input_weight"), name);
    testing::expect_error(ErrorKind::config, {"chrono is 2 steps of 2 ms, expected 0, or 3"}, [&] {
      testing::make_layer(name, shape, {{"chrono", "4 ms"}});
    });
  }
}

}  // namespace
}  // namespace afterspike::nn
