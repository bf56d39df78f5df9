#include "exact/linear_rule.hpp"
#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/galves_loecherbach_leaky.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct GalvesLoecherbachLeaky : OdeModel {
  enum : std::size_t {
    tau_m,
    E_L,
    gain,
    V_T,
    exponent,
    V_reset,
    t_ref,
    I_e,
    V_m,
    P_V,
    P_I,
    dt,
    kCoefficients
  };
  static constexpr std::array kShapes = {SynapseShape::delta};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kRandom = true;

  static void prepare(double* c, double dt_ms) {
    c[P_V] = std::exp(-dt_ms / c[tau_m]);
    c[P_I] = -std::expm1(-dt_ms / c[tau_m]) * c[tau_m];
    c[dt] = dt_ms;
  }
  static void initial(const double* c, double* x) { x[0] = c[V_m]; }

  /// (gain (V - V_T))^exponent, 0 below V_T.
  static HWY_INLINE Vec phi(Vec v, const Coefficients<Vec>& c) {
    const Vec above = c[gain] * (v - c[V_T]);
    const Vec power = exp(c[exponent] * log(max(above, Vec(1e-300))));
    return select(above > Vec(0), power, Vec(0));
  }

  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    const Vec v = c[E_L] + (x[0] - c[E_L]) * c[P_V] + e.current * c[P_I] + e.arriving[0];
    const Mask ready = e.waiting <= Vec(0);
    x[0] = select(ready, v, x[0]);
    const Mask fired = ready & (e.random < one_minus_exp(phi(x[0], c) * c[dt]));
    x[0] = select(fired, c[V_reset], x[0]);
    e.waiting = select(fired, e.refractory, max(e.waiting - 1, Vec(0)));
    return fired;
  }
};

void galves_loecherbach_leaky(OdeStep& step) {
  advance_steps<GalvesLoecherbachLeaky>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(galves_loecherbach_leaky);

namespace {

/// The injected current and V - E_L.
LinearNeuron exact_galves_loecherbach(const double* p) {
  using M = HWY_NAMESPACE::GalvesLoecherbachLeaky;
  enum : std::size_t { current, V };
  LinearNeuron n;
  n.rates = {0, 1 / p[M::tau_m]};
  n.couplings[V][current] = 1;
  n.initial[V] = p[M::V_m] - p[M::E_L];
  n.drive = {p[M::E_L] - p[M::V_T], {0, 1}};
  n.variables = {{p[M::E_L], {0, 1}}};
  n.factors[V] = 0;
  n.jumps[V] = p[M::V_reset] - p[M::E_L];
  n.constant_current = p[M::I_e];
  n.refractory = p[M::t_ref];
  n.search = 0.25 * p[M::tau_m];
  n.hazard = {p[M::gain], p[M::exponent]};
  return n;
}

/// Does not decrease with the drive.
double galves_loecherbach_hazard(const std::array<double, 3>& p, double drive) {
  return drive > 0 ? std::pow(p[0] * drive, p[1]) : 0;
}

}  // namespace

ModelEntry entry_galves_loecherbach_leaky() {
  Model model;
  model.parameters = {parameter("membrane_time_constant", "tau_m", "ms", 10, Range::positive),
                      parameter("resting_potential", "E_L", "mV", 0),
                      parameter("gain", "gamma", "1/mV", 0.1, Range::not_negative),
                      parameter("threshold", "V_T", "mV", 0),
                      parameter("exponent", "r", "1", 1, Range::positive),
                      parameter("reset", "V_reset", "mV", 0),
                      parameter("refractory", "t_ref", "ms", 0, Range::not_negative),
                      parameter("constant_current", "I_e", "mV/ms", 0),
                      parameter("initial_potential", "V_m", "mV", 0)};
  model.receptors = {{"voltage", "mV", SynapseShape::delta}};
  model.variables = {{"V", "mV"}};
  model.current_unit = "mV/ms";
  model.make_grid = AFTERSPIKE_ODE_GRID(galves_loecherbach_leaky, GalvesLoecherbachLeaky);
  model.make_exact = [](const Layout& layout, const Piece& piece) {
    return make_linear_rule(layout, piece,
                            {.neuron = exact_galves_loecherbach,
                             .receptors = {1},
                             .held = {1},
                             .hazard = galves_loecherbach_hazard});
  };
  return {"galves_loecherbach_leaky", "Galves and Loecherbach in continuous time, with a leak",
          std::move(model),
          "dV/dt = -(V - E_L) / tau_m + I_e + I\n\n"
          "The rate of spikes is (gamma (V - V_T))^r per ms, 0 below V_T: a step spikes with "
          "probability 1 - exp(-rate"
          " dt). Then V = V_reset for t_ref. A spike of weight w adds w to V.",
          "Galves and Loecherbach 2013; De Masi et al. 2015"};
}

}  // namespace afterspike::spiking
#endif
