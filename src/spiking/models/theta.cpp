#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/theta.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct Theta : OdeModel {
  enum : std::size_t { tau, tau_syn, I_e, angle, per_tau, kCoefficients };
  static constexpr std::array kShapes = {SynapseShape::exponential};
  static constexpr std::array<std::size_t, 1> kTimeConstants = {tau_syn};
  static constexpr int kCurrent = I_e;
  static constexpr bool kHolds = false, kVoltage = false;
  static constexpr double kScale = 0.01;

  static void prepare(double* c, double /*dt_ms*/) { c[per_tau] = 1 / c[tau]; }
  static void initial(const double* c, double* x) { x[0] = c[angle]; }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    const V cosine = cos(x[0]);
    dx[0] = (1 - cosine + (1 + cosine) * (s[0] + current)) * c[per_tau];
  }
  static HWY_INLINE Mask fires(const Vec* /*before*/, const Vec* x, const Coefficients<Vec>&) {
    return x[0] >= Vec(std::numbers::pi);
  }
  static HWY_INLINE void reset(Mask fired, Vec* x, const Coefficients<Vec>&) {
    x[0] = select(fired, x[0] - 2 * std::numbers::pi, x[0]);
  }
};

void theta(OdeStep& step) {
  advance_ode<Theta>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(theta);

ModelEntry entry_theta() {
  Model model;
  model.parameters = {parameter("time_constant", "tau", "ms", 10, Range::positive),
                      parameter("synaptic_time_constant", "tau_syn", "ms", 3, Range::positive),
                      parameter("constant_current", "I_e", "1", 0),
                      parameter("initial_angle", "theta", "rad", -0.9)};
  model.receptors = {{"current", "1", SynapseShape::exponential}};
  model.variables = {{"theta", "rad"}, {"I_syn", "1"}};
  model.current_unit = "1";
  model.make_grid = AFTERSPIKE_ODE_GRID(theta, Theta);
  model.no_exact = "whose angle has no closed form under synaptic currents";
  return {"theta", "theta neuron, the quadratic one on a circle", std::move(model),
          "tau dtheta/dt = 1 - cos(theta) + (1 + cos(theta)) (I_syn + I_e + I)\n\n"
          "V = tan(theta / 2) is a qif neuron with an infinite peak. A step that ends at pi or "
          "above spikes, and theta"
          " continues from theta - 2 pi.",
          "Ermentrout and Kopell 1986"};
}

}  // namespace afterspike::spiking
#endif
