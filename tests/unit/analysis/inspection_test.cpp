#include "afterspike/analysis/inspection.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/io/table.hpp"
#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::TempDir;
using testing::write_run;

Subject subject_with(const TempDir& directory, const std::string& neuron = "glifr",
                     const testing::Options& settings = {}) {
  write_run(directory / "run", neuron, settings, 1, testing::vary);
  return testing::subject_of(directory / "run");
}

/// The rate of a GLIFR neuron at rest under a constant drive, by bisection of the stationary
/// equations of docs/numerics.md; nothing of the layer's code.
double stationary_rate(const nn::Network& network, std::int64_t neuron, double drive_mV) {
  const auto value = [&](const char* name) {
    return network.physical(std::string("layers.0.") + name)
        .to(at::kDouble)
        .select(-1, neuron)
        .contiguous();
  };
  const double dt = network.shape().dt_ms;
  const double decay = value("membrane_decay").item<double>() * dt;
  const double threshold = value("threshold").item<double>();
  const at::Tensor k = value("after_spike_decay") * dt;
  const at::Tensor r = value("after_spike_multiplicative");
  const at::Tensor a = value("after_spike_additive");
  const auto excess = [&](double rate) {
    const double current = (a * rate / (k - r * rate)).sum().item<double>();
    const double voltage = (drive_mV + decay * 0.1 * current) / (decay + rate);
    return 1 / (1 + std::exp(threshold - voltage)) - rate;
  };
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (excess(middle) > 0 ? low : high) = middle;
  }
  return low;
}

TEST(Probe, ActivityIsThatOfTheStationaryEquations) {
  const TempDir directory;
  const Subject subject = subject_with(directory);
  const auto found = probe(*subject.trained, single_units(subject.network(), {0, 4, 9}));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->drive_unit, "mV/step");
  ASSERT_EQ(found->activity.curves.size(), 3U);
  const std::int64_t neurons[] = {0, 4, 9};
  for (std::size_t unit = 0; unit < 3; ++unit) {
    for (const std::size_t level : {22U, 26U, 32U, 40U}) {
      EXPECT_NEAR(found->activity.curves[unit].mean[level],
                  stationary_rate(subject.network(), neurons[unit], found->drive[level]), 2e-3)
          << "unit " << unit << ", drive " << found->drive[level];
    }
  }
}

TEST(Probe, AUnitIsTheMeanOfItsNeurons) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "glifr", {{"network.layers", "2"}});
  std::vector<Unit> units = single_units(subject.network(), {3, 17});
  units.push_back({"both", {3, 17}});
  const auto found = probe(*subject.trained, units);
  ASSERT_TRUE(found);
  for (const Quantity& quantity : found->step_response) {
    ASSERT_EQ(quantity.curves.size(), 3U);
    for (const std::size_t step : {50U, 160U, 250U}) {
      const double a = quantity.curves[0].mean[step], b = quantity.curves[1].mean[step];
      EXPECT_NEAR(quantity.curves[2].mean[step], (a + b) / 2, 1e-6 + 1e-6 * std::abs(a + b));
      EXPECT_NEAR(quantity.curves[2].sd[step], std::abs(a - b) / std::sqrt(2.0),
                  1e-6 + 1e-6 * std::abs(a - b));
      EXPECT_EQ(quantity.curves[0].sd[step], 0);
    }
  }
}

TEST(Probe, CurrentsThatChangedPlacesGiveTheSameTraces) {
  const TempDir directory;
  const Subject subject = subject_with(directory);
  const auto units = single_units(subject.network(), {5});
  const auto before = probe(*subject.trained, units);
  {
    const at::NoGradGuard no_grad;
    for (const char* name :
         {"after_spike_decay", "after_spike_multiplicative", "after_spike_additive"}) {
      at::Tensor raw = subject.network().layer(0)->raw(name);
      raw.copy_(raw.flip(0).clone());
    }
  }
  const auto after = probe(*subject.trained, units);
  ASSERT_EQ(before->step_response.size(), 4U);  // Activity, voltage, two currents.
  EXPECT_EQ(before->step_response[2].name, "after_spike_current_1");
  EXPECT_EQ(before->step_response[2].unit, "pA");
  EXPECT_EQ(before->step_response[2].curves[0].mean, after->step_response[2].curves[0].mean);
}

TEST(Probe, CurrentsOfOneDecayAreOrderedByWhatElseTheyHave) {
  const TempDir directory;
  const Subject subject = subject_with(directory);
  const at::NoGradGuard no_grad;
  const nn::NeuronLayer& layer = *subject.network().layer(0);
  layer.raw("after_spike_decay").zero_();  // Half of the range, to the bit.
  const auto units = single_units(subject.network(), {5});
  const auto before = probe(*subject.trained, units);
  for (const char* name : {"after_spike_multiplicative", "after_spike_additive"}) {
    layer.raw(name).copy_(layer.raw(name).flip(0).clone());
  }
  const auto after = probe(*subject.trained, units);
  const auto mean = [](const Probe& found, std::size_t quantity) {
    return found.step_response[quantity].curves[0].mean;
  };
  EXPECT_EQ(mean(*before, 2), mean(*after, 2));
  EXPECT_EQ(mean(*before, 3), mean(*after, 3));
  EXPECT_NE(mean(*before, 2), mean(*before, 3)) << "two currents";
}

const testing::Options kUnbounded = {{"neuron.bound_after_spike_currents", "false"}};

/// Gives neurons after-spike currents that grow without bound: by r = 0.6 per step at full rate,
/// against a decay of k = 0.5 / ms; others shrink.
void let_run_away(const nn::Network& network, const std::vector<std::int64_t>& neurons) {
  nn::NeuronLayer& layer = *network.layer(0);
  const auto set = [&](const char* name, double staying, double running) {
    at::Tensor values = at::full_like(layer.physical(name), staying);
    for (const std::int64_t neuron : neurons) values.select(-1, neuron).fill_(running);
    layer.set_physical(name, values);
  };
  const at::NoGradGuard no_grad;
  set("after_spike_multiplicative", -0.5, 0.6);
  set("after_spike_decay", 2, 0.5);
  set("after_spike_additive", -0.3, 0.66);
}

TEST(Probe, LeavesOutNeuronsThatRunAway) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "glifr", kUnbounded);
  let_run_away(subject.network(), {1, 4});
  const std::vector<Unit> units = {{"all", {0, 1, 4, 9}}, {"gone", {4}}};
  const auto found = probe(*subject.trained, units);
  const auto without = probe(*subject.trained, {{"rest", {0, 9}}});
  ASSERT_TRUE(found && without);
  EXPECT_THAT(found->run_away, ElementsAre(1, 4));
  EXPECT_THAT(found->probed, ElementsAre(2, 0));
  EXPECT_THAT(without->run_away, ElementsAre());
  EXPECT_EQ(found->drive, without->drive) << "range";
  EXPECT_EQ(found->step_drive, without->step_drive);
  EXPECT_EQ(found->activity.curves[0].mean, without->activity.curves[0].mean);
  ASSERT_EQ(found->step_response.size(), without->step_response.size());
  for (std::size_t i = 0; i < found->step_response.size(); ++i) {
    EXPECT_EQ(found->step_response[i].curves[0].mean, without->step_response[i].curves[0].mean);
    EXPECT_EQ(found->step_response[i].curves[0].sd, without->step_response[i].curves[0].sd);
    EXPECT_TRUE(found->step_response[i].curves[1].mean.empty());
  }
}

TEST(Probe, OfRunawaysIsWrittenAndSaidInANote) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "glifr", kUnbounded);
  let_run_away(subject.network(), {1, 4});
  ThreadPool pool(1);
  const Inspection some = inspect(subject, single_units(subject.network(), {0, 1}), {}, pool);
  EXPECT_THAT(some.notes, ::testing::Contains(::testing::AllOf(HasSubstr("1 of 2 neurons run away"),
                                                               HasSubstr(": 0.1"))));
  write_inspection(directory / "some", some, subject.network());
  EXPECT_EQ(io::read_csv(directory / "some" / "fi_curves.csv").rows.size(), 41U);
  const io::Json record = io::read_json(directory / "some" / "inspection.json", ErrorKind::data);
  EXPECT_EQ(record["run_away"], (io::Json{{{"layer", 0}, {"neuron", 1}}}));
  const Inspection none = inspect(subject, single_units(subject.network(), {4}), {}, pool);
  EXPECT_THAT(none.notes, ::testing::Contains(HasSubstr("1 of 1 neurons run away")));
  write_inspection(directory / "none", none, subject.network());
  EXPECT_FALSE(std::filesystem::exists(directory / "none" / "fi_curves.csv"));
  EXPECT_FALSE(std::filesystem::exists(directory / "none" / "step_responses.csv"));
}

TEST(Probe, OfAClusterIsTheMeanOfAllItsNeurons) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "glifr", {{"network.hidden", "40"}});
  Unit cluster{"cluster", {}};
  for (std::int64_t i = 0; i < 36; ++i) cluster.neurons.push_back(i);
  std::vector<Unit> units = {cluster};
  for (Unit& single : single_units(subject.network(), cluster.neurons)) units.push_back(single);
  const auto found = probe(*subject.trained, units);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->neurons, 36);
  EXPECT_EQ(found->probed[0], 36);
  for (std::size_t level = 0; level < found->drive.size(); ++level) {
    double sum = 0;
    for (std::size_t i = 1; i <= 36; ++i) sum += found->activity.curves[i].mean[level];
    EXPECT_NEAR(found->activity.curves[0].mean[level], sum / 36, 1e-6);
  }
}

TEST(Probe, IsOfSoManyNeuronsAndSaysOfHowMany) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "rnn", {{"network.hidden", "530"}});
  Unit all{"all", {}};
  for (std::int64_t i = 0; i < 530; ++i) all.neurons.push_back(i);
  const Unit few{"few", {0, 1, 2}};
  const auto found = probe(*subject.trained, {all, few});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->probed, ElementsAre(kMaxProbed / 2, 3));
  EXPECT_LE(found->neurons, kMaxProbed);
}

TEST(Probe, OfAnRnnIsTheHyperbolicTangent) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "rnn");
  const auto found = probe(*subject.trained, single_units(subject.network(), {2}));
  ASSERT_TRUE(found);
  const double bias = subject.network().physical("layers.0.bias")[2].item<double>();
  for (std::size_t i = 0; i < found->drive.size(); i += 5) {
    EXPECT_NEAR(found->activity.curves[0].mean[i], std::tanh(found->drive[i] + bias), 1e-5);
  }
}

TEST(Probe, IsNotThereForNeuronsWithoutOneDrive) {
  for (const char* neuron : {"lstm", "gru", "elm", "elm_network"}) {
    const TempDir directory;
    const Subject subject = subject_with(directory, neuron);
    EXPECT_FALSE(probe(*subject.trained, single_units(subject.network(), {0}))) << neuron;
    ThreadPool pool(1);
    EXPECT_THAT(inspect(subject, single_units(subject.network(), {0}), {}, pool).notes.front(),
                HasSubstr(std::string("not there for ") + neuron));
  }
}

TEST(Units, AreChecked) {
  const TempDir directory;
  const Subject subject = subject_with(directory);
  expect_error(ErrorKind::usage, {"neuron 10", "0 to 9"},
               [&] { single_units(subject.network(), {10}); });
  const auto clusters = cluster_units({1, 0, 1});
  ASSERT_EQ(clusters.size(), 2U);
  EXPECT_THAT(clusters[1].neurons, ElementsAre(0, 2));
}

TEST(Raster, IsTheTraceOfTheRates) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "glifr", {{"network.layers", "2"}});
  const Raster found = raster(subject, 2);
  ASSERT_EQ(found.activity.rows(), 20);
  const at::NoGradGuard no_grad;
  nn::NamedTensors trace;
  nn::NetworkPass pass;
  pass.trace = &trace;
  const std::vector<std::int64_t> all = {0, 1, 2, 3};
  subject.network().emissions(subject.data->batch(all).input, pass);
  for (const std::int64_t neuron : {0, 13}) {
    const at::Tensor rate = trace.at(fmt::format("layers.{}.rate", neuron / 10));
    for (Eigen::Index step = 0; step < found.activity.cols(); ++step) {
      EXPECT_NEAR(found.activity(neuron, step), rate[step][2][neuron % 10].item<double>(), 1e-6);
    }
  }
  expect_error(ErrorKind::usage, {"sample 6", "0 to 5"}, [&] { raster(subject, 6); });
}

TEST(Spectra, AreThoseOfAKnownMatrix) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "rnn", {{"network.hidden", "3"}});
  const double angle = 0.7;
  {
    const at::NoGradGuard no_grad;
    const at::Tensor turn =
        at::tensor({2 * std::cos(angle), -2 * std::sin(angle), 0.0, 2 * std::sin(angle),
                    2 * std::cos(angle), 0.0, 0.0, 0.0, -0.5},
                   at::kDouble)
            .view({3, 3});
    subject.network().layer(0)->raw("recurrent_weight").copy_(turn);
  }
  const auto found = spectra(subject.network());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NEAR(std::abs(found[0].eigenvalues[0] - std::polar(2.0, angle)), 0, 1e-6);
  EXPECT_NEAR(std::abs(found[0].eigenvalues[1] - std::polar(2.0, -angle)), 0, 1e-6);
  EXPECT_NEAR(std::abs(found[0].eigenvalues[2] + 0.5), 0, 1e-6);
}

TEST(Spectra, OfGatesAreOneEach) {
  const TempDir directory;
  const Subject subject = subject_with(directory, "lstm", {{"network.layers", "2"}});
  const auto found = spectra(subject.network());
  ASSERT_EQ(found.size(), 8U);
  EXPECT_EQ(found[5].name, "layer 1, gate 2 of 4");
}

TEST(TimescalesOfNeurons, AreOneOverTheDecay) {
  const TempDir directory;
  const Subject subject = subject_with(directory);
  const auto found = timescales(subject.network());
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "membrane_decay");
  const at::Tensor decay = subject.network().physical("layers.0.membrane_decay");
  EXPECT_NEAR(found[0].values[3], 1 / decay[3].item<double>(), 1e-6 * found[0].values[3]);
  EXPECT_EQ(found[1].values.size(), 20U);
}

/// The answer to a sample as a function of its input.
double answer(const Subject& subject, const tasks::Batch& batch) {
  const at::NoGradGuard no_grad;
  const auto read = experiment::outputs(subject.network(), batch, subject.task->objective().read,
                                        subject.trained->pass);
  return subject.task->classifies() ? tasks::mean_over_read(read).amax().item<double>()
                                    : read.values.sum().item<double>();
}

TEST(SaliencyOfInput, IsTheSlopeOfTheAnswer) {
  for (const bool classifies : {true, false}) {
    const TempDir directory;
    write_run(directory / "run", "gru", {}, 3);
    const at::Tensor inputs = testing::uniform_tensor({5, 6, 1}, Rng(4)).to(at::kFloat);
    const at::Tensor targets = classifies ? at::zeros({5}, at::kLong) : at::zeros({5, 6, 1});
    const Subject subject = testing::subject_on(directory / "run", inputs, targets, 1, classifies);
    ThreadPool one(1), three(3);
    const Saliency found = saliency(subject, 5, 2, one);
    EXPECT_EQ(found.mean, saliency(subject, 5, 2, three).mean) << "threads";
    const std::vector<std::int64_t> numbers = {2};
    constexpr double kStep = 1e-2;
    for (std::int64_t step = 0; step < 6; ++step) {
      tasks::Batch up = subject.data->batch(numbers), down = subject.data->batch(numbers);
      up.input = up.input.clone();
      down.input = down.input.clone();
      up.input[step] += kStep;
      down.input[step] -= kStep;
      EXPECT_NEAR(found.sample(step, 0),
                  std::abs(answer(subject, up) - answer(subject, down)) / (2 * kStep), 1e-4)
          << step;
    }
  }
}

TEST(Inspection, SaysWhyThereAreNoCurves) {
  ThreadPool pool(1);
  const TempDir directory;
  EXPECT_THAT(inspect(subject_with(directory), {}, {}, pool).notes,
              ::testing::Contains(HasSubstr("no neurons were named")));
  const TempDir other;
  EXPECT_THAT(inspect(subject_with(other, "gru"), {}, {}, pool).notes,
              ::testing::Contains(HasSubstr("not there for gru")));
}

TEST(Inspection, IsWrittenAndSaysWhatIsMissing) {
  const TempDir directory;
  Subject subject = subject_with(directory);
  ThreadPool pool(2);
  const auto units = single_units(subject.network(), {1, 2});
  write_inspection(directory / "out", inspect(subject, units, {}, pool), subject.network());
  const io::Table curves = io::read_csv(directory / "out" / "fi_curves.csv");
  EXPECT_THAT(curves.columns, ElementsAre("unit", "drive_mV_per_step", "activity", "activity_sd"));
  EXPECT_EQ(curves.rows.size(), 2U * 41U);
  for (const char* file : {"step_responses.csv", "raster.csv", "spectrum.csv", "timescales.csv",
                           "saliency.csv", "inspection.json"}) {
    EXPECT_TRUE(std::filesystem::exists(directory / "out" / file)) << file;
  }
  subject.data = nullptr;
  subject.task = nullptr;
  const Inspection without = inspect(subject, units, {}, pool);
  EXPECT_FALSE(without.raster);
  EXPECT_THAT(without.notes.back(), HasSubstr("the data are not there"));
  expect_error(ErrorKind::data, {"out"},
               [&] { write_inspection(directory / "out", without, subject.network()); });
}

}  // namespace
}  // namespace afterspike::analysis
