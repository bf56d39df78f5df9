#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/fitzhugh_nagumo.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct FitzHughNagumo : OdeModel {
  enum : std::size_t { a, b, eps, V_th, tau_syn, I_e, v0, w0, kCoefficients };
  static constexpr std::size_t kStates = 2;
  static constexpr std::array kShapes = {SynapseShape::exponential};
  static constexpr std::array<std::size_t, 1> kTimeConstants = {tau_syn};
  static constexpr int kCurrent = I_e;
  static constexpr bool kHolds = false;
  static constexpr double kScale = 0.01;

  static void initial(const double* c, double* x) {
    x[0] = c[v0];
    x[1] = c[w0];
  }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    dx[0] = x[0] - x[0] * x[0] * x[0] * (1.0 / 3) - x[1] + s[0] + current;
    dx[1] = c[eps] * (x[0] + c[a] - c[b] * x[1]);
  }
  static HWY_INLINE Mask fires(const Vec* before, const Vec* x, const Coefficients<Vec>& c) {
    return (before[0] < c[V_th]) & (x[0] >= c[V_th]);
  }
  static HWY_INLINE void reset(Mask, Vec*, const Coefficients<Vec>&) {}
};

void fitzhugh_nagumo(OdeStep& step) {
  advance_ode<FitzHughNagumo>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(fitzhugh_nagumo);

ModelEntry entry_fitzhugh_nagumo() {
  Model model;
  model.parameters = {parameter("recovery_offset", "a", "1", 0.7),
                      parameter("recovery_decay", "b", "1", 0.8),
                      parameter("recovery_rate", "eps", "1/ms", 0.08, Range::not_negative),
                      parameter("threshold", "V_th", "1", 1),
                      parameter("synaptic_time_constant", "tau_syn", "ms", 3, Range::positive),
                      parameter("constant_current", "I_e", "1", 0),
                      parameter("initial_potential", "V_m", "1", -1.19941),
                      parameter("initial_recovery", "w", "1", -0.62426)};
  model.receptors = {{"current", "1", SynapseShape::exponential}};
  model.variables = {{"V", "1"}, {"w", "1"}, {"I_syn", "1"}};
  model.presets = {{"excitable", "FitzHugh 1961", {}},
                   {"van_der_pol",
                    "van der Pol 1926: a relaxation oscillator, mu = eps^-1/2 = 3.2",
                    {{"a", {0}}, {"b", {0}}, {"eps", {0.1}}, {"V_m", {0.5}}, {"w", {0}}}}};
  model.current_unit = "1";
  model.make_grid = AFTERSPIKE_ODE_GRID(fitzhugh_nagumo, FitzHughNagumo);
  model.no_exact = "whose voltage is cubed";
  return {"fitzhugh_nagumo", "FitzHugh and Nagumo: excitation and recovery", std::move(model),
          "dV/dt = V - V^3 / 3 - w + I_syn + I_e + I\ndw/dt = eps (V + a - b w)\n\n"
          "Dimensionless; the unit of time is 1 ms. A step in which V crosses V_th upwards spikes; "
          "nothing is reset.",
          "FitzHugh 1961; Nagumo et al. 1962"};
}

}  // namespace afterspike::spiking
#endif
