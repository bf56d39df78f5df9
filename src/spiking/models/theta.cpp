#include "exact/exact_rule.hpp"
#include "exact/quadratic.hpp"
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

namespace {

/// V = tan(theta / 2) obeys tau V' = V^2 + I. A state is the angle, from -pi to pi, and the
/// current.
class ExactTheta final : public ExactRule {
 public:
  using M = HWY_NAMESPACE::Theta;

  ExactTheta(const Layout& layout, const Piece& piece)
      : parameters_(parameter_rows(layout, piece)) {
    refuse_receptor(layout, piece.population, 0,
                    "Use the grid engine, or model 'qif' with receptor 'voltage'.");
  }

  std::int64_t state_size() const override { return 8; }
  void initial_state(std::int64_t neuron, double* state) const override {
    std::fill_n(state, state_size(), 0.0);
    state[kAngle] = std::remainder(of(neuron)[M::angle], 2 * std::numbers::pi);
  }
  void set_current(std::int64_t neuron, double* state, double injected) const override {
    state[kCurrent] = of(neuron)[M::I_e] + injected;
  }
  void propagate(std::int64_t neuron, const double* from, double time, double* to) const override {
    const double m = from[kCurrent], half = 0.5 * from[kAngle];
    const QuadraticFlow flow(m, time / of(neuron)[M::tau]);
    const double upper = std::sin(half) * flow.cosine + m * std::cos(half) * flow.sine;
    const double lower = std::cos(half) * flow.cosine - std::sin(half) * flow.sine;
    std::copy_n(from, state_size(), to);
    to[kAngle] = 2 * std::atan2(upper, lower);
  }
  void receive(std::int64_t, double*, std::int64_t, double, double) const override {}
  void spike(std::int64_t /*neuron*/, double* state) const override {
    state[kAngle] = -std::numbers::pi;
  }
  double refractory(std::int64_t /*neuron*/) const override { return 0; }

  void changed(std::int64_t neuron, double* state, Outlook& outlook) const override {
    constexpr double kPole = std::numeric_limits<double>::infinity();
    const double half = 0.5 * state[kAngle];
    // At -pi, V rises from minus infinity: tan() there has a rounded pole of either sign.
    const double voltage =
        state[kAngle] > -std::numbers::pi ? std::sin(half) / std::cos(half) : -1e300;
    const double time = quadratic_time(state[kCurrent], voltage, kPole) * of(neuron)[M::tau];
    outlook.quiet_until = outlook.time + time;
    outlook.spikes = std::isfinite(time);
  }
  void look_ahead(std::int64_t, double*, Outlook&) const override {}  // changed() sees all.

  double value(std::int64_t neuron, const double* state, double later,
               std::size_t variable) const override {
    if (variable != 0) return 0;  // There are no synaptic currents.
    double now[8];
    propagate(neuron, state, later, now);
    return now[kAngle];
  }

 private:
  enum Place : std::size_t { kAngle, kCurrent };

  const double* of(std::int64_t neuron) const {
    return parameters_[static_cast<std::size_t>(neuron)].data();
  }

  std::vector<std::vector<double>> parameters_;
};

}  // namespace

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
  model.make_exact = [](const Layout& layout, const Piece& piece) -> std::unique_ptr<ExactRule> {
    return std::make_unique<ExactTheta>(layout, piece);
  };
  model.exact_limit = "without synapses";
  return {"theta", "theta neuron, the quadratic one on a circle", std::move(model),
          "tau dtheta/dt = 1 - cos(theta) + (1 + cos(theta)) (I_syn + I_e + I)\n\n"
          "V = tan(theta / 2) is a qif neuron with an infinite peak. A step that ends at pi or "
          "above spikes, and theta"
          " continues from theta - 2 pi.",
          "Ermentrout and Kopell 1986"};
}

}  // namespace afterspike::spiking
#endif
