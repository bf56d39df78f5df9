#include "models/ode_model.hpp"
#include "simulation/steps.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/iaf_psc_exp_htum.cpp"
#include "grid/each_target.hpp"
#include "models/linear-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct IafPscExpHtum : OdeModel {
  enum : std::size_t {
    C_m,
    tau_m,
    E_L,
    V_th,
    V_reset,
    t_ref_abs,
    t_ref_tot,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    P_V,
    P_I,
    P_ex,
    P_in,
    keep_ex,
    keep_in,
    total_steps,
    kCoefficients
  };
  enum : std::size_t { V_state, i_ex, i_in, silent, kAllStates };
  static constexpr std::size_t kStates = kAllStates;
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref_abs, kCurrent = I_e;

  static void prepare(double* c, double dt) {
    prepare_linear<IafPscExpHtum>(c, c[tau_m], dt);
    c[total_steps] = steps_until(c[t_ref_tot], dt);
  }
  static void initial(const double* c, double* x) { initial_linear<IafPscExpHtum>(c, x); }

  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    const Vec v = linear_voltage<IafPscExpHtum>(x, c, e.current);
    x[0] = select(e.waiting <= Vec(0), v, x[0]);
    e.waiting = max(e.waiting - 1, Vec(0));
    receive<IafPscExpHtum>(x, c, e);
    const Mask fired = (x[silent] <= Vec(0)) & (x[0] >= c[V_th]);
    x[silent] = select(fired, c[total_steps], max(x[silent] - 1, Vec(0)));
    x[0] = select(fired, c[V_reset], x[0]);
    e.waiting = select(fired, e.refractory, e.waiting);
    return fired;
  }
};

void iaf_psc_exp_htum(OdeStep& step) {
  advance_steps<IafPscExpHtum>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(iaf_psc_exp_htum);

ModelEntry entry_iaf_psc_exp_htum() {
  Model model;
  model.parameters = {parameter("capacitance", "C_m", "pF", 250, Range::positive),
                      parameter("membrane_time_constant", "tau_m", "ms", 10, Range::positive),
                      parameter("resting_potential", "E_L", "mV", -70),
                      parameter("threshold", "V_th", "mV", -55),
                      parameter("reset", "V_reset", "mV", -70),
                      parameter("refractory", "t_ref_abs", "ms", 2, Range::not_negative),
                      parameter("total_refractory", "t_ref_tot", "ms", 2, Range::not_negative),
                      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 2, Range::positive),
                      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
                      parameter("constant_current", "I_e", "pA", 0),
                      parameter("initial_potential", "V_m", "mV", -70)};
  model.receptors = two_receptors("pA", SynapseShape::exponential);
  model.variables = {{"V", "mV"}, {"I_syn_ex", "pA"}, {"I_syn_in", "pA"}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(iaf_psc_exp_htum, IafPscExpHtum);
  model.no_exact = "whose total refractory time outlasts the absolute one";
  return {"iaf_psc_exp_htum", "iaf_psc_exp with an absolute and a total refractory time",
          std::move(model),
          "The equations of iaf_psc_exp. After a spike V stays at V_reset for t_ref_abs; until "
          "t_ref_tot the neuron"
          " integrates, but does not spike.",
          "Tsodyks, Uziel and Markram 2000; NEST 3.10, iaf_psc_exp_htum"};
}

}  // namespace afterspike::spiking
#endif
