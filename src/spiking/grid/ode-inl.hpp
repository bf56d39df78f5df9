// The bodies of models on the grid, compiled with each model for each instruction set.
//
// A model is a struct M. Its enumerators name coefficients: parameters in the order of its entry,
// then what prepare() derives from them.
//
// Equations, advanced by advance_ode<M>: derivatives(), written for vectors and for one neuron.
// Receptors decay in closed form. The classical Runge-Kutta method of order 4 takes a step of at
// most kLongest_ms; where the slope changes too much within it (kTolerance), eight of an eighth;
// where that is too long, too, the neuron alone is advanced in steps of its own length. A model
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

/// Neurons of a vector in a step.
template <typename M>
struct Block {
  Coefficients<Vec> c;
  std::int64_t column;
  Neuron<M, Vec> start, now;
  Vec waiting, current, fired;  ///< fired: 1 or 0.
  Mask free;
};

template <typename M>
HWY_INLINE Mask integrate(const OdeStep& s, const Block<M>& b, Neuron<M, Vec>& n,
                          std::int64_t count, std::size_t decay) {
  Vec keep[room<M>()];
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    keep[r] = Coefficients<Vec>{s.decays + r * Decay::count, b.column}[decay];
  }
  const Vec h = s.dt_ms / static_cast<double>(count);
  const Vec strict = strictness(s);
  Mask failed = b.waiting < Vec(-1);
  for (std::int64_t sub = 0; sub < count; ++sub) {
    const Accuracy<Vec> accuracy = runge_kutta<M, Vec>(n, b.c, b.current, keep, h, b.free);
    failed = failed | !(accuracy.error <= accuracy.allowed * strict);
    if constexpr (M::kPeak) failed = failed | (b.free & at_peak(n, b.c));
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

HWY_INLINE void store(Vec value, double* to) {
  hn::StoreU(value.v, Doubles(), to);
}
HWY_INLINE Vec ones(Mask mask) {
  return select(mask, Vec(1), Vec(0));
}

/// The lanes of a vector, one by one.
template <typename M>
void advance_alone(OdeStep& s, Block<M>& b, Mask which) {
  constexpr std::size_t kRows = M::kStates + 2 * receptors<M>() + 4;
  HWY_ALIGN double lane[kRows][kLanes];
  const auto each = [&](Neuron<M, Vec>& n, const auto& move) {
    std::size_t row = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) move(n.x[i], lane[row++]);
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      move(n.receptor.value[r], lane[row++]);
      move(n.receptor.rise[r], lane[row++]);
    }
  };
  double* waiting = lane[kRows - 4];
  double* current = lane[kRows - 3];
  double* fired = lane[kRows - 2];
  double* wanted = lane[kRows - 1];
  each(b.start, [](Vec value, double* to) { store(value, to); });
  store(b.waiting, waiting);
  store(b.current, current);
  store(Vec(0), fired);
  store(ones(which), wanted);
  for (std::size_t at = 0; at < hn::Lanes(Doubles()); ++at) {
    if (wanted[at] == 0) continue;
    Neuron<M, double> start{};
    std::size_t row = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) start.x[i] = lane[row++][at];
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      start.receptor.value[r] = lane[row++][at];
      start.receptor.rise[r] = lane[row++][at];
    }
    const std::int64_t column = b.column + static_cast<std::int64_t>(at);
    Alone<M> alone(s, column, current[at], start, waiting[at]);
    alone.advance();
    row = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) lane[row++][at] = alone.neuron().x[i];
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      lane[row++][at] = alone.neuron().receptor.value[r];
      lane[row++][at] = alone.neuron().receptor.rise[r];
    }
    waiting[at] = alone.waiting();
    fired[at] = alone.count() > 0 ? 1 : 0;
    if (alone.count() > 1 && column < s.neurons) {
      s.failed = column;
      s.fired_twice = true;
    }
  }
  Neuron<M, Vec> done;
  each(done,
       [](Vec& value, const double* from) { value = load(from, static_cast<Vec*>(nullptr)); });
  merge<M>(which, done, b.now);
  const Vec all_waiting = load(waiting, static_cast<Vec*>(nullptr));
  b.waiting = select(which, all_waiting, max(b.waiting - 1, Vec(0)));
  b.fired = load(fired, static_cast<Vec*>(nullptr));
}

/// Lanes for which the coarse step will not do.
template <typename M>
HWY_NOINLINE void repeat_finer(OdeStep& s, Block<M>& b, Mask failed) {
  Neuron<M, Vec> finer = b.start;
  Mask left = failed & integrate<M>(s, b, finer, s.sub_steps * kFineSubSteps, Decay::half_fine);
  merge<M>(failed, finer, b.now);
  if constexpr (M::kExactRefractory) left = left | ((b.waiting > Vec(0)) & (b.waiting < Vec(1)));
  if (any(left)) {
    advance_alone<M>(s, b, left);
  } else {
    b.waiting = max(b.waiting - 1, Vec(0));
  }
}

/// Appends neurons to the list of spikes; notes a state that is not finite.
HWY_INLINE void conclude(OdeStep& s, std::int64_t column, Mask fired, Vec sum) {
  const Mask finite = (sum - sum) >= Vec(0);
  if (HWY_LIKELY(!any(fired | !finite))) return;
  HWY_ALIGN double spikes[kLanes], broken[kLanes];
  store(ones(fired), spikes);
  store(ones(!finite), broken);
  for (std::size_t lane = 0; lane < hn::Lanes(Doubles()); ++lane) {
    const std::int64_t neuron = column + static_cast<std::int64_t>(lane);
    if (neuron >= s.neurons) break;
    if (spikes[lane] != 0) s.spiked[s.count++] = static_cast<std::uint32_t>(neuron);
    if (broken[lane] != 0 && s.failed < 0) s.failed = neuron;
  }
}

HWY_INLINE Vec take_arriving(const OdeStep& s, std::int64_t at) {
  if (s.arriving == nullptr) return 0;
  const Vec arriving = load(s.arriving + at, static_cast<Vec*>(nullptr));
  store(Vec(0), s.arriving + at);
  return arriving;
}

HWY_INLINE Vec current_of(const OdeStep& s, std::int64_t column) {
  Vec current = Coefficients<Vec>{&s.current, column}[0];
  if (s.coupled != nullptr) {
    current = current + load(s.coupled + column, static_cast<Vec*>(nullptr));
  }
  return current;
}

/// Adds arrivals at the end of the step. Returns neurons that a jump lifts to the peak.
template <typename M>
HWY_INLINE Mask arrive(const OdeStep& s, Block<M>& b) {
  Mask jumped = b.waiting < Vec(-1);
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    const Vec arriving = take_arriving(s, static_cast<std::int64_t>(r) * s.columns + b.column);
    if constexpr (M::kShapes[0] == SynapseShape::alpha) {
      const Coefficients<Vec> decay{s.decays + r * Decay::count, b.column};
      b.now.receptor.rise[r] = b.now.receptor.rise[r] + decay[Decay::jump] * arriving;
    } else if (M::kShapes[r] == SynapseShape::exponential) {
      b.now.receptor.value[r] = b.now.receptor.value[r] + arriving;
    } else if constexpr (M::kPeak) {
      const Mask free = b.waiting <= Vec(0);
      b.now.x[0] = select(free, b.now.x[0] + arriving, b.now.x[0]);
      jumped = jumped | (free & at_peak(b.now, b.c));
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

template <typename M>
HWY_INLINE Block<M> load_block(const OdeStep& s, std::int64_t column) {
  Block<M> b;
  b.start.receptor.value[0] = b.start.receptor.rise[0] = 0;
  b.c = {s.coefficients, column};
  b.column = column;
  Vec* const kind = nullptr;
  for (std::size_t i = 0; i < M::kStates; ++i) {
    b.start.x[i] = load(s.states + static_cast<std::int64_t>(i) * s.columns + column, kind);
  }
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    const std::int64_t at = static_cast<std::int64_t>(r) * s.columns + column;
    b.start.receptor.value[r] = load(s.synapses + at, kind);
    b.start.receptor.rise[r] = load(s.rises + at, kind);
  }
  b.waiting = load(s.waiting + column, kind);
  b.current = current_of(s, column);
  b.free = b.waiting <= Vec(0);
  b.fired = Vec(0);
  b.now = b.start;
  return b;
}

template <typename M>
HWY_INLINE void store_block(const OdeStep& s, const Block<M>& b) {
  for (std::size_t i = 0; i < M::kStates; ++i) {
    store(b.now.x[i], s.states + static_cast<std::int64_t>(i) * s.columns + b.column);
  }
  for (std::size_t r = 0; r < receptors<M>(); ++r) {
    const std::int64_t at = static_cast<std::int64_t>(r) * s.columns + b.column;
    store(b.now.receptor.value[r], s.synapses + at);
    if (M::kShapes[r] == SynapseShape::alpha) store(b.now.receptor.rise[r], s.rises + at);
  }
  store(b.waiting, s.waiting + b.column);
}

template <typename M>
void advance_ode(OdeStep& s) {
  for (std::int64_t column = 0; column < s.columns;
       column += static_cast<std::int64_t>(hn::Lanes(Doubles()))) {
    Block<M> b = load_block<M>(s, column);
    const Vec waited = b.waiting;
    Mask failed = integrate<M>(s, b, b.now, s.sub_steps, Decay::half_coarse);
    if constexpr (M::kExactRefractory) failed = failed | ((waited > Vec(0)) & (waited < Vec(1)));
    if (HWY_UNLIKELY(any(failed))) {
      repeat_finer<M>(s, b, failed);
    } else {
      b.waiting = max(waited - 1, Vec(0));
    }
    const Vec refractory = Coefficients<Vec>{&s.refractory, column}[0];
    const Vec random = M::kRandom ? load(s.random + column, static_cast<Vec*>(nullptr)) : Vec(0);
    Mask fired = b.fired > Vec(0);
    if constexpr (M::kPeak) {
      const Mask jumped = arrive<M>(s, b);
      M::reset(jumped, b.now.x, b.c);
      b.waiting = select(jumped, refractory, b.waiting);
      fired = fired | jumped;
    } else {
      b.waiting = waited;
      fired = finish<M>(b.start, b.now, b.c, {b.waiting, refractory, random, b.current});
      arrive<M>(s, b);
    }
    Vec sum = b.now.x[0];
    for (std::size_t i = 1; i < M::kStates; ++i) sum = sum + b.now.x[i];
    store_block<M>(s, b);
    conclude(s, column, fired, sum);
  }
}

/// Everything that a rule from step to step sees. Arrivals of each receptor are sums.
struct Entering {
  Vec& waiting;
  Vec refractory, random, current;
  const Vec* arriving;
};

template <typename M>
void advance_steps(OdeStep& s) {
  for (std::int64_t column = 0; column < s.columns;
       column += static_cast<std::int64_t>(hn::Lanes(Doubles()))) {
    const Coefficients<Vec> c{s.coefficients, column};
    Vec x[M::kStates], arriving[room<M>()];
    Vec* const kind = nullptr;
    for (std::size_t i = 0; i < M::kStates; ++i) {
      x[i] = load(s.states + static_cast<std::int64_t>(i) * s.columns + column, kind);
    }
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      arriving[r] = take_arriving(s, static_cast<std::int64_t>(r) * s.columns + column);
    }
    Vec waiting = load(s.waiting + column, kind);
    const Mask fired = M::step(x, c,
                               Entering{waiting, Coefficients<Vec>{&s.refractory, column}[0],
                                        M::kRandom ? load(s.random + column, kind) : Vec(0),
                                        current_of(s, column), arriving});
    Vec sum = 0;
    for (std::size_t i = 0; i < M::kStates; ++i) {
      store(x[i], s.states + static_cast<std::int64_t>(i) * s.columns + column);
      sum = sum + x[i];
    }
    store(waiting, s.waiting + column);
    conclude(s, column, fired, sum);
  }
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
  rule.prepare = M::prepare;
  rule.initial = M::initial;
  if constexpr (requires { &M::variable; }) rule.variable = M::variable;
  rule.takes_sums = requires {
    &M::step;
  }
  || rule.has_delta();
  rule.advance = advance;
  return rule;
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
