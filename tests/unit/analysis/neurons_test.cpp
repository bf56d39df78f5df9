#include "afterspike/analysis/neurons.hpp"

#include <gtest/gtest.h>

#include "afterspike/experiment/evaluate.hpp"
#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using testing::TempDir;
using testing::write_run;

experiment::Trained varied_run(const TempDir& directory, const testing::Options& settings = {}) {
  write_run(directory / "run", "glifr", settings, 1, testing::vary);
  return load_run(directory / "run");
}

TEST(NeuronParameters, HaveTheColumnsOfThePublishedTables) {
  const TempDir directory;
  const auto trained = varied_run(directory);
  const NeuronTable table = neuron_parameters(*trained.network);
  EXPECT_EQ(table.columns,
            (std::vector<std::string>{"threshold_mV", "k_m_per_ms", "r_1", "r_2", "k_1_per_ms",
                                      "k_2_per_ms", "a_1_pA", "a_2_pA"}));
  ASSERT_EQ(table.values.rows(), 10);
  const at::Tensor threshold = trained.network->physical("layers.0.threshold");
  const std::vector<double> column = table.column("threshold_mV");
  for (std::int64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(column[static_cast<std::size_t>(i)], threshold[i].item<double>());
  }
  expect_error(ErrorKind::usage, {"'threshold_V'", "did you mean 'threshold_mV'?", "k_m_per_ms"},
               [&] { table.column("threshold_V"); });
}

TEST(NeuronParameters, OrderTheCurrentsOfEachNeuronAlike) {
  const TempDir directory;
  const auto trained = varied_run(directory);
  const NeuronTable before = neuron_parameters(*trained.network);
  for (Eigen::Index i = 0; i < before.values.rows(); ++i) {
    EXPECT_LE(before.values(i, 4), before.values(i, 5)) << "the slowest current is the first";
  }
  // Currents that change places make the same neuron.
  const at::NoGradGuard no_grad;
  for (const char* name :
       {"after_spike_decay", "after_spike_multiplicative", "after_spike_additive"}) {
    at::Tensor raw = trained.network->layer(0)->raw(name);
    raw.slice(1, 2, 7).copy_(raw.slice(1, 2, 7).flip(0).clone());
  }
  EXPECT_EQ(neuron_parameters(*trained.network).values, before.values);
}

TEST(NeuronParameters, OrderCurrentsOfOneDecayByWhatElseTheyHave) {
  const TempDir directory;
  const auto trained = varied_run(directory);
  const at::NoGradGuard no_grad;
  const nn::NeuronLayer& layer = *trained.network->layer(0);
  layer.raw("after_spike_decay").zero_();  // Half of the range, to the bit.
  const NeuronTable before = neuron_parameters(*trained.network);
  for (Eigen::Index i = 0; i < before.values.rows(); ++i) {
    EXPECT_LT(before.values(i, 2), before.values(i, 3)) << "r_1, r_2";
  }
  for (const char* name : {"after_spike_multiplicative", "after_spike_additive"}) {
    layer.raw(name).copy_(layer.raw(name).flip(0).clone());
  }
  EXPECT_EQ(neuron_parameters(*trained.network).values, before.values);
}

TEST(NeuronParameters, OfAllLayersComeOneAfterTheOther) {
  const TempDir directory;
  const auto trained = varied_run(directory, {{"network.layers", "2"}});
  const NeuronTable table = neuron_parameters(*trained.network);
  ASSERT_EQ(table.neurons.size(), 20U);
  EXPECT_EQ(table.neurons[13].layer, 1);
  EXPECT_EQ(table.neurons[13].neuron, 3);
  EXPECT_EQ(table.values(13, 0), trained.network->physical("layers.1.threshold")[3].item<double>());
}

TEST(NeuronParameters, OfManyValuesForEachNeuronAreSummarised) {
  const TempDir directory;
  const auto trained = varied_run(directory, {{"neuron.after_spike_currents", "9"}});
  const NeuronTable table = neuron_parameters(*trained.network);
  EXPECT_EQ(table.columns.size(), 2U + 3 * 4);
  EXPECT_EQ(table.columns[6], "k_min_per_ms");
  const at::Tensor decay = trained.network->physical("layers.0.after_spike_decay").to(at::kDouble);
  EXPECT_EQ(table.column("k_max_per_ms")[4], decay.select(1, 4).max().item<double>());
  EXPECT_EQ(table.column("k_median_per_ms")[4], decay.select(1, 4).median().item<double>());
}

TEST(NeuronParameters, OfElmAreTheTimescalesOfItsMemory) {
  const TempDir directory;
  // With as many branches as memory units, timescales of branches are still not those of memory.
  write_run(
      directory / "run", "elm",
      {{"neuron.branches", "10"}, {"neuron.routing", "random"}, {"neuron.learn", "memory_tau"}}, 1,
      testing::vary);
  const auto trained = load_run(directory / "run");
  const NeuronTable table = neuron_parameters(*trained.network);
  EXPECT_EQ(table.columns, std::vector<std::string>{"memory_tau_ms"});
  const at::Tensor tau = trained.network->physical("layers.0.memory_tau").to(at::kDouble);
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(table.values(i, 0), tau[i].item<double>());
}

TEST(NeuronParameters, WithoutCurrentsAreThresholdAndDecay) {
  const TempDir directory;
  const auto trained = varied_run(directory, {{"neuron.after_spike_currents", "0"}});
  EXPECT_EQ(neuron_parameters(*trained.network).columns,
            (std::vector<std::string>{"threshold_mV", "k_m_per_ms"}));
}

TEST(NeuronParameters, OfUnitsThatHaveWeightsOnlyAreRefused) {
  const TempDir directory;
  write_run(directory / "run", "lstm");
  const auto trained = load_run(directory / "run");
  expect_error(ErrorKind::config, {"no intrinsic parameters"},
               [&] { neuron_parameters(*trained.network); });
}

TEST(MeanActivity, IsTheMeanOfWhatEachNeuronEmits) {
  const TempDir directory;
  write_run(directory / "run", "glifr", {{"network.layers", "2"}}, 1, testing::vary);
  Subject subject = testing::subject_of(directory / "run");
  ThreadPool one(1), three(3);
  const std::vector<double> found = mean_activity(subject, one);
  EXPECT_EQ(found, mean_activity(subject, three)) << "threads";
  const std::vector<std::int64_t> all = {0, 1, 2, 3, 4, 5};
  nn::NamedTensors trace;
  nn::NetworkPass pass;
  pass.trace = &trace;
  const at::NoGradGuard no_grad;
  subject.network().emissions(subject.data->batch(all).input, pass);
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    const at::Tensor mean =
        trace.at(fmt::format("layers.{}.rate", layer)).mean(at::IntArrayRef{0, 1});
    for (std::int64_t i = 0; i < 10; ++i) {
      EXPECT_NEAR(found[static_cast<std::size_t>(10 * layer + i)], mean[i].item<double>(), 1e-6);
    }
  }
}

TEST(MeanActivity, LeavesOutWhatIsBeyondASamplesEnd) {
  const TempDir directory;
  write_run(directory / "run", "gru");
  Subject subject = testing::subject_of(directory / "run");
  ThreadPool pool(1);
  const at::Tensor inputs = testing::uniform_tensor({1, 8, 1}, Rng(3)).to(at::kFloat);
  subject.data = std::make_shared<tasks::Sequences>(inputs.slice(1, 0, 5), at::Tensor());
  const std::vector<double> short_one = mean_activity(subject, pool);
  subject.data = std::make_shared<tasks::Sequences>(inputs, at::Tensor(), at::full({1}, 5));
  const std::vector<double> cut = mean_activity(subject, pool);
  for (std::size_t i = 0; i < cut.size(); ++i) EXPECT_NEAR(cut[i], short_one[i], 1e-7);
}

}  // namespace
}  // namespace afterspike::analysis
