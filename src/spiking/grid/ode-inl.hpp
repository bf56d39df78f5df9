// The bodies of models on the grid, compiled with each model for each instruction set.
//
// A model is a struct M. Its enumerators name coefficients: parameters in the order of its entry,
// then what prepare() derives from them.
//
// Equations, advanced by advance_ode<M>: derivatives(), written for vectors and for one neuron.
// Receptors decay in closed form. The classical Runge-Kutta method of order 4 takes a step of at
// most kLongest_ms. Neurons whose slope changes too much within it (kTolerance) are gathered and
// take shorter ones (OdeLevel), in the end steps of their own length. A model
// with kPeak is reset inside the step, where V reaches peak(), and the rest of the step is
// integrated from there: spikes cost no order. Others spike and are reset at the end of a step.
//
// A rule from step to step, advanced by advance_steps<M>: step(), which does everything.

#if defined(AFTERSPIKE_ODE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_ODE_INL_HPP
#undef AFTERSPIKE_ODE_INL_HPP
#else
#define AFTERSPIKE_ODE_INL_HPP
#endif

#include "grid/ode_alone-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// Columns from `first` on, as many as a vector has lanes.
class Columns {
 public:
  HWY_INLINE explicit Columns(std::int64_t first) : first_(first) {}

  HWY_INLINE Vec load(const double* row) const {
    return HWY_NAMESPACE::load(row + first_, static_cast<Vec*>(nullptr));
  }
  HWY_INLINE void store(Vec value, double* row) const { HWY_NAMESPACE::store(value, row + first_); }
  HWY_INLINE Vec coefficient(const Coefficient& row) const {
    return HWY_NAMESPACE::load(row.data + row.step * first_, static_cast<Vec*>(nullptr));
  }
  HWY_INLINE std::int64_t operator[](std::size_t lane) const {
    return first_ + static_cast<std::int64_t>(lane);
  }

 private:
  std::int64_t first_;
};

/// The coefficients of the columns at hand; only those that differ between neurons are loaded
/// again.
template <typename M>
class Table {
 public:
  explicit Table(const Coefficient* rows) : rows_(rows) {
    for (std::size_t index = 0; index < M::kCoefficients; ++index) {
      values_[index] = load(rows[index].data, static_cast<Vec*>(nullptr));
      if (rows[index].step != 0) varying_[count_++] = index;
    }
  }
  HWY_INLINE Coefficients<Vec> at(const Columns& at) {
    for (std::size_t index = 0; index < count_; ++index) {
      values_[varying_[index]] = at.coefficient(rows_[varying_[index]]);
    }
    return {values_};
  }

 private:
  Vec values_[M::kCoefficients];
  const Coefficient* rows_;
  std::size_t varying_[M::kCoefficients], count_ = 0;
};

/// Neurons of a vector in a step.
template <typename M>
struct Block {
  Neuron<M, Vec> start, now;
  Vec waited, waiting, current;
  Mask fired;
};

template <typename M>
HWY_INLINE Block<M> load_block(const OdeStep& s, const Columns& at) {
  Block<M> b;
  for (std::size_t i = 0; i < M::kStates; ++i) {
    b.start.x[i] = at.load(s.states + static_cast<std::int64_t>(i) * s.columns);
  }
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    const std::int64_t row = static_cast<std::int64_t>(r) * s.columns;
    b.start.receptor.value[r] = at.load(s.synapses + row);
    const bool rises = M::kShapes[r] == SynapseShape::alpha;
    b.start.receptor.rise[r] = rises ? at.load(s.rises + row) : Vec(0);
  }
  b.waited = at.load(s.waiting);
  b.current = at.coefficient(s.current);
  if (s.coupled != nullptr) b.current = b.current + at.load(s.coupled);
  b.now = b.start;
  b.fired = b.waited < Vec(-1);
  return b;
}

template <typename M>
HWY_INLINE void store_block(const OdeStep& s, const Columns& at, const Block<M>& b) {
  for (std::size_t i = 0; i < M::kStates; ++i) {
    at.store(b.now.x[i], s.states + static_cast<std::int64_t>(i) * s.columns);
  }
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    const std::int64_t row = static_cast<std::int64_t>(r) * s.columns;
    at.store(b.now.receptor.value[r], s.synapses + row);
    if (M::kShapes[r] == SynapseShape::alpha) at.store(b.now.receptor.rise[r], s.rises + row);
  }
  at.store(b.waiting, s.waiting);
}

/// Equal sub-steps of a step.
struct SubSteps {
  Vec length, strictness;
  std::int64_t count;
};

/// Advances all lanes. Returns those for which the sub-steps are too long.
template <typename M, bool kGap>
HWY_INLINE Mask integrate(const Coefficients<Vec>& c, Block<M>& b, const Vec* keep,
                          const GapInput<Vec>& gap, const SubSteps& steps) {
  const Mask free = b.waited <= Vec(0);
  Mask failed = b.waited < Vec(-1);
  const double part = 1 / static_cast<double>(steps.count);
  for (std::int64_t sub = 0; sub < steps.count; ++sub) {
    const Drive<Vec, kGap> drive{b.current, gap, static_cast<double>(sub) * part, part};
    const Accuracy<Vec> accuracy = runge_kutta<M, Vec>(b.now, c, drive, keep, steps.length, free);
    failed = failed | !(accuracy.error <= accuracy.allowed * steps.strictness);
    if constexpr (M::kPeak) failed = failed | (free & at_peak(b.now, c));
  }
  if constexpr (M::kExactRefractory) {
    failed = failed | ((b.waited > Vec(0)) & (b.waited < Vec(1)));
  }
  return failed;
}

template <typename M>
HWY_INLINE void merge(Mask mask, const Neuron<M, Vec>& from, Neuron<M, Vec>& to) {
  for (std::size_t i = 0; i < M::kStates; ++i) to.x[i] = select(mask, from.x[i], to.x[i]);
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    to.receptor.value[r] = select(mask, from.receptor.value[r], to.receptor.value[r]);
    to.receptor.rise[r] = select(mask, from.receptor.rise[r], to.receptor.rise[r]);
  }
}

HWY_INLINE Vec ones(Mask mask) {
  return select(mask, Vec(1), Vec(0));
}

/// Advances the lanes of a vector one by one.
template <typename M, bool kGap>
void take_lanes(OdeStep& s, const Columns& at, Block<M>& b) {
  constexpr std::size_t kRows = M::kStates + 2 * receptors<M>() + 3;
  HWY_ALIGN double lane[kRows][kLanes];
  const auto each = [&](Neuron<M, Vec>& n, const auto& move) {
    std::size_t row = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) move(n.x[i], lane[row++]);
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      move(n.receptor.value[r], lane[row++]);
      move(n.receptor.rise[r], lane[row++]);
    }
  };
  double* waiting = lane[kRows - 3];
  double* current = lane[kRows - 2];
  double* fired = lane[kRows - 1];
  each(b.start, [](Vec value, double* to) { store(value, to); });
  store(b.waited, waiting);
  store(b.current, current);
  store(Vec(0), fired);
  for (std::size_t index = 0; index < lanes() && at[index] < s.neurons; ++index) {
    Neuron<M, double> start{};
    std::size_t row = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) start.x[i] = lane[row++][index];
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      start.receptor.value[r] = lane[row++][index];
      start.receptor.rise[r] = lane[row++][index];
    }
    Alone<M, kGap> alone(s, at[index], current[index], start, waiting[index]);
    alone.advance();
    row = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) lane[row++][index] = alone.neuron().x[i];
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      lane[row++][index] = alone.neuron().receptor.value[r];
      lane[row++][index] = alone.neuron().receptor.rise[r];
    }
    waiting[index] = alone.waiting();
    fired[index] = alone.count() > 0 ? 1 : 0;
    if (alone.count() > 1) {
      s.failed = at[index];
      s.fired_twice = true;
    }
  }
  each(b.now,
       [](Vec& value, const double* from) { value = load(from, static_cast<Vec*>(nullptr)); });
  b.waiting = load(waiting, static_cast<Vec*>(nullptr));
  b.fired = load(fired, static_cast<Vec*>(nullptr)) > Vec(0);
}

/// Appends neurons to the list of spikes; notes a state that is not finite.
HWY_INLINE void conclude(OdeStep& s, const Columns& at, Mask fired, Vec sum) {
  const Mask finite = (sum - sum) >= Vec(0);
  if (HWY_LIKELY(!any(fired | !finite))) return;
  HWY_ALIGN double spikes[kLanes] = {}, broken[kLanes] = {};
  store(ones(fired), spikes);
  store(ones(!finite), broken);
  for (std::size_t lane = 0; lane < lanes() && at[lane] < s.neurons; ++lane) {
    const std::int64_t neuron = at[lane];
    if (spikes[lane] != 0) s.spiked[s.count++] = static_cast<std::uint32_t>(neuron);
    if (broken[lane] != 0 && s.failed < 0) s.failed = neuron;
  }
}

/// Adds arrivals at the end of the step. Returns neurons that a jump lifts to the peak.
template <typename M>
HWY_INLINE Mask arrive(const OdeStep& s, const Columns& at, const Coefficients<Vec>& c,
                       const Vec* arriving, Block<M>& b) {
  Mask jumped = b.waiting < Vec(-1);
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    if constexpr (M::kShapes[0] == SynapseShape::alpha) {
      const Vec jump = at.coefficient(s.decays[r * Decay::count + Decay::jump]);
      b.now.receptor.rise[r] = b.now.receptor.rise[r] + jump * arriving[r];
    } else if (M::kShapes[r] == SynapseShape::exponential) {
      b.now.receptor.value[r] = b.now.receptor.value[r] + arriving[r];
    } else if constexpr (M::kPeak) {
      const Mask free = b.waiting <= Vec(0);
      b.now.x[0] = select(free, b.now.x[0] + arriving[r], b.now.x[0]);
      jumped = jumped | (free & at_peak(b.now, c));
    }
  }
  return jumped;
}

/// Arguments of a model's reset at the end of a step.
struct Ending {
  Vec& waiting;
  Vec refractory, random, current;
};

template <typename M>
HWY_INLINE Mask finish(const Neuron<M, Vec>& before, Neuron<M, Vec>& now,
                       const Coefficients<Vec>& c, Ending ending) {
  if constexpr (requires { M::finish(before.x, now.x, c, ending); }) {
    return M::finish(before.x, now.x, c, ending);
  } else {
    const Mask fired = (ending.waiting <= Vec(0)) & M::fires(before.x, now.x, c);
    M::reset(fired, now.x, c);
    ending.waiting = select(fired, ending.refractory, max(ending.waiting - 1, Vec(0)));
    return fired;
  }
}

/// dt dV/dt at the begin (0) or the end (1) of the step.
template <typename M>
HWY_INLINE Vec slope_at(const OdeStep& s, const Coefficients<Vec>& c, const GapInput<Vec>& gap,
                        const Block<M>& b, const Neuron<M, Vec>& n, double part) {
  Vec slopes[M::kStates];
  const Drive<Vec, true> drive{b.current, gap, part, 0};
  M::derivatives(n.x, c, n.receptor.value, drive.at(0, n.x[0]), slopes);
  if constexpr (M::kHolds) slopes[0] = select(b.waited <= Vec(0), slopes[0], Vec(0));
  return s.dt_ms * slopes[0];
}

/// Shows partners the course of V. What a reset at the end of the step changes belongs to the next.
template <typename M>
HWY_NOINLINE void show_course(const OdeStep& s, const Columns& at, const Coefficients<Vec>& c,
                              const GapInput<Vec>& gap, Block<M>& b) {
  at.store(b.now.x[0], s.gap.shown);
  at.store(slope_at<M>(s, c, gap, b, b.start, 0), s.gap.shown + s.columns);
  at.store(slope_at<M>(s, c, gap, b, b.now, 1), s.gap.shown + 2 * s.columns);
  b.current = b.current + gap.current(Vec(1), b.now.x[0]);
}

/// Spikes, resets and arrivals at the end of a step.
template <typename M>
HWY_INLINE void end_step(const OdeStep& s, const Columns& at, const Coefficients<Vec>& c,
                         const Vec* arriving, Block<M>& b) {
  const Vec refractory = at.coefficient(s.refractory);
  if constexpr (M::kPeak) {
    const Mask jumped = arrive<M>(s, at, c, arriving, b);
    M::reset(jumped, b.now.x, c);
    b.waiting = select(jumped, refractory, b.waiting);
    b.fired = b.fired | jumped;
  } else {
    const Vec random = M::kRandom ? at.load(s.random) : Vec(0);
    b.waiting = b.waited;
    b.fired = finish<M>(b.start, b.now, c, {b.waiting, refractory, random, b.current});
    arrive<M>(s, at, c, arriving, b);
  }
}

/// Ends a step that began in `b.start` and stores it. Lanes of `left` stay where they were and are
/// listed.
template <typename M>
HWY_INLINE void end_block(OdeStep& result, const OdeStep& s, const Columns& at,
                          const Coefficients<Vec>& c, Block<M>& b, Mask left) {
  Vec arriving[room<M>()], rest[room<M>()];
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    const std::int64_t row = static_cast<std::int64_t>(r) * s.columns;
    arriving[r] = s.arriving == nullptr ? Vec(0) : at.load(s.arriving + row);
    rest[r] = 0;
  }
  end_step<M>(s, at, c, arriving, b);
  if (HWY_UNLIKELY(any(left))) {
    merge<M>(left, b.start, b.now);
    b.waiting = select(left, b.waited, b.waiting);
    b.fired = b.fired & !left;
    for (std::size_t r = 0; r < receptors<M>(); ++r) rest[r] = select(left, arriving[r], Vec(0));
    HWY_ALIGN double listed[kLanes] = {};
    store(ones(left), listed);
    for (std::size_t lane = 0; lane < lanes() && at[lane] < s.neurons; ++lane) {
      if (listed[lane] == 0) continue;
      s.list[result.listed++] = static_cast<std::uint32_t>(at[lane]);
    }
  }
  store_block<M>(s, at, b);
  for (std::size_t r = 0; r < receptors<M>() && s.arriving != nullptr; ++r) {
    at.store(rest[r], s.arriving + static_cast<std::int64_t>(r) * s.columns);
  }
  Vec sum = b.now.x[0];
  for (std::size_t i = 1; i < M::kStates; ++i) sum = sum + b.now.x[i];
  conclude(result, at, b.fired, sum);
}

template <typename M, bool kGap>
HWY_NOINLINE void advance_alone(OdeStep& s) {
  Table<M> table(s.coefficients);
  for (std::int64_t column = 0; column < s.columns; column += static_cast<std::int64_t>(lanes())) {
    const Columns at(column);
    Block<M> b = load_block<M>(s, at);
    const Mask none = b.fired;
    take_lanes<M, kGap>(s, at, b);
    if constexpr (kGap) show_course<M>(s, at, table.at(at), GapInput<Vec>(s, column), b);
    end_block<M>(s, s, at, table.at(at), b, none);
  }
}

template <typename M, bool kGap>
void advance_level(OdeStep& s) {
  if (s.level == OdeLevel::alone) return advance_alone<M, kGap>(s);
  Table<M> table(s.coefficients);
  const OdeStep fixed = s;  // Stores of results do not change it.
  constexpr std::int64_t kSubSteps[] = {1, kFineSubSteps, kFinestSubSteps};
  constexpr std::size_t kDecays[] = {Decay::half_coarse, Decay::half_fine, Decay::half_finest};
  const auto level = static_cast<std::size_t>(fixed.level);
  const std::int64_t count = fixed.sub_steps * kSubSteps[level];
  const std::size_t decay = kDecays[level];
  const Vec h = fixed.dt_ms / static_cast<double>(count), strict = strictness(fixed);
  for (std::int64_t column = 0; column < fixed.columns;
       column += static_cast<std::int64_t>(lanes())) {
    const Columns at(column);
    const Coefficients<Vec> c = table.at(at);
    Block<M> b = load_block<M>(fixed, at);
    Vec keep[room<M>()];
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      keep[r] = at.coefficient(fixed.decays[r * Decay::count + decay]);
    }
    const GapInput<Vec> gap(fixed, column);
    const Mask left = integrate<M, kGap>(c, b, keep, gap, {h, strict, count});
    if constexpr (kGap) show_course<M>(fixed, at, c, gap, b);
    b.waiting = max(b.waited - 1, Vec(0));
    end_block<M>(s, fixed, at, c, b, left);
  }
}

template <typename M>
void advance_ode(OdeStep& s) {
  if (s.gap.conductance != nullptr) return advance_level<M, true>(s);
  advance_level<M, false>(s);
}

/// Everything that a rule from step to step sees. Arrivals of each receptor are sums.
struct Entering {
  Vec& waiting;
  Vec refractory, random, current;
  const Vec* arriving;
};

template <typename M>
void advance_steps(OdeStep& s) {
  Table<M> table(s.coefficients);
  const OdeStep fixed = s;
  for (std::int64_t column = 0; column < fixed.columns;
       column += static_cast<std::int64_t>(lanes())) {
    const Columns at(column);
    const Coefficients<Vec> c = table.at(at);
    Vec x[M::kStates], arriving[room<M>()];
    for (std::size_t i = 0; i < M::kStates; ++i) {
      x[i] = at.load(fixed.states + static_cast<std::int64_t>(i) * fixed.columns);
    }
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      arriving[r] = 0;
      if (fixed.arriving == nullptr) continue;
      double* row = fixed.arriving + static_cast<std::int64_t>(r) * fixed.columns;
      arriving[r] = at.load(row);
      at.store(Vec(0), row);
    }
    Vec waiting = at.load(fixed.waiting), current = at.coefficient(fixed.current);
    if (fixed.coupled != nullptr) current = current + at.load(fixed.coupled);
    const Mask fired =
        M::step(x, c,
                Entering{waiting, at.coefficient(fixed.refractory),
                         M::kRandom ? at.load(fixed.random) : Vec(0), current, arriving});
    Vec sum = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) {
      at.store(x[i], fixed.states + static_cast<std::int64_t>(i) * fixed.columns);
      sum = sum + x[i];
    }
    at.store(waiting, fixed.waiting);
    conclude(s, at, fired, sum);
  }
}

/// The right-hand side of a model's equations for one neuron whose synapses are silent.
template <typename M>
void derivatives_of(const Coefficient* coefficients, std::int64_t column, double current,
                    const double* x, double* dx) {
  const double silent[room<M>()] = {};
  M::derivatives(x, Coefficients<double>{coefficients, column}, silent, current, dx);
}

template <typename M>
constexpr bool has_derivatives() {
  return integrated<M>() == M::kStates && requires(const double* x, double* dx) {
    M::derivatives(x, Coefficients<double>{nullptr, 0}, x, 0.0, dx);
  };
}

/// Returns the rule by which the group handles a model.
template <typename M>
OdeRule ode_rule(void (*advance)(OdeStep&)) {
  OdeRule rule;
  rule.states = M::kStates;
  rule.coefficients = M::kCoefficients;
  rule.shapes.assign(M::kShapes.begin(), M::kShapes.end());
  rule.time_constants.assign(M::kTimeConstants.begin(), M::kTimeConstants.end());
  rule.refractory = M::kRefractory;
  rule.constant_current = M::kCurrent;
  rule.is_exact_refractory = M::kExactRefractory;
  rule.is_random = M::kRandom;
  rule.has_voltage = M::kVoltage;
  rule.has_peak = M::kPeak;
  rule.longest_ms = M::kLongest;
  rule.is_equation = !requires {
    &M::step;
  };
  rule.prepare = M::prepare;
  rule.initial = M::initial;
  if constexpr (requires { &M::variable; }) rule.variable = M::variable;
  rule.takes_sums = requires {
    &M::step;
  }
  || rule.has_delta();
  rule.advance = advance;
  if constexpr (has_derivatives<M>()) {
    if (rule.variable == nullptr) rule.derivatives = derivatives_of<M>;
  }
  return rule;
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
