// Models of equations against their continuous solutions (SciPy, 1e-11), and the order at which
// they converge to them.

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden_cases.hpp"

namespace afterspike::spiking {
namespace {

using testing::default_population;
using testing::golden_cases;
using testing::golden_network;
using testing::golden_parameters;
using testing::golden_spiking;
using testing::GoldenCase;
using testing::set_golden;
using testing::spike_times;

/// The model that has the equations of a group, and the finest step.
struct Match {
  std::string model;
  double finest_ms = 0.01;
};

/// NEST's rules round spikes (iaf_cond_exp) or integrate by forward Euler (izhikevich): with these
/// steps they err by less than 0.02 ms, too.
const std::map<std::string, Match> kMatches = {
    {"qif", {"qif"}},
    {"eif", {"eif", 2e-3}},
    {"adex", {"aeif_psc_exp"}},
    {"fhn", {"fitzhugh_nagumo"}},
    {"theta", {"theta"}},
    {"morris_lecar", {"morris_lecar"}},
    {"hh", {"hh_psc_alpha"}},
    {"lif_cond", {"iaf_cond_exp", 5e-4}},
    {"izhikevich", {"izhikevich", 5e-5}},
    {"lif_gap", {}},  // golden_gap_test.cpp
    {"hh_gap", {}},   // golden_gap_test.cpp
};

/// "irregular" is chaotic: neighbouring trajectories part after ten spikes.
const std::string kChaoticRegime = "/adex/irregular";

/// A population with the parameters of a group, which begins where its solution does.
Population neuron_of(const io::Hdf5File& file, const GoldenCase& one, const std::string& name) {
  nlohmann::json p = golden_parameters(file, one.group);
  const std::map<std::string, std::string> own = {{"C", "C_m"},  {"Vr", "V_r"},
                                                  {"Vt", "V_t"}, {"tau", "C_m"},
                                                  {"I", "I_e"},  {"tau_syn", "tau_syn_ex"}};
  const nlohmann::json given = p;
  for (const auto& [from, to] : own) {
    if (given.contains(from)) p[to] = given.at(from);
  }
  if (given.contains("tau_syn")) p["tau_syn_in"] = given.at("tau_syn");
  if (one.model == "izhikevich") p["I_e"] = 0;
  if (one.group == "/qif/canonical") {
    p["k"] = 1;
    p["V_r"] = p["V_t"] = 0;
  }
  for (const char* state : {"V_m", "w", "n", "U_m", "theta"}) {
    const std::string path = one.group + "/" + state;
    if (file.exists(path)) p[state] = file.read<double>(path).values.at(0);
  }
  Population neuron = default_population("neuron", name);
  set_golden(neuron, p);
  return neuron;
}

/// Both trains go to the first receptor where there is one time constant, as in the references.
Network network_of(const io::Hdf5File& file, const GoldenCase& one, const std::string& name) {
  Network network = golden_network(file, one.group, neuron_of(file, one, name), 0);
  for (Projection& projection : network.projections) {
    if (name == "qif") projection.receptors = {0};
  }
  return network;
}

TEST(GoldenOde, SpikesAreThoseOfTheContinuousEquations) {
  AFTERSPIKE_NEED_GOLDEN("golden_ode_neurons.h5");
  const io::Hdf5File file(golden_spiking("golden_ode_neurons.h5"));
  int compared = 0;
  for (const GoldenCase& one : golden_cases(file)) {
    SCOPED_TRACE(one.group);
    ASSERT_TRUE(kMatches.contains(one.model)) << "no test knows this model";
    const Match& match = kMatches.at(one.model);
    if (match.model.empty()) continue;
    Options options{1};
    options.dt_ms = match.finest_ms;
    Simulation simulation(network_of(file, one, match.model), options);
    simulation.run_until(file.attribute<double>(one.group, "T").values.at(0));
    auto expected = file.read<double>(one.group + "/spike_times").values;
    auto found = spike_times(simulation.spikes());
    if (one.group == kChaoticRegime) {
      expected.resize(10);
      found.resize(std::min<std::size_t>(found.size(), 10));
    }
    // There the current ends on an upstroke. V falls at once, which by NEST's rule is a spike and
    // by the reference's, a maximum with V' = 0, is none.
    if (one.group == "/hh/squid_steps" && found.back() > 400) found.pop_back();
    double latest = 0;
    EXPECT_EQ(found.size(), expected.size());
    for (std::size_t at = 0; at < std::min(found.size(), expected.size()); ++at) {
      latest = std::max(latest, std::abs(found[at] - expected[at]));
    }
    EXPECT_LT(latest, 0.02);
    std::printf("%-34s %g ms\n", one.group.c_str(), latest);
    ++compared;
  }
  EXPECT_GE(compared, 25);
}

/// The greatest error of V at multiples of 0.8 ms until a time, in steps of dt.
double error_until(const io::Hdf5File& file, const GoldenCase& one, const std::string& name,
                   double dt, double from, double until) {
  Options options{1};
  options.dt_ms = dt;
  Simulation simulation(network_of(file, one, name), options);
  simulation.record("neuron", "V", 0.8);
  simulation.run_until(until);
  const auto expected = file.read<double>(one.group + "/V_m").values;
  double error = 0;
  const auto& recording = simulation.recording(0);
  for (std::size_t at = 0; at < recording.values.size(); ++at) {
    if (recording.times_ms[at] < from) continue;
    error = std::max(error, std::abs(recording.values[at] - expected.at(8 * (at + 1))));
  }
  return error;
}

struct Order {
  std::string group, model;
  double from, until;  ///< ms
  double least;        ///< Order between the two steps.
};

TEST(GoldenOde, ConvergesAtOrderFourBetweenSpikesAndTwoAcross) {
  AFTERSPIKE_NEED_GOLDEN("golden_ode_neurons.h5");
  const io::Hdf5File file(golden_spiking("golden_ode_neurons.h5"));
  const Order orders[] = {
      {"/fhn/tonic", "fitzhugh_nagumo", 0, 200, 3.9},  // A limit cycle without resets.
      {"/qif/tonic", "qif", 80, 100, 3.9},             // Up to the first spike.
      {"/qif/tonic", "qif", 105.6, 200, 2},            // Across three spikes.
      {"/adex/tonic", "aeif_psc_exp", 64.8, 144, 2},   // Across nine.
  };
  for (const Order& order : orders) {
    SCOPED_TRACE(order.group);
    const GoldenCase one{order.group, order.model};
    const double coarse = error_until(file, one, order.model, 0.1, order.from, order.until);
    const double fine = error_until(file, one, order.model, 0.05, order.from, order.until);
    std::printf("%s: %.3g mV at 0.1 ms, %.3g at 0.05\n", order.group.c_str(), coarse, fine);
    EXPECT_GT(std::log2(coarse / fine), order.least);
  }
}

}  // namespace
}  // namespace afterspike::spiking
