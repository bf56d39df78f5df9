#include "afterspike/single_neuron/phase_plane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "afterspike/single_neuron/neuron.hpp"
#include "support/expect_error.hpp"

namespace afterspike::single_neuron {
namespace {

using spiking::Dynamics;

Dynamics dynamics_of(const char* model, const char* preset = "",
                     const std::vector<Setting>& settings = {}) {
  return Dynamics(make_neuron(model, preset, settings).population);
}

constexpr Box kFitzHugh = {{-3, -2}, {3, 3}};

/// The current at which V is the fixed point of FitzHugh and Nagumo with a = 0.7, b = 0.8.
double current_of(double v) {
  return v * v * v / 3 - v + (v + 0.7) / 0.8;
}

TEST(PhasePlane, FindsTheFixedPointOfFitzHughAndNagumo) {
  const Dynamics dynamics = dynamics_of("fitzhugh_nagumo");
  for (const double v : {-1.5, -1.0, -0.4, 0.2, 1.3}) {
    const auto points = fixed_points(dynamics, current_of(v), kFitzHugh);
    ASSERT_EQ(points.size(), 1U) << v;
    EXPECT_NEAR(points[0].x[0], v, 1e-10);
    EXPECT_NEAR(points[0].x[1], (v + 0.7) / 0.8, 1e-10);
    // Jacobian: {1 - v^2, -1; eps, -eps b}.
    const double trace = 1 - v * v - 0.064, determinant = -0.064 * (1 - v * v) + 0.08;
    EXPECT_NEAR((points[0].eigenvalues[0] + points[0].eigenvalues[1]).real(), trace, 1e-7);
    EXPECT_NEAR((points[0].eigenvalues[0] * points[0].eigenvalues[1]).real(), determinant, 1e-7);
  }
}

TEST(PhasePlane, FitzHughAndNagumoLoseStabilityAtTheHopfBifurcation) {
  const Dynamics dynamics = dynamics_of("fitzhugh_nagumo");
  const double hopf = -std::sqrt(1 - 0.064);  // Where the trace vanishes.
  const auto before = fixed_points(dynamics, current_of(hopf - 0.001), kFitzHugh);
  const auto after = fixed_points(dynamics, current_of(hopf + 0.001), kFitzHugh);
  EXPECT_EQ(before.at(0).kind(), "stable focus");
  EXPECT_EQ(after.at(0).kind(), "unstable focus");
  EXPECT_TRUE(before[0].is_stable());
  EXPECT_FALSE(after[0].is_stable());
  EXPECT_EQ(fixed_points(dynamics, current_of(hopf), kFitzHugh).at(0).x.size(), 2U);
}

TEST(PhasePlane, MorrisAndLecarHaveThreeFixedPointsBelowTheSaddleNode) {
  const Dynamics dynamics = dynamics_of("morris_lecar");
  const auto points = fixed_points(dynamics, 30, {{-80, -0.2}, {60, 1}});
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].kind(), "stable node");
  EXPECT_EQ(points[1].kind(), "saddle");
  EXPECT_EQ(points[2].kind(), "unstable focus");
  const auto spiking = fixed_points(dynamics, 45, {{-80, -0.2}, {60, 1}});
  ASSERT_EQ(spiking.size(), 1U) << "node and saddle have merged at 40 uA/cm2";
  EXPECT_FALSE(spiking[0].is_stable());
}

TEST(PhasePlane, IzhikevichHasANodeAndASaddle) {
  // 0.04 V^2 + (5 - b) V + 140 = 0.
  const double b = 0.2, root = std::sqrt((5 - b) * (5 - b) - 4 * 0.04 * 140);
  const auto points = fixed_points(dynamics_of("izhikevich"), 0, {{-90, -40}, {30, 20}});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_NEAR(points[0].x[0], (b - 5 - root) / 0.08, 1e-9);
  EXPECT_NEAR(points[1].x[0], (b - 5 + root) / 0.08, 1e-9);
  EXPECT_NEAR(points[0].x[1], b * points[0].x[0], 1e-9);
  EXPECT_TRUE(points[0].is_stable());
  EXPECT_EQ(points[1].kind(), "saddle");
}

TEST(PhaseLine, QuadraticNeuronsHaveTwoFixedPointsBelowTheirRheobase) {
  const Dynamics dynamics = dynamics_of("qif");
  const auto points = fixed_points(dynamics, 0, {{-90, 0}, {30, 0}});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_NEAR(points[0].x[0], -60, 1e-9);
  EXPECT_NEAR(points[1].x[0], -40, 1e-9);
  EXPECT_NEAR(points[0].eigenvalues[0].real(), 0.7 * -20 / 100, 1e-7);
  EXPECT_EQ(points[0].kind(), "stable");
  EXPECT_EQ(points[1].kind(), "unstable");
  EXPECT_TRUE(fixed_points(dynamics, 71, {{-90, 0}, {30, 0}}).empty()) << "rheobase: 70 pA";
}

TEST(PhaseLine, CountsTheConstantCurrentOfTheModel) {
  EXPECT_TRUE(fixed_points(dynamics_of("qif", "canonical"), 0, {{-9, 0}, {9, 0}}).empty());
  const auto points = fixed_points(dynamics_of("qif", "canonical"), -5, {{-9, 0}, {9, 0}});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_NEAR(points[1].x[0], 2, 1e-9) << "V^2 + 1 - 5 = 0";
}

TEST(Nullclines, AreThoseOfTheEquations) {
  const Dynamics dynamics = dynamics_of("fitzhugh_nagumo");
  const auto cubic = nullcline(dynamics, 0.5, 0, kFitzHugh);
  ASSERT_EQ(cubic.size(), 1U) << "one curve, in one piece";
  for (const auto& [v, w] : cubic[0]) EXPECT_NEAR(w, v - v * v * v / 3 + 0.5, 2e-3);
  const auto line = nullcline(dynamics, 0.5, 1, kFitzHugh);
  ASSERT_EQ(line.size(), 1U);
  for (const auto& [v, w] : line[0]) EXPECT_NEAR(w, (v + 0.7) / 0.8, 1e-9);
  const double low = std::min(line[0].front()[0], line[0].back()[0]);
  const double high = std::max(line[0].front()[0], line[0].back()[0]);
  EXPECT_NEAR(low, 0.8 * -2 - 0.7, 0.03);
  EXPECT_NEAR(high, 0.8 * 3 - 0.7, 0.03);
}

TEST(Nullclines, MayBeSeveralCurves) {
  // V^2 + 1.25 + I = U in a box that cuts the parabola's vertex off.
  const auto curves = nullcline(dynamics_of("izhikevich"), 0, 0, {{-90, -10}, {-35, 10}});
  EXPECT_EQ(curves.size(), 2U);
}

TEST(Dynamics, BelongToTheModelsThatAreDifferentialEquations) {
  EXPECT_EQ(dynamics_of("morris_lecar").states().size(), 2U);
  EXPECT_EQ(dynamics_of("aeif_cond_alpha").states().size(), 2U);
  EXPECT_EQ(dynamics_of("izhikevich").states().size(), 2U);
  EXPECT_EQ(dynamics_of("hh_psc_alpha").states().size(), 4U);
  EXPECT_EQ(dynamics_of("eif").states().size(), 1U);
  EXPECT_TRUE(dynamics_of("lif").states().empty()) << "computed in closed form";
  EXPECT_TRUE(dynamics_of("gif_cond_exp").states().empty())
      << "thresholds step from spike to spike";
  spiking::Population source;
  source.name = "source";
  source.model = "poisson_source";
  testing::expect_error(ErrorKind::config, {"is a source"}, [&] { Dynamics dynamics(source); });
}

}  // namespace
}  // namespace afterspike::single_neuron
