// Measurements against closed forms, and the published firing patterns.

#include "afterspike/single_neuron/study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "afterspike/base/error.hpp"
#include "support/expect_error.hpp"

namespace afterspike::single_neuron {
namespace {

constexpr double kPi = std::numbers::pi;

/// A leaky neuron of 250 pF and 10 ms with its threshold 15 mV above rest.
constexpr double kTau = 10, kCapacitance = 250, kThreshold = 15;

TEST(Rheobase, OfALeakyNeuronIsThresholdByResistance) {
  const Rheobase found = find_rheobase(make_neuron("lif"), {});
  ASSERT_TRUE(found.current);
  EXPECT_FALSE(found.is_active);
  EXPECT_NEAR(*found.current, kThreshold * kCapacitance / kTau, 0.05);
  EXPECT_LT(found.silent, *found.current);
}

TEST(Rheobase, OfAQuadraticNeuronIsAtItsSaddleNode) {
  const Rheobase found = find_rheobase(make_neuron("qif"), {10000});
  EXPECT_NEAR(found.current.value(), 0.7 * 20 * 20 / 4, 0.02);
}

TEST(Rheobase, OfAnActiveNeuronIsNegative) {
  const Rheobase found = find_rheobase(make_neuron("qif", "canonical"), {10000});
  EXPECT_TRUE(found.is_active);
  EXPECT_NEAR(found.current.value(), -1, 1e-3);
}

TEST(Rheobase, OfARandomNeuronIsWhereHalfOfTheTrialsSpike) {
  // Rate of spikes (gamma V)^1 per ms at V = tau I: 1 - exp(-rate T) = 1/2.
  Protocol protocol;
  protocol.trials = 200;
  const Rheobase found = find_rheobase(make_neuron("galves_loecherbach_leaky"), protocol);
  EXPECT_NEAR(found.current.value(), std::numbers::ln2 / 1000, 2e-4);
}

TEST(Rheobase, IsMissingIfNothingSpikesOrNothingSilences) {
  EXPECT_FALSE(find_rheobase(make_neuron("lif", "", {{"V_th", "1e12"}}), {200}).current);
  const Rheobase relaxation = find_rheobase(make_neuron("fitzhugh_nagumo", "van_der_pol"), {});
  EXPECT_TRUE(relaxation.is_active);
  EXPECT_FALSE(relaxation.current) << "a current only shifts the oscillation";
}

TEST(FiCurve, OfALeakyNeuronIsTheClosedForm) {
  const std::vector<double> currents = {300, 380, 450, 600, 900, 1500};
  const FiCurve curve = fi_curve(make_neuron("lif", "", {{"t_ref", "3"}}), currents, false, {});
  EXPECT_EQ(curve.rates[0].spikes, 0);
  for (std::size_t at = 1; at < currents.size(); ++at) {
    const double drive = currents[at] * kTau / kCapacitance;
    const double interval = 3 + kTau * std::log(drive / (drive - kThreshold));
    EXPECT_NEAR(1000 / curve.rates[at].steady_per_s, interval, 0.1) << "a step of the grid";
    EXPECT_NEAR(1000 / curve.rates[at].initial_per_s, interval, 0.1);
    EXPECT_NEAR(curve.rates[at].latency_ms, interval - 3, 0.1);
  }
}

TEST(FiCurve, OfAQuadraticNeuronIsASquareRoot) {
  const std::vector<double> currents = {1, 4, 9, 16};
  const Neuron neuron = make_neuron("qif", "canonical", {{"I_e", "0"}}, 0.02);
  const FiCurve curve = fi_curve(neuron, currents, false, {});
  for (std::size_t at = 0; at < currents.size(); ++at) {
    // From -100 to 100 in tau 2 atan(100 / sqrt(I)) / sqrt(I).
    const double root = std::sqrt(currents[at]);
    const double interval = kTau * 2 * std::atan(100 / root) / root;
    EXPECT_NEAR(curve.rates[at].steady_per_s / (1000 / interval), 1, 2e-3);
    EXPECT_NEAR(curve.rates[at].steady_per_s / (root * 1000 / (kTau * kPi)), 1, 0.03);
  }
}

TEST(FiCurve, ChoosesRoundCurrentsAroundTheRheobase) {
  const Neuron neuron = make_neuron("lif");
  const auto currents = choose_currents(neuron, find_rheobase(neuron, {}), {});
  EXPECT_GE(currents.size(), 20U);
  EXPECT_LE(currents.size(), 60U);
  EXPECT_EQ(currents.front(), 0);
  EXPECT_GE(currents.back(), 3 * 375);
  EXPECT_EQ(currents[1], 50);
}

TEST(StepResponse, HasThePatternsOfNaudEtAl2008) {
  const auto at = [](const char* preset, double current) {
    return step_response(make_neuron("aeif_cond_exp", preset), current, {500});
  };
  const Adaptation tonic = measure_adaptation(at("tonic", 500));
  EXPECT_NEAR(tonic.index, 0, 0.01);
  const Adaptation adapting = measure_adaptation(at("adapting", 500));
  EXPECT_GT(adapting.index, 0.02);
  EXPECT_LT(adapting.ratio, 0.5);
  const Adaptation accelerating = measure_adaptation(at("delayed_accelerating", 300));
  EXPECT_LT(accelerating.index, -0.005);
  EXPECT_GT(at("delayed_accelerating", 300).rates.latency_ms, 20);
  const StepResponse transient = at("transient", 180);
  EXPECT_GE(transient.rates.spikes, 1);
  EXPECT_EQ(transient.rates.steady_per_s, 0) << "it falls silent";
  // Intervals within a burst and between bursts.
  const Adaptation bursting = measure_adaptation(at("regular_bursting", 210));
  const auto [slow, fast] =
      std::minmax_element(bursting.rates_per_s.begin(), bursting.rates_per_s.end());
  EXPECT_GT(*fast / *slow, 4);
}

TEST(StepResponse, AdaptationOfIntervalsIsItsDefinition) {
  StepResponse response;
  response.onset_ms = 0;
  response.stop_ms = 1000;
  response.recorded.spikes_ms = {{10, 20, 40, 80, 1100}};
  const Adaptation adaptation = measure_adaptation(response);
  EXPECT_THAT(adaptation.rates_per_s, ::testing::ElementsAre(100, 50, 25));
  EXPECT_DOUBLE_EQ(adaptation.index, 1.0 / 3);
  EXPECT_DOUBLE_EQ(adaptation.ratio, 0.25);
}

TEST(Impedance, OfALeakyNeuronIsThatOfResistorAndCapacitor) {
  const std::vector<double> frequencies = {1, 2.5, 7, 15.9, 60, 333};
  const Transfer found = impedance(make_neuron("lif"), 50, 2, frequencies, {});
  ASSERT_EQ(found.gains.size(), frequencies.size());
  EXPECT_NEAR(found.mean, -70 + 50 * kTau / kCapacitance, 1e-3);
  for (const Gain& each : found.gains) {
    const std::complex<double> expected =
        kTau / kCapacitance / std::complex<double>(1, 2 * kPi * each.frequency_hz * 1e-3 * kTau);
    EXPECT_NEAR(each.gain / std::abs(expected), 1, 1e-4) << each.frequency_hz;
    EXPECT_NEAR(each.phase_deg, std::arg(expected) * 180 / kPi, 0.02) << each.frequency_hz;
  }
}

TEST(Impedance, OfFitzHughAndNagumoIsThatOfTheirJacobian) {
  const Transfer found = impedance(make_neuron("fitzhugh_nagumo"), 0, 1e-4, {2, 20, 100}, {});
  ASSERT_EQ(found.gains.size(), 3U);
  const double v = found.mean, a = 1 - v * v;
  for (const Gain& each : found.gains) {
    const std::complex<double> s(0, 2 * kPi * each.frequency_hz * 1e-3);
    const std::complex<double> expected = 1.0 / (s - a + 0.08 / (s + 0.064));
    EXPECT_NEAR(each.gain / std::abs(expected), 1, 2e-3) << each.frequency_hz;
    EXPECT_NEAR(each.phase_deg, std::arg(expected) * 180 / kPi, 0.2) << each.frequency_hz;
  }
  EXPECT_GT(found.gains[1].gain, found.gains[0].gain) << "it resonates";
}

TEST(Impedance, OmitsFrequenciesWithSpikes) {
  const Transfer found = impedance(make_neuron("lif"), 370, 50, {2, 300}, {});
  ASSERT_EQ(found.gains.size(), 1U);
  EXPECT_EQ(found.gains[0].frequency_hz, 300);
  EXPECT_NE(found.omitted.find("1 of 2"), std::string::npos) << found.omitted;
}

TEST(RateModulation, OfARandomNeuronIsItsRateTimesTheLowPass) {
  // The rate gamma V follows V, a low-pass of 10 ms. A reset to the mean voltage does not disturb.
  const Neuron neuron = make_neuron("galves_loecherbach_leaky", "",
                                    {{"gamma", "0.01"}, {"V_reset", "6"}, {"V_m", "6"}});
  const Transfer found = rate_modulation(neuron, 0.6, 0.3, 0, {4, 40}, {});
  ASSERT_EQ(found.gains.size(), 2U);
  EXPECT_NEAR(found.mean, 60, 3);
  for (const Gain& each : found.gains) {
    const std::complex<double> expected =
        1000 * 0.01 * kTau / std::complex<double>(1, 2 * kPi * each.frequency_hz * 1e-3 * kTau);
    EXPECT_GT(each.error, 0);
    // Resets shorten the memory of the membrane by the rate: at most 1 - 60/s 10 ms of the gain.
    EXPECT_LT(each.gain, 1.1 * std::abs(expected));
    EXPECT_GT(each.gain, 0.5 * std::abs(expected));
    EXPECT_NEAR(each.phase_deg, std::arg(expected) * 180 / kPi, 20) << each.frequency_hz;
  }
}

TEST(RateModulation, AtLowFrequenciesIsTheSlopeOfTheFiCurve) {
  const Neuron neuron = make_neuron("lif");
  const FiCurve curve = fi_curve(neuron, {560, 640}, false, {});
  const double slope = (curve.rates[1].steady_per_s - curve.rates[0].steady_per_s) / 80;
  const Transfer found = rate_modulation(neuron, 600, 30, 30, {2}, {});
  ASSERT_EQ(found.gains.size(), 1U);
  EXPECT_NEAR(found.gains[0].gain / slope, 1, 0.1);
  EXPECT_NEAR(found.gains[0].phase_deg, 0, 5);
  Protocol two;
  two.threads = 2;
  const Transfer again = rate_modulation(neuron, 600, 30, 30, {2}, two);
  EXPECT_EQ(again.gains[0].gain, found.gains[0].gain) << "threads do not matter";
}

TEST(PhasePlaneOfAStudy, HasNullclinesAndTheBifurcationWithinItsCurrents) {
  const Neuron neuron = make_neuron("fitzhugh_nagumo");
  const StepResponse response = step_response(neuron, 0.5, {200});
  const auto plane = phase_plane(neuron, response, {0, 0.2, 0.4, 0.6});
  ASSERT_TRUE(plane);
  EXPECT_EQ(plane->names, (std::vector<std::string>{"V", "w"}));
  ASSERT_EQ(plane->equilibria.size(), 4U);
  EXPECT_TRUE(plane->equilibria[1].is_stable());
  EXPECT_FALSE(plane->equilibria[2].is_stable()) << "Hopf bifurcation at 0.331";
  EXPECT_EQ(plane->driven_nullclines.size(), 2U);
  EXPECT_GT(plane->arrows.size(), 100U);
  EXPECT_FALSE(phase_plane(make_neuron("lif"), response, {}));
  EXPECT_FALSE(phase_plane(make_neuron("hh_psc_alpha"), response, {}));
}

TEST(Study, RefusesOptionsOutOfRange) {
  const Neuron neuron = make_neuron("lif");
  StudyOptions options;
  options.duration_ms = 1e6;
  testing::expect_error(ErrorKind::config, {"duration: found 1000000 ms", "Give 10 ms to"},
                        [&] { study(neuron, options); });
  options = {};
  options.frequencies_hz = {1, 9000};
  testing::expect_error(ErrorKind::config, {"9000 Hz", "Give 0.1 to 2500 Hz"},
                        [&] { study(neuron, options); });
  options = {};
  options.duration_ms = 100;
  testing::expect_error(ErrorKind::usage, {"no current up to 1e+06 pA", "Give --current"}, [&] {
    study(make_neuron("lif", "", {{"V_th", "1e12"}}), options);
  });
}

TEST(Study, ShowsANeuronThatNeverSpikesAtAGivenCurrent) {
  StudyOptions options;
  options.duration_ms = 100;
  options.current = 100;
  const Study found = study(make_neuron("lif", "", {{"V_th", "1e12"}}), options);
  EXPECT_FALSE(found.rheobase.current);
  EXPECT_TRUE(found.fi.currents.empty());
  EXPECT_EQ(found.step.rates.spikes, 0);
  EXPECT_FALSE(found.impedance.gains.empty());
  EXPECT_TRUE(found.modulation.gains.empty());
  EXPECT_EQ(found.notes.size(), 2U) << "rheobase and rate modulation";
}

}  // namespace
}  // namespace afterspike::single_neuron
