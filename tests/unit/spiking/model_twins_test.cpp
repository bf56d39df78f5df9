// Models for which there are no golden traces against plain integrations of their equations.

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "golden_cases.hpp"
#include "twins.hpp"

namespace afterspike::spiking {
namespace {

using testing::default_population;
using testing::PlainSynapse;
using testing::run_twin;
using testing::Twin;
using testing::TwinInput;
using testing::TwinRun;
using testing::Values;

using States = std::vector<double>;

/// Two receptors at states[first].
struct Synapses {
  PlainSynapse ex, in;

  Synapses(const Values& p, std::size_t first, bool alpha)
      : ex{first, p.at("tau_syn_ex"), alpha},
        in{first + (alpha ? 2 : 1), p.at("tau_syn_in"), alpha} {}

  static std::size_t states(bool alpha) { return alpha ? 4 : 2; }
  void slopes(const States& x, States& dx) const {
    ex.slopes(x, dx);
    in.slopes(x, dx);
  }
  void arrive(States& x, std::size_t receptor, double weight) const {
    (receptor == 0 ? ex : in).arrive(x, weight);
  }
};

class AeifTwin final : public Twin {
 public:
  AeifTwin(const Values& p, bool conductances, bool alpha)
      : p_(p), conductances_(conductances), s_(p, 2, alpha) {
    x.assign(2 + Synapses::states(alpha), 0);
    x[0] = p_.at("V_m");
    x[1] = p_.at("w");
    C_ = p_.at("C_m");
    g_ = p_.at("g_L");
    E_ = p_.at("E_L");
    V_T_ = p_.at("V_th");
    Delta_ = p_.at("Delta_T");
    a_ = p_.at("a");
    tau_w_ = p_.at("tau_w");
    E_ex_ = conductances ? p_.at("E_ex") : 0;
    E_in_ = conductances ? p_.at("E_in") : 0;
  }
  void slopes(const States& at, double current, States& dx) const override {
    const double V = at[0], ex = at[s_.ex.at], in = at[s_.in.at];
    const double synaptic = conductances_ ? ex * (E_ex_ - V) + in * (E_in_ - V) : ex + in;
    dx[0] = (-g_ * (V - E_) + g_ * Delta_ * std::exp((V - V_T_) / Delta_) + synaptic - at[1] +
             p_.at("I_e") + current) /
            C_;
    dx[1] = (a_ * (V - E_) - at[1]) / tau_w_;
    s_.slopes(at, dx);
  }
  void arrive(std::size_t receptor, double weight) override { s_.arrive(x, receptor, weight); }
  double peak() const override { return p_.at("V_peak"); }
  void reset() override {
    x[0] = p_.at("V_reset");
    x[1] += p_.at("b");
  }

 private:
  Values p_;
  bool conductances_;
  Synapses s_;
  double C_, g_, E_, V_T_, Delta_, a_, tau_w_, E_ex_, E_in_;
};

/// Rates of Traub and Miles 1991 as printed.
class TraubTwin final : public Twin {
 public:
  explicit TraubTwin(const Values& p) : p_(p), s_(p, 4, false) {
    x.assign(6, 0);
    x[0] = p_.at("V_m");
    set_rates(x[0]);
    for (std::size_t gate = 0; gate < 3; ++gate)
      x[1 + gate] = alpha_[gate] / (alpha_[gate] + beta_[gate]);
  }
  void slopes(const States& at, double current, States& dx) const override {
    const double V = at[0], m = at[1], h = at[2], n = at[3];
    set_rates(V);
    const double Na = p_.at("g_Na") * m * m * m * h * (V - p_.at("E_Na"));
    const double K = p_.at("g_K") * n * n * n * n * (V - p_.at("E_K"));
    const double L = p_.at("g_L") * (V - p_.at("E_L"));
    const double synaptic = at[4] * (V - p_.at("E_ex")) + at[5] * (V - p_.at("E_in"));
    dx[0] = (-Na - K - L - synaptic + p_.at("I_e") + current) / p_.at("C_m");
    for (std::size_t gate = 0; gate < 3; ++gate) {
      dx[1 + gate] = alpha_[gate] * (1 - at[1 + gate]) - beta_[gate] * at[1 + gate];
    }
    s_.slopes(at, dx);
  }
  void arrive(std::size_t receptor, double weight) override { s_.arrive(x, receptor, weight); }
  bool holds() const override { return false; }
  bool fires(double before) const override { return x[0] >= p_.at("V_T") + 30 && before > x[0]; }
  void reset() override {}

 private:
  void set_rates(double V) const {
    const double u = V - p_.at("V_T");
    alpha_[0] = 0.32 * (13 - u) / (std::exp((13 - u) / 4) - 1);
    beta_[0] = 0.28 * (u - 40) / (std::exp((u - 40) / 5) - 1);
    alpha_[1] = 0.128 * std::exp((17 - u) / 18);
    beta_[1] = 4 / (1 + std::exp((40 - u) / 5));
    alpha_[2] = 0.032 * (15 - u) / (std::exp((15 - u) / 5) - 1);
    beta_[2] = 0.5 * std::exp((10 - u) / 40);
  }

  Values p_;
  Synapses s_;
  mutable double alpha_[3], beta_[3];
};

class GifCondTwin final : public Twin {
 public:
  GifCondTwin(const Values& p, double dt) : p_(p), dt_(dt), s_(p, 1, false) {
    x.assign(3, 0);
    x[0] = p_.at("V_m");
  }
  void slopes(const States& at, double current, States& dx) const override {
    const double V = at[0];
    dx[0] = (-p_.at("g_L") * (V - p_.at("E_L")) - at[1] * (V - p_.at("E_ex")) -
             at[2] * (V - p_.at("E_in")) - stc_[0] - stc_[1] + p_.at("I_e") + current) /
            p_.at("C_m");
    s_.slopes(at, dx);
  }
  void arrive(std::size_t receptor, double weight) override { s_.arrive(x, receptor, weight); }
  bool holds() const override { return true; }
  void reset() override {}
  bool ends_itself() const override { return true; }
  bool end_step(bool ready, double random) override {
    if (!ready) x[0] = p_.at("V_reset");
    const double threshold = p_.at("V_T_star") + sfa_[0] + sfa_[1];
    const double rate = p_.at("lambda_0") / 1000 * std::exp((x[0] - threshold) / p_.at("Delta_V"));
    const bool fired = ready && random < 1 - std::exp(-rate * dt_);
    for (int j = 0; j < 2; ++j) {
      const std::string index = "[" + std::to_string(j) + "]";
      stc_[j] *= std::exp(-dt_ / p_.at("tau_stc" + index));
      sfa_[j] *= std::exp(-dt_ / p_.at("tau_sfa" + index));
      if (fired) stc_[j] += p_.at("q_stc" + index);
      if (fired) sfa_[j] += p_.at("q_sfa" + index);
    }
    return fired;
  }

 private:
  Values p_;
  double dt_;
  Synapses s_;
  double stc_[2] = {0, 0}, sfa_[2] = {0, 0};
};

/// A leaky membrane whose threshold follows a convolution of dV/dt, which is summed up anew in each
/// step by Simpson's rule.
class Amat2Twin final : public Twin {
 public:
  Amat2Twin(const Values& p, double dt) : p_(p), dt_(dt), s_(p, 1, false) {
    x.assign(3, 0);
    x[0] = p_.at("V_m");
  }
  void begin_step(double current) override {
    begin_ = x;
    current_ = current;
  }
  void slopes(const States& at, double current, States& dx) const override {
    dx[0] = -(at[0] - p_.at("E_L")) / p_.at("tau_m") +
            (at[1] + at[2] + p_.at("I_e") + current) / p_.at("C_m");
    s_.slopes(at, dx);
  }
  void arrive(std::size_t receptor, double weight) override { s_.arrive(x, receptor, weight); }
  bool holds() const override { return false; }
  void reset() override {}
  bool ends_itself() const override { return true; }
  bool end_step(bool ready, double /*random*/) override {
    add_slopes();
    for (int j = 0; j < 2; ++j) th_[j] *= std::exp(-dt_ / p_.at(j == 0 ? "tau_1" : "tau_2"));
    const bool fired = ready && x[0] >= p_.at("omega") + th_[0] + th_[1] + moving_part();
    for (int j = 0; j < 2 && fired; ++j) th_[j] += p_.at(j == 0 ? "alpha_1" : "alpha_2");
    return fired;
  }

 private:
  static constexpr int kNodes = 4;

  /// Appends dV/dt at the nodes of the step.
  void add_slopes() {
    Amat2Twin node(p_, dt_);
    States dx(3);
    node.x = begin_;
    for (int at = 0; at <= kNodes; ++at) {
      if (at > 0) testing::advance_twin(node, current_, dt_ / kNodes, dt_ / 20, false);
      slopes(node.x, current_, dx);
      slopes_.push_back(dx[0]);
    }
  }
  /// beta times the integral of s exp(-s / tau_v) dV/dt(t - s) ds.
  double moving_part() const {
    const double tau = p_.at("tau_v"), h = dt_ / kNodes;
    const std::size_t steps = slopes_.size() / (kNodes + 1);
    double sum = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      for (int node = 0; node <= kNodes; ++node) {
        const double ago = static_cast<double>(steps - step) * dt_ - h * node;
        const double weight = node == 0 || node == kNodes ? 1 : (node % 2 == 1 ? 4 : 2);
        sum += weight * ago * std::exp(-ago / tau) *
               slopes_[step * (kNodes + 1) + static_cast<std::size_t>(node)];
      }
    }
    return p_.at("beta") * sum * h / 3;
  }

  Values p_;
  double dt_;
  Synapses s_;
  double current_ = 0, th_[2] = {0, 0};
  States slopes_, begin_;
};

class SfaRrTwin final : public Twin {
 public:
  explicit SfaRrTwin(const Values& p) : p_(p), s_(p, 3, false) {
    x.assign(5, 0);
    x[0] = p_.at("V_m");
  }
  void slopes(const States& at, double current, States& dx) const override {
    const double V = at[0];
    dx[0] = (-p_.at("g_L") * (V - p_.at("E_L")) - at[1] * (V - p_.at("E_sfa")) -
             at[2] * (V - p_.at("E_rr")) - at[3] * (V - p_.at("E_ex")) -
             at[4] * (V - p_.at("E_in")) + p_.at("I_e") + current) /
            p_.at("C_m");
    dx[1] = -at[1] / p_.at("tau_sfa");
    dx[2] = -at[2] / p_.at("tau_rr");
    s_.slopes(at, dx);
  }
  void arrive(std::size_t receptor, double weight) override { s_.arrive(x, receptor, weight); }
  bool fires(double /*before*/) const override { return x[0] >= p_.at("V_th"); }
  void reset() override {
    x[0] = p_.at("V_reset");
    x[1] += p_.at("q_sfa");
    x[2] += p_.at("q_rr");
  }

 private:
  Values p_;
  Synapses s_;
};

/// One receptor, which moves the voltage.
class AeifDeltaTwin final : public Twin {
 public:
  explicit AeifDeltaTwin(const Values& p) : p_(p) { x = {p_.at("V_m"), p_.at("w")}; }
  void slopes(const States& at, double current, States& dx) const override {
    const double above = at[0] - p_.at("E_L"), g = p_.at("g_L"), Delta = p_.at("Delta_T");
    dx[0] = (-g * above + g * Delta * std::exp((at[0] - p_.at("V_th")) / Delta) - at[1] +
             p_.at("I_e") + current) /
            p_.at("C_m");
    dx[1] = (p_.at("a") * above - at[1]) / p_.at("tau_w");
  }
  void arrive(std::size_t /*receptor*/, double weight) override { x[0] += weight; }
  bool is_delta(std::size_t /*receptor*/) const override { return true; }
  double peak() const override { return p_.at("V_peak"); }
  void reset() override {
    x[0] = p_.at("V_reset");
    x[1] += p_.at("b");
  }

 private:
  Values p_;
};

struct Entry {
  std::string model;
  Values changed;  ///< Parameters that are not defaults.
  double current, weight_ex, weight_in, dt;
  double allowed_mV;  ///< Where V moves by less than 0.5 mV in a step.
  std::function<std::unique_ptr<Twin>(const Values&, double dt)> make;
};

/// A maker of twins of this type.
template <typename T, typename... Args>
auto twin(Args... args) {
  return [=](const Values& p, double /*dt*/) -> std::unique_ptr<Twin> {
    return std::make_unique<T>(p, args...);
  };
}
template <typename T>
auto twin_on_grid() {
  return [](const Values& p, double dt) -> std::unique_ptr<Twin> {
    return std::make_unique<T>(p, dt);
  };
}

const Values kGif = {{"lambda_0", 1000}, {"V_T_star", -50}, {"Delta_V", 2},  {"q_stc[0]", 30},
                     {"q_stc[1]", -5},   {"q_sfa[0]", 5},   {"q_sfa[1]", 2}, {"V_reset", -60},
                     {"C_m", 83.1},      {"g_L", 3.7}};

std::vector<Entry> entries() {
  return {
      {"aeif_cond_alpha", {}, 900, 30, 20, 0.05, 1e-3, twin<AeifTwin>(true, true)},
      {"aeif_cond_alpha", {{"t_ref", 1.7}}, 900, 30, 20, 0.05, 1e-3, twin<AeifTwin>(true, true)},
      {"iaf_cond_exp_sfa_rr", {}, 900, 20, 20, 0.1, 1e-4, twin<SfaRrTwin>()},
      {"aeif_psc_alpha", {}, 900, 300, -300, 0.1, 1e-3, twin<AeifTwin>(false, true)},
      {"aeif_psc_delta", {{"t_ref", 1.7}}, 900, 2, -3, 0.1, 1e-3, twin<AeifDeltaTwin>()},
      {"hh_cond_exp_traub", {}, 500, 20, 20, 0.01, 5e-4, twin<TraubTwin>()},
      {"gif_cond_exp", kGif, 80, 2, 2, 0.1, 1e-6, twin_on_grid<GifCondTwin>()},
      {"amat2_psc_exp", {{"beta", 0.3}}, 200, 300, -300, 0.1, 1e-8, twin_on_grid<Amat2Twin>()}};
}

constexpr double kOn_ms = 5, kOff_ms = 80, kEnd_ms = 100;

/// Times of input spikes, which arrive 1 ms later.
const std::vector<std::vector<double>> kTrains = {{10, 10.4, 31, 55.2, 82, 82.2, 90},
                                                  {22, 40.6, 41, 84}};

Values values_of(const Population& neuron) {
  Values values;
  for (const Parameter& parameter : model(neuron.model).parameters) {
    values[std::string(parameter.symbol)] = neuron.column(parameter.name)[0];
  }
  return values;
}

Population neuron_of(const std::string& name, const Values& changed) {
  Population neuron = default_population("neuron", name);
  for (const Parameter& parameter : model(name).parameters) {
    const auto found = changed.find(std::string(parameter.symbol));
    if (found != changed.end()) neuron.columns[std::string(parameter.name)] = {found->second};
  }
  return neuron;
}

TwinRun found_run(Population neuron, double current, const std::vector<double>& weights,
                  double dt) {
  const std::int64_t receptors = neuron.receptors;
  Network network;
  network.time_step_ms = dt;
  network.populations = {std::move(neuron), testing::train_source("input", kTrains)};
  std::vector<Synapse> synapses;
  for (std::size_t train = 0; train < weights.size(); ++train) {
    const auto source = static_cast<std::int64_t>(train);
    synapses.push_back(
        {source, 0, weights[train], 1, static_cast<std::uint8_t>(std::min(source, receptors - 1))});
  }
  network.projections.push_back(make_projection(network.populations, 1, 0, synapses));
  network.step_currents.push_back({0, {}, {kOn_ms, kOff_ms}, {current, 0}});
  Simulation simulation(std::move(network), {1});
  simulation.record("neuron", "V", dt);
  simulation.run_until(kEnd_ms);
  TwinRun run{simulation.recording(0).values, {}};
  for (const Spike& spike : simulation.spikes()) {
    run.spikes.push_back(std::llround(spike.time_ms / dt));
  }
  return run;
}

TwinInput input_of(double current, const std::vector<double>& weights, double dt) {
  TwinInput input{current, std::llround(kOn_ms / dt), std::llround(kOff_ms / dt), {}};
  for (std::size_t train = 0; train < weights.size(); ++train) {
    for (const double time : kTrains[train]) {
      input.spikes.push_back({std::llround((time + 1) / dt), train, weights[train]});
    }
  }
  std::sort(input.spikes.begin(), input.spikes.end(),
            [](const auto& one, const auto& other) { return one.step < other.step; });
  return input;
}

/// The numbers that the neuron draws, one in each step.
std::vector<double> draws(std::int64_t steps) {
  Rng rng = Rng(1).stream("escape").stream("neuron").stream("neuron", 0);
  std::vector<double> random;
  for (std::int64_t step = 0; step < steps; ++step) random.push_back(rng.uniform());
  return random;
}

TEST(ModelTwins, SpikeAndMoveAsTheirEquations) {
  for (const Entry& entry : entries()) {
    SCOPED_TRACE(entry.model);
    const Population neuron = neuron_of(entry.model, entry.changed);
    const Values values = values_of(neuron);
    const std::vector<double> weights = {entry.weight_ex, entry.weight_in};
    const TwinRun found = found_run(neuron, entry.current, weights, entry.dt);
    const auto plain = entry.make(values, entry.dt);
    const std::int64_t steps = std::llround(kEnd_ms / entry.dt);
    const double t_ref = values.contains("t_ref") ? values.at("t_ref") : 0;
    const TwinRun expected = run_twin(*plain, input_of(entry.current, weights, entry.dt), entry.dt,
                                      steps, t_ref, draws(steps));
    EXPECT_GE(expected.spikes.size(), 3U);
    EXPECT_EQ(found.spikes, expected.spikes);
    double error = 0;
    for (std::size_t at = 1; at + 1 < expected.voltages.size(); ++at) {
      const double before = expected.voltages[at - 1], after = expected.voltages[at + 1];
      if (std::max(std::abs(before - expected.voltages[at]),
                   std::abs(after - expected.voltages[at])) > 0.5) {
        continue;
      }
      error = std::max(error, std::abs(found.voltages.at(at) - expected.voltages[at]));
    }
    EXPECT_LT(error, entry.allowed_mV);
    std::printf("%-24s %zu spikes, V %.2g mV\n", entry.model.c_str(), expected.spikes.size(),
                error);
  }
}

double phi(const Values& p, double V) {
  const double above = p.at("gamma") * (V - p.at("V_T"));
  return above > 0 ? std::pow(above, p.at("r")) : 0;
}

/// The rules of Galves and Loecherbach, step by step.
TwinRun galves_loecherbach(const Values& p, const TwinInput& input, double dt, std::int64_t steps,
                           bool leaky) {
  const std::vector<double> random = draws(steps);
  TwinRun run;
  double V = p.at("V_m"), waiting = 0;
  std::size_t next = 0;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const bool on = step > input.from_step && step <= input.until_step;
    const double current = p.at("I_e") + (on ? input.current : 0);
    double arriving = 0;
    for (; next < input.spikes.size() && input.spikes[next].step == step; ++next) {
      arriving += input.spikes[next].weight;
    }
    const bool ready = waiting <= 0;
    if (leaky && ready) {
      const double keep = std::exp(-dt / p.at("tau_m"));
      V = p.at("E_L") + (V - p.at("E_L")) * keep + current * p.at("tau_m") * (1 - keep) + arriving;
    } else if (!leaky) {
      V = ready ? p.at("mu") * V + current + arriving : p.at("V_reset");
    }
    const double probability = leaky ? 1 - std::exp(-phi(p, V) * dt) : phi(p, V);
    const bool fired =
        (ready || !leaky) && random[static_cast<std::size_t>(step - 1)] < probability;
    waiting = std::max(waiting - 1, 0.0);
    if (fired) run.spikes.push_back(step);
    if (fired) waiting = leaky ? std::ceil(p.at("t_ref") / dt - 1e-9) : 1;
    if (fired && leaky) V = p.at("V_reset");
    run.voltages.push_back(V);
  }
  return run;
}

TEST(ModelTwins, GalvesLoecherbachFollowsItsRule) {
  const Values discrete = {{"gamma", 0.05}, {"V_T", 1}, {"r", 1.5}, {"V_reset", -1}, {"I_e", 0.3}};
  const Values leaky = {{"gamma", 0.08}, {"V_T", 1},   {"r", 1.3},  {"V_reset", -2},
                        {"E_L", -1},     {"t_ref", 2}, {"I_e", 0.5}};
  for (const bool is_leaky : {false, true}) {
    const std::string name = is_leaky ? "galves_loecherbach_leaky" : "galves_loecherbach";
    SCOPED_TRACE(name);
    const double dt = 0.1, current = is_leaky ? 1 : 0.5;
    const Population neuron = neuron_of(name, is_leaky ? leaky : discrete);
    const TwinRun found = found_run(neuron, current, {3}, dt);
    const TwinRun expected =
        galves_loecherbach(values_of(neuron), input_of(current, {3}, dt), dt, 1000, is_leaky);
    EXPECT_GE(expected.spikes.size(), 10U);
    EXPECT_EQ(found.spikes, expected.spikes);
    for (std::size_t at = 0; at < expected.voltages.size(); ++at) {
      ASSERT_NEAR(found.voltages.at(at), expected.voltages[at], 1e-11);
    }
  }
}

}  // namespace
}  // namespace afterspike::spiking
