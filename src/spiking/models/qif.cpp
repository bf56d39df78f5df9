#include "exact/exact_rule.hpp"
#include "exact/quadratic.hpp"
#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/qif.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct Qif : OdeModel {
  enum : std::size_t {
    C_m,
    k,
    V_r,
    V_t,
    V_peak,
    V_reset,
    t_ref,
    tau_syn,
    I_e,
    V_m,
    per_C,
    kCoefficients
  };
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::delta};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn, tau_syn};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kPeak = true, kExactRefractory = true;

  static void prepare(double* c, double /*dt_ms*/) { c[per_C] = 1 / c[C_m]; }
  static void initial(const double* c, double* x) { x[0] = c[V_m]; }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    dx[0] = (c[k] * (x[0] - c[V_r]) * (x[0] - c[V_t]) + s[0] + current) * c[per_C];
  }
  template <typename V>
  static HWY_INLINE V peak(const Coefficients<V>& c) {
    return c[V_peak];
  }
  template <typename Fired, typename V>
  static HWY_INLINE void reset(Fired fired, V* x, const Coefficients<V>& c) {
    x[0] = select(fired, c[V_reset], x[0]);
  }
};

void qif(OdeStep& step) {
  advance_ode<Qif>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(qif);

namespace {

/// Between events V - (V_r + V_t) / 2 = u obeys u' = k / C_m (u^2 + m), which is solved in closed
/// form. A state is V and the current.
class ExactQif final : public ExactRule {
 public:
  using M = HWY_NAMESPACE::Qif;

  ExactQif(const Layout& layout, const Piece& piece) : parameters_(parameter_rows(layout, piece)) {
    refuse_receptor(layout, piece.population, 0, "Use receptor 'voltage', or the grid engine.");
  }

  std::int64_t state_size() const override { return 8; }
  void initial_state(std::int64_t neuron, double* state) const override {
    std::fill_n(state, state_size(), 0.0);
    state[kVoltage] = of(neuron)[M::V_m];
  }
  void set_current(std::int64_t neuron, double* state, double injected) const override {
    state[kCurrent] = of(neuron)[M::I_e] + injected;
  }
  void propagate(std::int64_t neuron, const double* from, double time, double* to) const override {
    const double* p = of(neuron);
    const double m = drive(p, from), x = time * p[M::k] / p[M::C_m];
    const double voltage = middle(p) + QuadraticFlow(m, x)(m, from[kVoltage] - middle(p));
    std::copy_n(from, state_size(), to);
    to[kVoltage] = voltage;
  }
  void receive(std::int64_t /*neuron*/, double* state, std::int64_t /*receptor*/, double weight,
               double age) const override {
    if (age == 0) state[kVoltage] += weight;  // Events during refractoriness are lost.
  }
  void spike(std::int64_t neuron, double* state) const override {
    state[kVoltage] = of(neuron)[M::V_reset];
  }
  double refractory(std::int64_t neuron) const override { return of(neuron)[M::t_ref]; }

  void changed(std::int64_t neuron, double* state, Outlook& outlook) const override {
    const double* p = of(neuron);
    double time = 0;
    if (state[kVoltage] < p[M::V_peak]) {
      time =
          quadratic_time(drive(p, state), state[kVoltage] - middle(p), p[M::V_peak] - middle(p)) *
          p[M::C_m] / p[M::k];
    }
    outlook.quiet_until = outlook.time + time;
    outlook.spikes = std::isfinite(time);
  }
  void look_ahead(std::int64_t, double*, Outlook&) const override {}  // changed() sees all.

  double value(std::int64_t neuron, const double* state, double later,
               std::size_t variable) const override {
    if (variable != 0) return 0;  // There are no synaptic currents.
    double now[8];
    propagate(neuron, state, std::max(later, 0.0), now);  // Held during refractoriness.
    return now[kVoltage];
  }

 private:
  enum Place : std::size_t { kVoltage, kCurrent };

  const double* of(std::int64_t neuron) const {
    return parameters_[static_cast<std::size_t>(neuron)].data();
  }
  static double middle(const double* p) { return 0.5 * (p[M::V_r] + p[M::V_t]); }
  static double drive(const double* p, const double* state) {
    const double half = 0.5 * (p[M::V_t] - p[M::V_r]);
    return state[kCurrent] / p[M::k] - half * half;
  }

  std::vector<std::vector<double>> parameters_;
};

}  // namespace

ModelEntry entry_qif() {
  Model model;
  model.parameters = {parameter("capacitance", "C_m", "pF", 100, Range::positive),
                      parameter("gain", "k", "nS/mV", 0.7, Range::positive),
                      parameter("resting_potential", "V_r", "mV", -60),
                      parameter("threshold", "V_t", "mV", -40),
                      parameter("peak", "V_peak", "mV", 35),
                      parameter("reset", "V_reset", "mV", -50),
                      parameter("refractory", "t_ref", "ms", 0, Range::not_negative),
                      parameter("synaptic_time_constant", "tau_syn", "ms", 3, Range::positive),
                      parameter("constant_current", "I_e", "pA", 0),
                      parameter("initial_potential", "V_m", "mV", -60)};
  model.receptors = {{"current", "pA", SynapseShape::exponential},
                     {"voltage", "mV", SynapseShape::delta}};
  model.variables = {{"V", "mV"}, {"I_syn", "pA"}};
  model.presets = {{"canonical",
                    "Ermentrout and Kopell 1986: tau V' = V^2 + I, dimensionless",
                    {{"C_m", {10}},
                     {"k", {1}},
                     {"V_r", {0}},
                     {"V_t", {0}},
                     {"V_peak", {100}},
                     {"V_reset", {-100}},
                     {"I_e", {1}},
                     {"V_m", {0}}}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(qif, Qif);
  model.make_exact = [](const Layout& layout, const Piece& piece) -> std::unique_ptr<ExactRule> {
    return std::make_unique<ExactQif>(layout, piece);
  };
  model.exact_limit = "without synapses at receptor `current`";
  return {"qif", "quadratic integrate-and-fire", std::move(model),
          "C_m dV/dt = k (V - V_r) (V - V_t) + I_syn + I_e + I\n\n"
          "Spikes of weight w add w to I_syn, which decays with tau_syn, at receptor current, and "
          "w to V at receptor"
          " voltage. Where V reaches V_peak the neuron spikes; V stays at V_reset for t_ref, which "
          "may end within a step.",
          "Ermentrout and Kopell 1986; Izhikevich 2007, chapter 3"};
}

}  // namespace afterspike::spiking
#endif
