#include "afterspike/bench/bench.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/nn/network.hpp"
#include "bench/library_layer.hpp"
#include "support/expect_error.hpp"

namespace afterspike::bench {
namespace {

Settings tiny(std::string_view neuron, Path path) {
  Settings settings;
  settings.neuron = neuron;
  settings.path = path;
  settings.hidden = 6;
  settings.batch = 5;
  settings.steps = 12;
  settings.input = 3;
  settings.classes = 4;
  settings.repeats = 3;
  return settings;
}

TEST(Measure, IsSaneForEveryNeuronModelByEveryPath) {
  for (const nn::NeuronEntry& entry : nn::entries()) {
    nn::NetworkOptions options;
    options.hidden = 6;
    const nn::Network network(*entry.make(), options, {3, 4, 0.05});
    std::vector<Path> paths = {Path::fused, Path::composed};
    if (library_model(entry.name) != nullptr) paths.push_back(Path::library);
    for (const Path path : paths) {
      SCOPED_TRACE(std::string(entry.name) + " " + std::string(name_of(path)));
      Settings settings = tiny(entry.name, path);
      settings.threads = path == Path::composed ? 2 : 1;
      const Measurement measured = measure(settings).front();
      EXPECT_EQ(measured.parameters, network.trainable_parameters());
      EXPECT_GT(measured.step_s_min, 0);
      EXPECT_GE(measured.step_s_median, measured.step_s_min);
      EXPECT_GT(measured.forward_s, 0);
      EXPECT_GT(measured.backward_s, 0);
      EXPECT_LE(measured.forward_s + measured.backward_s, measured.step_s_min);
      EXPECT_GT(measured.cpu_s_min, 0);
      EXPECT_GT(measured.base_rss_mib, 0);
      EXPECT_GE(measured.peak_rss_mib, measured.base_rss_mib);
      EXPECT_GT(measured.gemm_s, 0);
      EXPECT_GE(measured.rows, 3);
      EXPECT_LE(measured.rows, 5);
    }
  }
}

/// The measured memory covers the batch, and only this path.
TEST(Measure, SeesTheMemoryOfThePath) {
  Settings settings = tiny("glifr", Path::fused);
  settings.hidden = 64;
  settings.batch = 32;
  settings.steps = 400;
  settings.repeats = 1;
  settings.warmup = 0;
  const std::vector<Measurement> kernel = measure(settings);
  ASSERT_EQ(kernel.size(), 1U);
  const Measurement& fused = kernel.front();
  settings.path = Path::composed;
  const std::vector<Measurement> ways = measure(settings);
  ASSERT_EQ(ways.size(), 2U) << "the batch in halves, and whole";
  const Measurement &composed = ways.front(), &other = ways.back();
  EXPECT_LE(composed.step_s_min, other.step_s_min);
  EXPECT_EQ(std::min(composed.rows, other.rows), 16);
  EXPECT_EQ(std::max(composed.rows, other.rows), 32);
  const double plane_mib = 64.0 * 32 * 400 * 4 / (1 << 20);
  const double by_fused = fused.peak_rss_mib - fused.base_rss_mib;
  const double by_composed = composed.peak_rss_mib - composed.base_rss_mib;
  // The kernel keeps two planes; shards of half the batch run one after the other.
  EXPECT_GT(by_fused, plane_mib);
  EXPECT_GT(by_composed, 4 * plane_mib);
  EXPECT_LT(by_fused, by_composed / 2);
  const Measurement& whole = composed.rows == 32 ? composed : other;
  EXPECT_GT(whole.peak_rss_mib - whole.base_rss_mib, 8 * plane_mib);
}

TEST(Measure, TakesDelayAndPrecision) {
  Settings settings = tiny("glifr", Path::fused);
  settings.delay = units::Duration::steps(4);
  EXPECT_GT(measure(settings).front().step_s_min, 0);
  settings.delay = units::Duration::milliseconds(0.2);
  EXPECT_GT(measure(settings).front().step_s_min, 0);
  settings.neuron = "gru";
  settings.delay = units::Duration::milliseconds(0.05);  // a step
  EXPECT_GT(measure(settings).front().step_s_min, 0);
}

TEST(Measure, RefusesWhatDoesNotFit) {
  struct Case {
    const char* message;
    ErrorKind kind;
    std::function<void(Settings&)> spoil;
  };
  const auto config = ErrorKind::config;
  const Case cases[] = {
      {"--repeats: found 0, expected 1 or more", config, [](Settings& s) { s.repeats = 0; }},
      {"--classes: found 1, expected 2 or more", config, [](Settings& s) { s.classes = 1; }},
      {"--input-density: found 1.5", config, [](Settings& s) { s.input_density = 1.5; }},
      {"no neuron model called 'glfr'", ErrorKind::usage, [](Settings& s) { s.neuron = "glfr"; }},
      {"--delay: found 3 steps, expected 1 step", config,
       [](Settings& s) {
         s.neuron = "lstm";
         s.delay = units::Duration::steps(3);
       }},
      {"--delay: found 3 steps, expected 1 step", config,
       [](Settings& s) {
         s.neuron = "elm";
         s.delay = units::Duration::steps(3);
       }},
      {"--precision: bfloat16 is not available", config,
       [](Settings& s) {
         s.neuron = "elm";
         s.precision = nn::Precision::bfloat16;
       }},
      {"--path: found library, expected fused or composed: LibTorch has no layer of neurons "
       "'glifr'",
       config, [](Settings& s) { s.path = Path::library; }},
      {"--precision: bfloat16 is not available", config,
       [](Settings& s) {
         s.neuron = "lstm";
         s.path = Path::library;
         s.precision = nn::Precision::bfloat16;
       }},
      {"--delay: found 3 steps, expected 1 step", config,
       [](Settings& s) {
         s.neuron = "rnn";
         s.path = Path::library;
         s.delay = units::Duration::steps(3);
       }},
      {"--delay: found 300 steps, expected 1 step", config,
       [](Settings& s) {
         s.neuron = "gru";
         s.delay = units::Duration::steps(300);
       }},
  };
  for (const Case& one : cases) {
    Settings settings = tiny("glifr", Path::fused);
    one.spoil(settings);
    testing::expect_error(one.kind, {one.message}, [&] { measure(settings); });
  }
}

}  // namespace
}  // namespace afterspike::bench
