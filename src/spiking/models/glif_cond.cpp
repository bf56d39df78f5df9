#include "models/ode_model.hpp"
#include "models/propagators.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/glif_cond.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct GlifCond : OdeModel {
  enum : std::size_t {
    C_m,
    g_m,
    E_L,
    V_th,
    V_reset,
    t_ref,
    E_rev_1,
    E_rev_2,
    tau_syn_1,
    tau_syn_2,
    I_e,
    V_m,
    spike_dependent_threshold,
    after_spike_currents,
    adapting_threshold,
    th_spike_add,
    th_spike_decay,
    voltage_reset_fraction,
    voltage_reset_add,
    th_voltage_index,
    th_voltage_decay,
    asc_decay_1,
    asc_decay_2,
    asc_amps_1,
    asc_amps_2,
    asc_r_1,
    asc_r_2,
    per_C,
    per_g,
    spike_keep,
    spike_refractory,
    spike_add,
    fraction,
    base,
    part_keep,
    part_gain,
    part_drive,
    asc_keep_1,
    asc_keep_2,
    asc_mean_1,
    asc_mean_2,
    asc_factor_1,
    asc_factor_2,
    asc_add_1,
    asc_add_2,
    kCoefficients
  };
  enum : std::size_t { V_state, spike_part, voltage_part, asc, asc_sum = asc + 2, kAllStates };
  static constexpr std::size_t kStates = kAllStates, kIntegrated = 1;
  static constexpr std::array kShapes = {SynapseShape::alpha, SynapseShape::alpha};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_1, tau_syn_2};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  /// Mechanisms that are off are zeros.
  static void prepare(double* c, double dt) {
    const double spikes = c[spike_dependent_threshold], currents = c[after_spike_currents];
    const double adapts = c[adapting_threshold], membrane = c[g_m] / c[C_m];
    c[per_C] = 1 / c[C_m];
    c[per_g] = 1 / c[g_m];
    c[spike_keep] = std::exp(-c[th_spike_decay] * dt);
    c[spike_refractory] = std::exp(-c[th_spike_decay] * c[t_ref]);
    c[spike_add] = spikes * c[th_spike_add];
    c[fraction] = spikes * c[voltage_reset_fraction];
    c[base] = spikes != 0 ? c[E_L] + c[voltage_reset_add] : c[V_reset];
    c[part_keep] = std::exp(-c[th_voltage_decay] * dt);
    c[part_gain] = adapts * c[th_voltage_index] * convolved(membrane, c[th_voltage_decay], dt);
    c[part_drive] =
        -adapts * c[th_voltage_index] * std::expm1(-c[th_voltage_decay] * dt) / c[th_voltage_decay];
    for (std::size_t j = 0; j < 2; ++j) {
      const double decay = c[asc_decay_1 + j];
      c[asc_keep_1 + j] = std::exp(-decay * dt);
      c[asc_mean_1 + j] = -std::expm1(-decay * dt) / (decay * dt);
      c[asc_factor_1 + j] = c[asc_r_1 + j] * std::exp(-decay * c[t_ref]);
      c[asc_add_1 + j] = currents * c[asc_amps_1 + j];
    }
  }
  static void initial(const double* c, double* x) {
    std::fill(x, x + kStates, 0.0);
    x[0] = c[V_m];
  }
  static double variable(const double* x, const double* c, std::size_t index) {
    if (index == 0) return x[0];
    if (index == 1) return c[V_th] + x[spike_part] + x[voltage_part];
    if (index == 2) return x[spike_part];
    if (index == 3) return x[voltage_part];
    return index == 4 ? x[asc_sum] : kReceptorVariable;
  }

  /// NEST takes the after-spike currents of the step before.
  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* g, V current,
                                     V* dx) {
    dx[0] = (current + x[asc_sum] - c[g_m] * (x[0] - c[E_L]) - g[0] * (x[0] - c[E_rev_1]) -
             g[1] * (x[0] - c[E_rev_2])) *
            c[per_C];
  }

  /// The rule of glif_psc; during refractoriness all of it stands still.
  static HWY_INLINE Mask finish(const Vec* before, Vec* x, const Coefficients<Vec>& c, Ending e) {
    const Mask ready = e.waiting <= Vec(0);
    Vec sum = 0;
    for (std::size_t j = 0; j < 2; ++j) {
      sum = sum + c[asc_mean_1 + j] * x[asc + j];
      x[asc + j] = select(ready, x[asc + j] * c[asc_keep_1 + j], x[asc + j]);
    }
    x[asc_sum] = select(ready, sum, x[asc_sum]);
    x[spike_part] = select(ready, x[spike_part] * c[spike_keep], x[spike_part]);
    const Vec above = before[0] - c[E_L], target = (e.current + sum) * c[per_g];
    const Vec part =
        x[voltage_part] * c[part_keep] + (above - target) * c[part_gain] + target * c[part_drive];
    x[voltage_part] = select(ready, part, x[voltage_part]);
    const Mask fired = ready & (x[0] > c[V_th] + x[spike_part] + x[voltage_part]);
    x[0] = select(fired, c[base] + c[fraction] * above, x[0]);
    x[spike_part] =
        select(fired, x[spike_part] * c[spike_refractory] + c[spike_add], x[spike_part]);
    for (std::size_t j = 0; j < 2; ++j) {
      x[asc + j] = select(fired, x[asc + j] * c[asc_factor_1 + j] + c[asc_add_1 + j], x[asc + j]);
    }
    e.waiting = select(fired, e.refractory, max(e.waiting - 1, Vec(0)));
    return fired;
  }
};

void glif_cond(OdeStep& step) {
  advance_ode<GlifCond>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(glif_cond);

ModelEntry entry_glif_cond() {
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 58.72, Range::positive),
      parameter("conductance", "g_m", "nS", 9.43, Range::positive),
      parameter("resting_potential", "E_L", "mV", -78.85),
      parameter("threshold", "V_th", "mV", -51.68),
      parameter("reset", "V_reset", "mV", -78.85),
      parameter("refractory", "t_ref", "ms", 3.75, Range::positive),
      parameter("reversal_1", "E_rev[0]", "mV", 0),
      parameter("reversal_2", "E_rev[1]", "mV", -85),
      parameter("synaptic_time_constant_1", "tau_syn[0]", "ms", 0.2, Range::positive),
      parameter("synaptic_time_constant_2", "tau_syn[1]", "ms", 2, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -78.85),
      parameter("has_threshold_spike", "spike_dependent_threshold", "1", 0, Range::fraction),
      parameter("has_after_spike_currents", "after_spike_currents", "1", 0, Range::fraction),
      parameter("has_threshold_voltage", "adapting_threshold", "1", 0, Range::fraction),
      parameter("threshold_spike_add", "th_spike_add", "mV", 0.37),
      parameter("threshold_spike_decay", "th_spike_decay", "1/ms", 0.009, Range::positive),
      parameter("reset_fraction", "voltage_reset_fraction", "1", 0.2),
      parameter("reset_add", "voltage_reset_add", "mV", 18.51),
      parameter("threshold_voltage_index", "th_voltage_index", "1/ms", 0.005),
      parameter("threshold_voltage_decay", "th_voltage_decay", "1/ms", 0.09, Range::positive),
      parameter("after_spike_decay_1", "asc_decay[0]", "1/ms", 0.003, Range::positive),
      parameter("after_spike_decay_2", "asc_decay[1]", "1/ms", 0.1, Range::positive),
      parameter("after_spike_amplitude_1", "asc_amps[0]", "pA", -9.18),
      parameter("after_spike_amplitude_2", "asc_amps[1]", "pA", -198.94),
      parameter("after_spike_multiplier_1", "asc_r[0]", "1", 1),
      parameter("after_spike_multiplier_2", "asc_r[1]", "1", 1)};
  model.receptors = two_receptors("nS", SynapseShape::alpha);
  model.variables = {{"V", "mV"},
                     {"threshold", "mV"},
                     {"threshold_spike", "mV"},
                     {"threshold_voltage", "mV"},
                     {"ASCurrents_sum", "pA"},
                     {"g_1", "nS"},
                     {"g_2", "nS"}};
  model.presets = {{"glif1",
                    "Teeter et al. 2018, level 1",
                    {{"spike_dependent_threshold", {0}},
                     {"after_spike_currents", {0}},
                     {"adapting_threshold", {0}}}},
                   {"glif2",
                    "Teeter et al. 2018, level 2",
                    {{"spike_dependent_threshold", {1}},
                     {"after_spike_currents", {0}},
                     {"adapting_threshold", {0}}}},
                   {"glif3",
                    "Teeter et al. 2018, level 3",
                    {{"spike_dependent_threshold", {0}},
                     {"after_spike_currents", {1}},
                     {"adapting_threshold", {0}}}},
                   {"glif4",
                    "Teeter et al. 2018, level 4",
                    {{"spike_dependent_threshold", {1}},
                     {"after_spike_currents", {1}},
                     {"adapting_threshold", {0}}}},
                   {"glif5",
                    "Teeter et al. 2018, level 5",
                    {{"spike_dependent_threshold", {1}},
                     {"after_spike_currents", {1}},
                     {"adapting_threshold", {1}}}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(glif_cond, GlifCond);
  model.no_exact = "whose conductances multiply the voltage";
  return {"glif_cond", "GLIF1 to GLIF5 with alpha conductances", std::move(model),
          "C_m dV/dt = -g_m (V - E_L) - g_1 (V - E_rev[0]) - g_2 (V - E_rev[1]) + sum_j I_j + I_e "
          "+ I\n\n"
          "Thresholds, after-spike currents and resets are those of glif1 to glif5: "
          "spike_dependent_threshold and"
          " after_spike_currents and adapting_threshold, each 0 or 1, switch them on. A spike of "
          "weight w adds a"
          " conductance whose peak is w.",
          "Teeter et al. 2018; NEST 3.10, glif_cond"};
}

}  // namespace afterspike::spiking
#endif
