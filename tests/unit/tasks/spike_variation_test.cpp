// Augmentation of spikes that acts on single spikes, blocks and pairs of recordings.

#include <cmath>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "make_task.hpp"
#include "support/expect_error.hpp"
#include "support/spike_files.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_same;
using testing::Settings;
using testing::SpikeFile;

constexpr std::int64_t kRecordings = 60;

class SpikeVariations : public ::testing::Test {
 protected:
  /// The training part as it is and as an epoch shows it, each [steps, recordings, units].
  std::pair<at::Tensor, at::Tensor> shown(const Settings& by, std::uint64_t epoch = 1) {
    file_.write(folder_ / "shd/shd_train.h5");
    testing::random_spikes(4, {4, 5}, Rng(2)).write(folder_ / "shd/shd_test.h5");
    Settings settings = {{"validation", "none"}};
    settings.insert(settings.end(), by.begin(), by.end());
    task_ = testing::make_task("shd", settings, folder_.path());
    const auto train = task_->split(Split::train);
    return {all(*train).input, all(*train->for_epoch(Rng(epoch))).input};
  }

  /// A spike of every tenth unit in each step of 10 ms.
  void fill_densely() {
    for (std::size_t row = 0; row < file_.times.size(); ++row) {
      file_.times[row].clear();
      file_.units[row].clear();
      for (int step = 0; step < 100; ++step) {
        for (int unit = 0; unit < 700; unit += 10) {
          file_.times[row].push_back((step + 0.5) / 100);
          file_.units[row].push_back(unit);
        }
      }
    }
  }

  testing::TempDir folder_;
  SpikeFile file_ = testing::random_spikes(kRecordings, {0, 1, 3, 6, 9}, Rng(1));
  std::unique_ptr<Task> task_;
};

TEST_F(SpikeVariations, SingleSpikesMoveBetweenUnits) {
  for (auto& units : file_.units) std::fill(units.begin(), units.end(), 350);
  const auto [plain, varied] = shown({{"jitter_units", "5"}});
  expect_same(varied.sum(2), plain.sum(2), "spikes of each step");
  const at::Tensor of_unit = varied.sum(at::IntArrayRef({0, 1})).to(at::kDouble);
  const at::Tensor distance = at::arange(700, at::kDouble) - 350;
  const double spikes = of_unit.sum().item<double>();
  ASSERT_GT(spikes, 2000);
  EXPECT_NEAR((of_unit * distance).sum().item<double>() / spikes, 0, 0.3);
  // Rounding adds 1/12 to the variance.
  EXPECT_NEAR((of_unit * distance.square()).sum().item<double>() / spikes, 25 + 1. / 12, 2);
}

/// Begin and end of the zeros of a vector, which must lie side by side.
std::pair<std::int64_t, std::int64_t> gap(const at::Tensor& sums) {
  const at::Tensor places = sums.eq(0).nonzero().flatten();
  if (places.numel() == 0) return {0, 0};
  const auto begin = places[0].item<std::int64_t>(), last = places[-1].item<std::int64_t>();
  EXPECT_EQ(last - begin + 1, places.numel()) << "one block";
  return {begin, last + 1};
}

TEST_F(SpikeVariations, BlocksOfTimeAndUnitsAreEmptied) {
  fill_densely();
  const auto [plain, varied] =
      shown({{"mask_time", "300 ms"}, {"mask_channels", "140"}, {"mask_probability", "1"}});
  std::int64_t longest = 0, widest = 0;
  std::set<std::int64_t> begins;
  for (std::int64_t row = 0; row < kRecordings; ++row) {
    const at::Tensor every_tenth = varied.select(1, row).slice(1, 0, 700, 10);
    const auto [step, end] = gap(every_tenth.sum(1));
    const auto [unit, unit_end] = gap(every_tenth.sum(0));
    at::Tensor expected = at::ones({100, 70});
    expected.narrow(0, step, end - step).zero_();
    expected.narrow(1, unit, unit_end - unit).zero_();
    expect_same(every_tenth, expected, "all else stays");
    longest = std::max(longest, end - step);
    widest = std::max(widest, unit_end - unit);
    begins.insert(step);
  }
  EXPECT_LE(longest, 30);
  EXPECT_GE(longest, 27) << "of 60 uniform draws from 0 to 30";
  EXPECT_LE(widest, 15);
  EXPECT_GE(widest, 12);
  EXPECT_GT(begins.size(), 25U);
}

TEST_F(SpikeVariations, BlocksComeWithTheirProbability) {
  fill_densely();
  const auto masked = [&](const char* probability) {
    const auto [plain, varied] =
        shown({{"mask_time", "1000 ms"}, {"mask_probability", probability}});
    return varied.sum(at::IntArrayRef({0, 2})).ne(plain.sum(at::IntArrayRef({0, 2})));
  };
  EXPECT_FALSE(masked("0").any().item<bool>());
  EXPECT_NEAR(static_cast<double>(masked("0.5").sum().item<std::int64_t>()), 30, 15);
}

TEST_F(SpikeVariations, NoiseAddsSpikesAtRandomPlaces) {
  const auto [plain, varied] = shown({{"noise_spikes", "40"}});
  const at::Tensor added = varied - plain;
  EXPECT_GE(added.min().item<float>(), 0);
  const at::Tensor count = added.sum(at::IntArrayRef({0, 2}));
  EXPECT_LE(count.max().item<float>(), 40);
  EXPECT_NEAR(count.mean().item<float>(), 20, 6);
  const at::Tensor place = at::arange(100, at::kFloat);
  const float spikes = added.sum().item<float>();
  const float mean_step = (added.sum(at::IntArrayRef({1, 2})) * place).sum().item<float>() / spikes;
  EXPECT_NEAR(mean_step, 49.5, 4);
}

TEST_F(SpikeVariations, BlendsTrainingRecordingsOfTheSameClass) {
  // Labels 0 and 1 alternate; the validation part is random.
  for (std::size_t row = 0; row < file_.labels.size(); ++row) {
    file_.labels[row] = static_cast<std::int64_t>(row % 2);
  }
  const auto [plain, varied] = shown({{"blend", "1"}, {"validation", "random"}});
  const at::Tensor labels = all(*task_->split(Split::train)).target;
  const std::int64_t size = plain.size(1);
  ASSERT_EQ(size, 48);
  std::int64_t others = 0;
  for (std::int64_t row = 0; row < size; ++row) {
    const at::Tensor own = plain.select(1, row), found = varied.select(1, row);
    std::vector<std::int64_t> partners;
    for (std::int64_t other = 0; other < size; ++other) {
      if (!labels[other].equal(labels[row])) continue;
      if ((found <= own + plain.select(1, other)).all().item<bool>()) partners.push_back(other);
    }
    ASSERT_EQ(partners.size(), 1U) << "recording " << row;
    const double all_spikes = (own + plain.select(1, partners[0])).sum().item<double>();
    EXPECT_NEAR(found.sum().item<double>(), all_spikes / 2, 4 * std::sqrt(all_spikes) / 2);
    others += partners[0] == row ? 0 : 1;
  }
  EXPECT_GT(others, 40);
}

TEST_F(SpikeVariations, RefusesWhatIsNoProbability) {
  for (const char* option : {"blend", "mask_probability"}) {
    testing::expect_error(ErrorKind::config, {option, "1.5", "1 or less"}, [&] {
      shown({{option, "1.5"}});
    });
  }
}

}  // namespace
}  // namespace afterspike::tasks
