// The report that compares a run with its spiking network.

#include <numeric>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/transfer/lower.hpp"
#include "afterspike/transfer/parity.hpp"
#include "afterspike/transfer/section.hpp"
#include "spiking_run.hpp"
#include "support/expect_error.hpp"

namespace afterspike::transfer {
namespace {

using testing::expect_error;
using ::testing::HasSubstr;
using testing::random_samples;
using testing::spiking_run;
using testing::TempDir;
using transfer::Mode;

TEST(Parity, OfANetworkThatIsTheRateNetworkSaysSo) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run", {{"neuron.sigma", "0.000001 mV"}});
  const auto data = random_samples(100, true);
  ThreadPool pool(2);
  const Report report =
      compare(trained, transfer::lower(trained, {}), *data, spiking::Options{1}, pool);
  EXPECT_TRUE(report.first_differences.empty());
  EXPECT_EQ(report.spiking_accuracy, report.hard_accuracy);
  EXPECT_EQ(report.hard_agreement, 1);
  EXPECT_GT(report.agreement, 0.9);  // A voltage may come too near the threshold.
  EXPECT_GT(report.correlation, 0.95);
  EXPECT_THAT(report.verdict(), HasSubstr("Every spike is that of the rate network"));
  EXPECT_EQ(report.json()["rate_errors"].size(), static_cast<std::size_t>(testing::kNeurons));
}

TEST(Parity, SaysWhyItIsNotFaithfulAndWhatToDo) {
  Report report;
  report.samples = 1000;
  report.rate_accuracy = 0.9;
  report.spiking_accuracy = 0.5;
  report.agreement = 0.4;
  report.threshold_agreement = 0.4;
  report.hard_agreement = 1;
  report.sigma_mV = 1;
  EXPECT_THAT(report.verdict(),
              HasSubstr("Why: the threshold was trained soft (sigma 1 mV); a hard"
                        " one alone changes 60.00 % of the decisions. Train with"));
  report.threshold_agreement = 1;
  report.hard_agreement = 0.4;
  EXPECT_THAT(report.verdict(), HasSubstr("these spikes are not those of a hard threshold"));
  report.agreement = 1;
  report.spiking_accuracy = 0.9;
  EXPECT_THAT(report.verdict(), ::testing::Not(HasSubstr("Why:")));
}

TEST(Parity, FindsTheFirstStepThatDiffers) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto data = random_samples(30);
  ThreadPool pool(1);
  spiking::Network network = transfer::lower(trained, {});
  // Silence neuron 4: samples differ where it would first have spiked.
  network.populations[0].columns["threshold"][4] = 1e9;
  const at::Tensor expected = hard_spikes(trained, *data, pool).select(2, 4);
  std::vector<std::int64_t> steps;
  for (std::int64_t sample = 0; sample < 30; ++sample) {
    for (std::int64_t step = 0; step < testing::kSampleSteps; ++step) {
      if (!expected[sample][step].item<bool>()) continue;
      steps.push_back(step + 1);
      break;
    }
  }
  std::sort(steps.begin(), steps.end());
  ASSERT_GT(steps.size(), 5u);
  const Report report = compare(trained, network, *data, spiking::Options{1}, pool);
  EXPECT_EQ(report.first_differences, steps);
  EXPECT_EQ(report.json()["first_difference_step"], steps.front());
}

TEST(Parity, TakesBatchesThatEndWithTheirLongestSample) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto network = transfer::lower(trained, {});
  const auto padded = random_samples(70, true);
  const testing::Trimmed trimmed(padded);
  std::vector<std::int64_t> first(32), last(6);
  std::iota(first.begin(), first.end(), 0);
  std::iota(last.begin(), last.end(), 64);
  ASSERT_NE(trimmed.batch(first).input.size(0), trimmed.batch(last).input.size(0));
  ThreadPool pool(2);
  const Report expected = compare(trained, network, *padded, spiking::Options{1}, pool);
  const Report found = compare(trained, network, trimmed, spiking::Options{1}, pool);
  EXPECT_EQ(found.verdict(), expected.verdict());
  EXPECT_EQ(found.hard_agreement, expected.hard_agreement);
  for (std::size_t n = 0; n < found.rate_errors.size(); ++n) {
    EXPECT_NEAR(found.rate_errors[n], expected.rate_errors[n], 1e-6);  // Rates are float32.
  }
  EXPECT_TRUE(expected.first_differences.empty());
  const at::Tensor spikes = hard_spikes(trained, trimmed, pool);
  EXPECT_EQ(spikes.size(0), 70);
  EXPECT_TRUE(spikes.equal(hard_spikes(trained, *padded, pool).slice(1, 0, spikes.size(1))));
}

TEST(Parity, FaithfulIsWhatDecidesTheSamplesAlike) {
  struct Case {
    double rate, spiking, agreement;
    const char* word;
  };
  for (const Case& each :
       {Case{0.98, 0.98, 0.998, "faithful: "}, Case{0.98, 0.98, 0.997, "faithful: "},
        Case{0.98, 0.98, 0.992, "close: "}, Case{0.98, 0.975, 0.995, "close: "},
        Case{0.98, 0.98, 0.97, "not faithful: "},
        // Two that guess are right as often as each other.
        Case{0.1, 0.1, 0.1, "not faithful: "}}) {
    Report report;
    report.samples = 1000;
    report.rate_accuracy = each.rate;
    report.spiking_accuracy = each.spiking;
    report.agreement = each.agreement;
    EXPECT_EQ(report.verdict().substr(0, std::string(each.word).size()), each.word);
  }
}

TEST(Parity, CountsWhatWasApproximatedAndRefusesWhatIsNoNumber) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto data = random_samples(3);
  ThreadPool pool(1);
  spiking::Network network = transfer::lower(trained, {});
  network.provenance["approximated"] = "17";
  EXPECT_EQ(compare(trained, network, *data, spiking::Options{1}, pool).approximated, 17);
  for (const char* text : {"", "many", "17 of 20", "-1"}) {
    network.provenance["approximated"] = text;
    expect_error(ErrorKind::data, {"provenance 'approximated'", "expected a number"},
                 [&] { compare(trained, network, *data, spiking::Options{1}, pool); });
  }
}

TEST(Parity, TellsHowFarRatesAreOff) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto data = random_samples(20);
  ThreadPool pool(1);
  spiking::Network network = transfer::lower(trained, {});
  for (double& threshold : network.populations[0].columns["threshold"]) threshold = 1e9;
  const Report report = compare(trained, network, *data, spiking::Options{1}, pool);
  // Nobody spikes: the errors are the rates themselves.
  const at::NoGradGuard no_grad;
  std::vector<std::int64_t> numbers(20);
  std::iota(numbers.begin(), numbers.end(), 0);
  const at::Tensor rates =
      trained.network->emissions(data->batch(numbers).input, trained.pass).to(at::kDouble).mean(0);
  for (std::int64_t n = 0; n < testing::kNeurons; ++n) {
    const double expected = rates.select(1, n).square().mean().sqrt().item<double>();
    EXPECT_NEAR(report.rate_errors[static_cast<std::size_t>(n)], expected, 1e-6);
  }
}

TEST(Parity, AsPartOfAPageItShowsVerdictFiguresAndEachNeuron) {
  Report report;
  report.samples = 200;
  report.rate_accuracy = 0.98;
  report.spiking_accuracy = 0.9;
  report.rate_errors = {0.1, 0.3, 0.2};
  report.first_differences = {3, 5, 9};
  const report::Section section = transfer::section(report, "net.h5");
  EXPECT_THAT(section.text.at(0), HasSubstr("net.h5. not faithful: 90.00 % of 200 samples"));
  EXPECT_THAT(section.text.at(0), HasSubstr("first at step 3, in half of them by step 5"));
  const auto& table = std::get<report::Table>(section.blocks.at(0));
  EXPECT_EQ(std::get<std::string>(table.rows.at(3).at(1)), "90.00 %");
  const auto& chart = std::get<report::Chart>(section.blocks.at(1));
  EXPECT_EQ(chart.series.at(0).y, (std::vector<double>{0.3, 0.2, 0.1}));
}

TEST(Parity, AnotherNetworkIsRefused) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto other = spiking_run(directory / "other", {{"network.hidden", "7"}});
  ThreadPool pool(1);
  expect_error(ErrorKind::config, {"has 7 neurons and 3 outputs, expected 13 and 3"}, [&] {
    compare(trained, transfer::lower(other, {}), *random_samples(3), spiking::Options{1}, pool);
  });
}

}  // namespace
}  // namespace afterspike::transfer
