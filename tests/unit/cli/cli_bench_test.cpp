#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.hpp"

namespace afterspike {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::Words;

constexpr std::int64_t kHidden = 6, kInput = 3, kClasses = 4;

class CliBench : public testing::CommandTest {
 protected:
  /// Returns words to measure a small shape.
  static Words tiny(const Words& more = {}) {
    Words words = {"bench",   "--hidden", "6",         "--batch", "4",         "--steps", "10",
                   "--input", "3",        "--classes", "4",       "--repeats", "2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

/// Parameter counts of a layer of each model, without its readout.
struct Model {
  const char* name;
  std::int64_t parameters;
  bool of_library = false;  ///< Whether LibTorch has such a layer.
};
constexpr std::int64_t kSquare = kHidden * kHidden, kGate = (kInput + kHidden + 2) * kHidden;
constexpr Model kModels[] = {
    // Weights, threshold, membrane decay, and three of each of two after-spike currents.
    {"glifr", kInput* kHidden + kSquare + 8 * kHidden},
    // A weight for each synapse; an MLP of twice the width.
    {"elm", kInput + (kInput + kHidden + 1) * 2 * kHidden + (2 * kHidden + 1) * kHidden},
    {"rnn", (kInput + kHidden + 1) * kHidden, true},
    {"gru", 3 * kGate, true},
    {"lstm", 4 * kGate, true}};

TEST_F(CliBench, PrintsOneObjectForEveryNeuronModelByEveryPath) {
  for (const Model& model : kModels) {
    for (const std::string path : {"fused", "composed", "library"}) {
      if (path == "library" && !model.of_library) continue;
      SCOPED_TRACE(model.name + (" " + path));
      const Outcome outcome =
          succeed(tiny({"--neuron", model.name, "--path", path, "--threads", "1", "--json"}));
      ASSERT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1) << outcome.out;
      const io::Json result = io::Json::parse(outcome.out);
      for (const char* key : {"step_s_min", "step_s_median", "forward_s", "backward_s", "cpu_s_min",
                              "base_rss_mib", "peak_rss_mib", "gemm_s"}) {
        ASSERT_TRUE(result.contains(key)) << key;
        EXPECT_GT(result.at(key).get<double>(), 0) << key;
      }
      EXPECT_LE(result.at("step_s_min"), result.at("step_s_median"));
      EXPECT_LE(result.at("base_rss_mib"), result.at("peak_rss_mib"));
      // Kernels use shards; for LibTorch the whole batch is tried, too.
      const io::Json& ways = result.at("ways");
      EXPECT_EQ(ways.size() == 1, path == "fused") << ways;
      EXPECT_EQ(ways.front().at("step_s_min"), result.at("step_s_min"));
      EXPECT_EQ(ways.front().at("rows"), result.at("rows"));
      EXPECT_EQ(result.at("parameters"), model.parameters + (kHidden + 1) * kClasses);
      EXPECT_EQ(result.at("neuron"), model.name);
      EXPECT_EQ(result.at("path"), path);
    }
  }
}

TEST_F(CliBench, TakesEveryFlag) {
  const std::string text =
      succeed(tiny({"--neuron", "glifr", "--delay", "3steps", "--warmup", "0", "--kernel",
                    "baseline", "--precision", "fp32", "--input-density", "0.5"}))
          .out;
  EXPECT_THAT(text, HasSubstr("step_s_min"));
  EXPECT_THAT(text, HasSubstr("baseline"));
  EXPECT_THAT(succeed({"bench", "--help"}).out, HasSubstr("--input-density"));
}

TEST_F(CliBench, RefusesFlagsThatDoNotFit) {
  struct Case {
    Words words;
    int status;
    const char* message;
  };
  const Case cases[] = {
      {{"--neuron", "glfr"}, 2, "no neuron model called 'glfr'"},
      {{"--path", "fast"}, 2, "--path: found 'fast', expected fused or composed or library"},
      {{"--kernel", "avx1024"}, 2, "--kernel: found 'avx1024', expected auto or avx512"},
      {{"--precision", "fp64"},
       2,
       "--precision: found 'fp64', expected float32 or bfloat16 or fp32 or bf16"},
      {{"--precision", "bf16", "--path", "composed"}, 3, "--precision: bfloat16 is not available"},
      {{"--input-density", "many"}, 2, "--input-density: found 'many', expected a number"},
      {{"--input-density", "0"}, 3, "--input-density: found 0, expected more than 0"},
      {{"--delay", "3"}, 3, "--delay"},
      {{"--neuron", "gru", "--delay", "3steps"}, 3, "--delay: found 3"},
      {{"--warmup", "-1"}, 2, "--warmup"},
      {{"--threads", "0"}, 2, "--threads"},
      {{"--hiden", "3"}, 2, "did you mean"},
  };
  for (const Case& one : cases) {
    const Outcome outcome = run(tiny(one.words));
    EXPECT_EQ(outcome.status, one.status) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(one.message));
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace afterspike
