// Tasks that need no data: sines, and the neuron that learns another's trace.

#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/nn/glifr.hpp"
#include "make_task.hpp"
#include "support/expect_error.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_close;
using testing::expect_error;
using testing::make_task;
using testing::Settings;

TEST(SineGeneration, FollowsItsFormula) {
  const auto task = make_task("sine_generation");
  EXPECT_EQ(task->shape().steps, 100);
  EXPECT_EQ(task->shape().dt_ms, 0.05);
  EXPECT_EQ(task->objective().read.text(), "all");
  const tasks::Batch batch = all(*task->split(Split::train));
  ASSERT_EQ(batch.input.sizes(), at::IntArrayRef({100, 6, 1}));
  for (int sine = 0; sine < 6; ++sine) {
    // numpy.logspace(log10(0.08), log10(0.6), 6), in cycles per ms.
    const double exponent = std::log10(0.08) + (std::log10(0.6) - std::log10(0.08)) * sine / 5;
    const double frequency = std::pow(10, exponent);
    const double offset = sine / 6.0 + 0.25;
    for (int step = 0; step < 100; ++step) {
      const double time_ms = 0.05 * step;
      EXPECT_NEAR(batch.input[step][sine][0].item<double>(), offset, 1e-6);
      EXPECT_NEAR(batch.target[step][sine][0].item<double>(),
                  std::sin(2 * std::numbers::pi * frequency * time_ms) + offset, 2e-6);
    }
  }
}

TEST(SineGeneration, SettingsSetWhatTheySay) {
  const auto task = make_task("sine_generation", {{"dt", "0.5 ms"},
                                                  {"duration", "8 ms"},
                                                  {"sines", "1"},
                                                  {"lowest", "250 Hz"},
                                                  {"amplitude", "2"}});
  const tasks::Batch batch = all(*task->split(Split::test));
  ASSERT_EQ(batch.target.sizes(), at::IntArrayRef({16, 1, 1}));
  // A quarter of a period in two steps.
  const at::Tensor expected =
      0.25 + 2 * at::sin(at::arange(16, at::kDouble) * std::numbers::pi / 4);
  expect_close(batch.target.flatten(), expected, 1e-6, "target");
}

TEST(SineGeneration, SettingsOutOfRangeAreRefused) {
  const std::vector<std::pair<Settings, std::string>> table = {
      {{{"sines", "0"}}, "1 or more"},
      {{{"dt", "0 ms"}}, "more than 0"},
      {{{"sines", "1001"}}, "1000 or less"},
      {{{"dt", "1e-7 ms"}}, "1e-06 or more"},
      {{{"dt", "1e300 ms"}}, "1000000 or less"},
      {{{"duration", "0.01 ms"}}, "task.duration': 0.01 ms is 0.2 steps of 0.05 ms"},
      {{{"duration", "5"}}, "'duration': '5' does not say"},
      {{{"duration", "0 ms"}}, "'0 ms', 0 steps of 0.05 ms; expected 1 to 1000000 steps"},
      {{{"duration", "1000001 steps"}}, "'1000001 steps', 1000001 steps"},
      {{{"duration", "1e12 ms"}}, "expected 1 to 1000000 steps"},
      {{{"amplitude", "1e300"}}, "'amplitude': found '1e+300', expected 1000000000 or less"},
      {{{"amplitude", "-1e10"}}, "'amplitude'"},
      {{{"lowest", "1e-300 kHz"}}, "'lowest'"},
      {{{"highest", "1e300 kHz"}}, "'highest'"},
      {{{"highest", "10.1 kHz"}}, "task.highest': found 10.1 kHz, expected at most 10 kHz"},
      {{{"lowest", "0.3 kHz"}, {"highest", "0.6 kHz"}, {"dt", "1 ms"}},
       "task.highest': found 0.6 kHz, expected at most 0.5 kHz"},
      {{{"lowest", "0.6 kHz"}, {"sines", "1"}, {"dt", "1 ms"}}, "task.lowest': found 0.6 kHz"},
      {{{"lowest", "1 kHz"}}, "at least task.lowest, 1 kHz"},
      {{{"highest", "50 Hz"}}, "at least task.lowest, 0.08 kHz"}};
  for (const auto& [settings, part] : table) {
    expect_error(ErrorKind::config, {part},
                 [&, given = settings] { make_task("sine_generation", given); });
  }
}

/// The trace of the teacher, from a layer of module nn in double precision.
at::Tensor teacher(const at::Tensor& input, double dt_ms) {
  nn::GlifrOptions options;
  options.bound_after_spike_currents = false;
  nn::Glifr layer({1, 1, dt_ms}, options);
  layer.to(at::kDouble);
  const auto set = [&](const char* name, std::vector<double> values) {
    layer.set_physical(name, at::tensor(values, at::kDouble).reshape(layer.raw(name).sizes()));
  };
  const double almost_one = 1 - 1e-10;
  set("threshold", {1});
  set("membrane_decay", {0.05});
  set("after_spike_decay", {0.1 / dt_ms, 0.1 / dt_ms});
  set("after_spike_multiplicative", {almost_one, -almost_one});
  set("after_spike_additive", {-1, 1});
  set("input_weight", {1});
  set("recurrent_weight", {0});
  const at::NoGradGuard no_grad;
  nn::NamedTensors state = layer.initial_state(1);
  return layer.forward(input.to(at::kDouble), state, {});
}

TEST(Realizable, TargetIsTheTraceOfAGlifrNeuron) {
  const std::vector<Settings> table = {
      {}, {{"input", "0.3"}, {"duration", "40 ms"}}, {{"dt", "0.5 ms"}, {"duration", "100 ms"}}};
  for (const Settings& settings : table) {
    const auto task = make_task("realizable", settings);
    const tasks::Batch batch = all(*task->split(Split::train));
    expect_close(batch.target, teacher(batch.input, task->shape().dt_ms), 1e-6, "target");
    EXPECT_GT((batch.target.max() - batch.target.min()).item<double>(), 1e-3);
  }
}

TEST(Realizable, SettingsOutOfRangeAreRefused) {
  const std::vector<std::pair<Settings, std::string>> table = {
      {{{"input", "1e300"}}, "'input': found '1e+300', expected 1000000000 or less"},
      {{{"dt", "1e300 ms"}}, "1000000 or less"},
      {{{"duration", "0.01 ms"}}, "task.duration"},
      {{{"duration", "0 steps"}}, "expected 1 to 1000000 steps"}};
  for (const auto& [settings, part] : table) {
    expect_error(ErrorKind::config, {part},
                 [&, given = settings] { make_task("realizable", given); });
  }
}

TEST(GeneratedTasks, DurationsAreTimesOrSteps) {
  for (const char* name : {"sine_generation", "realizable"}) {
    EXPECT_EQ(make_task(name, {{"duration", "7 steps"}})->shape().steps, 7);
    EXPECT_EQ(make_task(name, {{"duration", "0.35 ms"}})->shape().steps, 7);
    EXPECT_EQ(make_task(name, {{"duration", "1 step"}, {"dt", "0.5 ms"}})->shape().steps, 1);
  }
}

TEST(Realizable, IsTheExperimentOfThePaper) {
  const auto task = make_task("realizable");
  EXPECT_EQ(task->shape().steps, 200);
  EXPECT_EQ(task->shape().dt_ms, 0.05);
  EXPECT_FALSE(task->classifies());
  const tasks::Batch batch = all(*task->split(Split::test));
  EXPECT_EQ(batch.input.min().item<float>(), 0.01f);
  EXPECT_EQ(batch.input.max().item<float>(), 0.01f);
}

}  // namespace
}  // namespace afterspike::tasks
