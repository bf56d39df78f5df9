#include "afterspike/analysis/perturbation.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using testing::TempDir;

/// Random counts of 0 to 2 events, [steps, samples, features].
tasks::Batch events(std::int64_t samples) {
  tasks::Batch batch;
  batch.input = testing::uniform_tensor({30, samples, 4}, Rng(1), 0, 3).floor().to(at::kFloat);
  return batch;
}

std::vector<std::int64_t> numbers_from(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(first + i);
  return numbers;
}

TEST(MasksWithout, CountNeuronsThroughTheLayers) {
  const TempDir directory;
  testing::write_run(directory / "run", "rnn", {{"network.layers", "2"}});
  const auto trained = load_run(directory / "run");
  const std::vector<std::int64_t> silenced = {1, 10, 19};
  const auto masks = masks_without(*trained.network, silenced);
  ASSERT_EQ(masks.size(), 2U);
  EXPECT_EQ(masks[0].sum().item<double>(), 9);
  EXPECT_EQ(masks[0][1].item<double>(), 0);
  EXPECT_EQ(masks[1][0].item<double>() + masks[1][9].item<double>(), 0);
  EXPECT_EQ(masks[1].sum().item<double>(), 8);
}

TEST(WeightNoise, HasItsSizeAndLeavesEverythingButWeightsAlone) {
  const TempDir directory;
  testing::write_run(directory / "run", "glifr", {{"network.hidden", "60"}});
  const auto trained = load_run(directory / "run");
  const auto noisy = with_weight_noise(trained, 0.5, Rng(2));
  const auto before = trained.network->named();
  const auto after = noisy->named();
  for (std::size_t i = 0; i < before.size(); ++i) {
    const at::Tensor change = after[i].tensor - before[i].tensor;
    if (before[i].spec->group != nn::ParameterGroup::weight) {
      EXPECT_EQ(change.abs().max().item<double>(), 0) << before[i].name;
    } else if (change.numel() > 1000) {
      EXPECT_NEAR((change.std() / before[i].tensor.std()).item<double>(), 0.5, 0.03);
      EXPECT_NEAR((change.mean() / change.std()).item<double>(), 0, 0.06);
    }
  }
  testing::expect_same(with_weight_noise(trained, 0.5, Rng(2))->named()[6].tensor, after[6].tensor,
                       "the same stream");
}

TEST(Deletion, LeavesOutThatPartOfTheEventsWhateverTheBatch) {
  tasks::Batch batch = events(40);
  const at::Tensor before = batch.input;
  const InputChange change = thinned(0.3, Rng(7));
  change(batch, numbers_from(0, 40));
  const double kept = (batch.input.sum() / before.sum()).item<double>();
  EXPECT_NEAR(kept, 0.7, 0.02);
  EXPECT_TRUE((batch.input <= before).all().item<bool>());
  tasks::Batch part;
  part.input = before.slice(1, 10, 15);
  change(part, numbers_from(10, 5));
  testing::expect_same(part.input, batch.input.slice(1, 10, 15).contiguous(), "a part alone");
}

TEST(Deletion, OfAllEventsLeavesNone) {
  tasks::Batch batch = events(3);
  thinned(1, Rng(1))(batch, numbers_from(0, 3));
  EXPECT_EQ(batch.input.sum().item<double>(), 0);
}

TEST(Jitter, MovesEventsByItsDeviationAndLosesNone) {
  tasks::Batch batch;
  batch.input = at::zeros({101, 1, 2000});
  batch.input[50].fill_(1);
  jittered(5, Rng(3))(batch, numbers_from(0, 1));
  EXPECT_EQ(batch.input.sum().item<double>(), 2000);
  const at::Tensor distance = at::arange(101).sub(50).to(at::kFloat);
  const at::Tensor counts = batch.input.sum(at::IntArrayRef{1, 2});
  EXPECT_NEAR((counts * distance).sum().item<double>() / 2000, 0, 0.4);
  const double variance = (counts * distance.square()).sum().item<double>() / 2000;
  EXPECT_NEAR(std::sqrt(variance), 5, 0.3);
}

TEST(Jitter, KeepsEventsWithinTheirSample) {
  tasks::Batch batch;
  batch.input = at::zeros({10, 2, 50});
  batch.input.slice(0, 0, 4).fill_(1);
  batch.lengths = at::full({2}, 4);
  jittered(20, Rng(4))(batch, numbers_from(0, 2));
  EXPECT_EQ(batch.input.sum().item<double>(), 400);
  EXPECT_EQ(batch.input.slice(0, 4, 10).sum().item<double>(), 0);
}

TEST(InputChanges, RefuseInputThatIsNotOfEvents) {
  for (const float value : {0.5F, -1.0F, std::numeric_limits<float>::infinity()}) {
    tasks::Batch batch = events(3);
    batch.input[7][2][1] = value;
    expect_error(ErrorKind::data, {"sample 12", "expected events", "Images"},
                 [&] { jittered(1, Rng(1))(batch, numbers_from(10, 3)); });
  }
}

TEST(Levels, AreCheckedByWhatTheyMean) {
  require_level(Perturbation::silence, 1);
  require_level(Perturbation::jitter, 20);
  expect_error(ErrorKind::usage, {"fraction: found 1.2, expected 0 to 1"},
               [] { require_level(Perturbation::silence, 1.2); });
  expect_error(ErrorKind::usage, {"deletion_probability: found -0.1"},
               [] { require_level(Perturbation::deletion, -0.1); });
  expect_error(ErrorKind::usage, {"weight_noise_sd: found -1, expected 0 to 1e+09"},
               [] { require_level(Perturbation::weight_noise, -1); });
}

}  // namespace
}  // namespace afterspike::analysis
