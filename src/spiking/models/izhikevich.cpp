#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/izhikevich.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct Izhikevich : OdeModel {
  enum : std::size_t {
    a,
    b,
    c_reset,
    d,
    V_th,
    V_min,
    consistent_integration,
    I_e,
    V_m,
    U_m,
    dt,
    kCoefficients
  };
  static constexpr std::size_t kStates = 2;
  static constexpr std::array kShapes = {SynapseShape::delta};
  static constexpr int kCurrent = I_e;

  static void prepare(double* c, double dt_ms) { c[dt] = dt_ms; }
  static void initial(const double* c, double* x) {
    x[0] = c[V_m];
    x[1] = c[U_m];
  }

  /// Sums in NEST's order: near a saddle a last bit grows into another spike train.
  static HWY_INLINE Vec slope(Vec v, Vec u, Vec current) {
    return 0.04 * v * v + 5 * v + 140 - u + current;
  }

  /// The equations that the steps approximate.
  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& coefficients,
                                     const V* /*s*/, V current, V* dx) {
    dx[0] = 0.04 * x[0] * x[0] + 5 * x[0] + 140 - x[1] + current;
    dx[1] = coefficients[a] * (coefficients[b] * x[0] - x[1]);
  }

  /// Forward Euler. Both variables from their old values; or as published, V in two halves with
  /// arriving weights as a current, then U from the new V.
  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    const Vec v = x[0], u = x[1], h = c[dt], half = 0.5 * h;
    const Mask consistent = c[consistent_integration] > Vec(0);
    const Vec driven = e.current + e.arriving[0];
    const Vec middle = v + half * slope(v, u, driven);
    const Vec published = middle + half * slope(middle, u, driven);
    const Vec euler = v + (h * slope(v, u, e.current) + e.arriving[0]);
    const Vec next = select(consistent, euler, published);
    x[1] = u + h * c[a] * (c[b] * select(consistent, v, next) - u);
    x[0] = max(next, c[V_min]);
    const Mask fired = x[0] >= c[V_th];
    x[0] = select(fired, c[c_reset], x[0]);
    x[1] = select(fired, x[1] + c[d], x[1]);
    return fired;
  }
};

void izhikevich(OdeStep& step) {
  advance_steps<Izhikevich>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(izhikevich);

ModelEntry entry_izhikevich() {
  Model model;
  model.parameters = {
      parameter("recovery_rate", "a", "1/ms", 0.02, Range::not_negative),
      parameter("recovery_slope", "b", "1/ms", 0.2),
      parameter("reset", "c", "mV", -65),
      parameter("recovery_jump", "d", "mV/ms", 8),
      parameter("threshold", "V_th", "mV", 30),
      parameter("least_potential", "V_min", "mV", -1.7976931348623157e308),
      parameter("consistent_integration", "consistent_integration", "1", 1, Range::fraction),
      parameter("constant_current", "I_e", "mV/ms", 0),
      parameter("initial_potential", "V_m", "mV", -65),
      parameter("initial_recovery", "U_m", "mV/ms", -13)};
  model.receptors = {{"voltage", "mV", SynapseShape::delta}};
  model.variables = {{"V", "mV"}, {"U_m", "mV/ms"}};
  model.presets = {
      {"rs",
       "Izhikevich 2003, figure 2",
       {{"a", {0.02}}, {"b", {0.2}}, {"c", {-65}}, {"d", {8}}, {"V_m", {-70}}, {"U_m", {-14}}}},
      {"ib",
       "Izhikevich 2003, figure 2",
       {{"a", {0.02}}, {"b", {0.2}}, {"c", {-55}}, {"d", {4}}, {"V_m", {-70}}, {"U_m", {-14}}}},
      {"ch",
       "Izhikevich 2003, figure 2",
       {{"a", {0.02}}, {"b", {0.2}}, {"c", {-50}}, {"d", {2}}, {"V_m", {-70}}, {"U_m", {-14}}}},
      {"fs",
       "Izhikevich 2003, figure 2",
       {{"a", {0.1}}, {"b", {0.2}}, {"c", {-65}}, {"d", {2}}, {"V_m", {-70}}, {"U_m", {-14}}}},
      {"lts",
       "Izhikevich 2003, figure 2",
       {{"a", {0.02}},
        {"b", {0.25}},
        {"c", {-65}},
        {"d", {2}},
        {"V_m", {-64.413911092687}},
        {"U_m", {-16.103477773172}}}},
      {"tc",
       "Izhikevich 2003, figure 2",
       {{"a", {0.02}},
        {"b", {0.25}},
        {"c", {-65}},
        {"d", {0.05}},
        {"V_m", {-64.413911092687}},
        {"U_m", {-16.103477773172}}}},
      {"rz",
       "Izhikevich 2003, figure 2",
       {{"a", {0.1}},
        {"b", {0.26}},
        {"c", {-65}},
        {"d", {2}},
        {"V_m", {-62.5}},
        {"U_m", {-16.25}}}}};
  model.current_unit = "mV/ms";
  model.make_grid = AFTERSPIKE_ODE_GRID(izhikevich, Izhikevich);
  model.no_exact = "which is a map from step to step";
  return {"izhikevich", "Izhikevich: quadratic with recovery", std::move(model),
          "dV/dt = 0.04 V^2 + 5 V + 140 - U + I_e + I\ndU/dt = a (b V - U)\n\n"
          "Forward Euler with the step of the grid, which is part of the model: other steps have "
          "other spikes. A spike"
          " of weight w adds w to V. At the end of a step with V >= V_th the neuron spikes: V = c, "
          "U = U + d. With"
          " consistent_integration = 0 V takes two half steps before U, as published.",
          "Izhikevich 2003; NEST 3.10, izhikevich"};
}

}  // namespace afterspike::spiking
#endif
