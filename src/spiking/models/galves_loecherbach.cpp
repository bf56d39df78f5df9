#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/galves_loecherbach.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct GalvesLoecherbach : OdeModel {
  enum : std::size_t { mu, gain, V_T, exponent, V_reset, I_e, V_m, kCoefficients };
  static constexpr std::array kShapes = {SynapseShape::delta};
  static constexpr int kCurrent = I_e;
  static constexpr bool kRandom = true;

  static void initial(const double* c, double* x) { x[0] = c[V_m]; }

  /// (gain (V - V_T))^exponent, 0 below V_T.
  static HWY_INLINE Vec phi(Vec v, const Coefficients<Vec>& c) {
    const Vec above = c[gain] * (v - c[V_T]);
    const Vec power = exp(c[exponent] * log(max(above, Vec(1e-300))));
    return select(above > Vec(0), power, Vec(0));
  }

  /// The step after a spike starts from V_reset and takes no input: memory ends at a spike.
  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    const Vec v = c[mu] * x[0] + e.current + e.arriving[0];
    x[0] = select(e.waiting > Vec(0), c[V_reset], v);
    const Mask fired = e.random < phi(x[0], c);
    e.waiting = ones(fired);
    return fired;
  }
};

void galves_loecherbach(OdeStep& step) {
  advance_steps<GalvesLoecherbach>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(galves_loecherbach);

ModelEntry entry_galves_loecherbach() {
  Model model;
  model.parameters = {parameter("leakage", "mu", "1", 0.9, Range::fraction),
                      parameter("gain", "gamma", "1/mV", 0.1, Range::not_negative),
                      parameter("threshold", "V_T", "mV", 0),
                      parameter("exponent", "r", "1", 1, Range::positive),
                      parameter("reset", "V_reset", "mV", 0),
                      parameter("constant_current", "I_e", "mV", 0),
                      parameter("initial_potential", "V_m", "mV", 0)};
  model.receptors = {{"voltage", "mV", SynapseShape::delta}};
  model.variables = {{"V", "mV"}};
  model.current_unit = "mV";
  model.make_grid = AFTERSPIKE_ODE_GRID(galves_loecherbach, GalvesLoecherbach);
  model.has_own_grid = true;
  model.no_exact = "which is a map from step to step";
  return {"galves_loecherbach", "Galves and Loecherbach: random spikes in discrete time",
          std::move(model),
          "V(t+1) = mu V(t) + I_e + I + sum of weights that arrive, or V_reset if the neuron "
          "spiked at t\n\n"
          "A step spikes with probability min(1, (gamma (V - V_T))^r), 0 below V_T. A spike ends "
          "the memory of all input"
          " before it. Exists on the grid of its network only; the time step is the unit of time.",
          "Galves and Loecherbach 2013; Brochini et al. 2016"};
}

}  // namespace afterspike::spiking
#endif
