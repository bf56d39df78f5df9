#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "grid/grid_group.hpp"

/// Any point neuron on the grid: a model states its equations, the group does the rest. See
/// grid/ode-inl.hpp for the two kinds of models.
namespace afterspike::spiking {

/// Sub-steps of a step; a level is taken by the neurons for which the one before is too coarse.
enum class OdeLevel {
  coarse,  ///< Equal ones, at most kLongest_ms long.
  fine,    ///< kFineSubSteps times as many.
  finest,  ///< kFinestSubSteps times as many.
  alone,   ///< Of each neuron's own length.
};

/// Electrical synapses of a group in a step. A cell gets the current
///   c0 + c1 s + c2 s^2 + c3 s^3 - conductance V(s), s from 0 to 1,
/// so V is the present one and partners follow a cubic, as in NEST's hh_psc_alpha_gap.
struct Gap {
  const double* conductance = nullptr;  ///< [columns], nS; null: there are none.
  const double* current = nullptr;      ///< [4, columns]: c0 to c3, pA
  double* shown = nullptr;  ///< Result, [3, columns]: V at the end before any reset, and dt dV/dt
                            ///< at the begin and the end; mV
};

/// One step of a piece of a population. Arrays are `columns` long, as in grid_steps.hpp; padding
/// has the parameters of the last neuron.
struct OdeStep {
  std::int64_t columns = 0, neurons = 0;
  double dt_ms = 0;
  std::int64_t sub_steps = 1;  ///< Sub-steps of the coarse integration.
  OdeLevel level = OdeLevel::coarse;

  double* states = nullptr;    ///< [states, columns]
  double* synapses = nullptr;  ///< [receptors, columns]; of delta receptors unused.
  double* rises = nullptr;     ///< [receptors, columns]; of alpha receptors.
  double* waiting = nullptr;   ///< Steps of refractoriness left.
  double* arriving = nullptr;  ///< [receptors, columns]; 0 on return. Null: nothing.

  const Coefficient* coefficients = nullptr;  ///< Parameters of the model, then what it derives.
  const Coefficient* decays = nullptr;        ///< [receptors, Decay::count]
  Coefficient refractory;                     ///< Steps: whole ones, unless the model is exact.
  Coefficient current;                        ///< Constant and injected.
  const double* coupled = nullptr;            ///< Constant current of electrical synapses, or null.
  Gap gap;                                    ///< Electrical synapses of equations.
  const double* random = nullptr;             ///< Uniform in [0, 1).

  // Results.
  std::uint32_t* spiked = nullptr;
  std::int64_t count = 0;
  std::uint32_t* list = nullptr;  ///< Neurons that are left to the next level, [columns].
  std::int64_t listed = 0;
  std::int64_t failed = -1;  ///< A column without a finite state, or that fires twice; -1: none.
  bool fired_twice = false;
};

/// Coefficients of an exponential or alpha receptor.
struct Decay {
  enum : std::size_t {
    half_coarse,  ///< Decay over half a coarse sub-step.
    half_fine,    ///< Over half a fine one.
    half_finest,  ///< Over half a finest one.
    rate,         ///< 1/ms
    jump,         ///< Change of the state by an arriving weight of 1.
    count
  };
};

/// The longest sub-step of a coarse integration, unless a model states a shorter one.
inline constexpr double kLongest_ms = 0.1;

/// Sub-steps of other levels in a coarse one.
inline constexpr std::int64_t kFineSubSteps = 8, kFinestSubSteps = 32;

/// Returned by OdeRule::variable for the variables of receptors, which come last.
inline constexpr double kReceptorVariable = std::numeric_limits<double>::quiet_NaN();

/// A model as the group sees it.
struct OdeRule {
  std::size_t states = 1, coefficients = 0;
  std::vector<SynapseShape> shapes = {};         ///< Shape of each receptor.
  std::vector<std::size_t> time_constants = {};  ///< Parameters; of delta receptors unused.
  int refractory = -1;                           ///< A parameter, or none.
  int constant_current = -1;
  bool is_exact_refractory = false;  ///< Refractoriness ends within a step.
  bool takes_sums = false;           ///< Arrivals are part of the model's own rule.
  bool is_random = false;
  bool has_voltage = true;   ///< State 0 is a voltage in mV.
  bool is_equation = false;  ///< advance_ode: V has a course within the step.
  bool has_peak = false;     ///< V is reset within the step.
  double longest_ms = kLongest_ms;

  /// Fills the coefficients after the parameters.
  void (*prepare)(double* coefficients, double dt_ms) = nullptr;
  void (*initial)(const double* coefficients, double* states) = nullptr;
  /// A variable of the model from its states; null: variables are the states, then the receptors.
  double (*variable)(const double* states, const double* coefficients, std::size_t index) = nullptr;
  void (*advance)(OdeStep& step) = nullptr;
  /// dx/dt of one column without synaptic input; null if the equations are not the whole model.
  void (*derivatives)(const Coefficient* coefficients, std::int64_t column, double current,
                      const double* x, double* dx) = nullptr;

  bool has_delta() const {
    return std::find(shapes.begin(), shapes.end(), SynapseShape::delta) != shapes.end();
  }
};

/// Throws Error(numeric) from advance() for a neuron whose state is no longer finite, or that
/// spikes more than once in a step; names population, neuron and time.
std::unique_ptr<GridGroup> make_ode_group(const Layout& layout, const Piece& piece, OdeRule rule);

}  // namespace afterspike::spiking
