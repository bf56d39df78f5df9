#include "afterspike/kernels/glif.hpp"

#include "glif_step.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "glif.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include "arena.hpp"
#include "glif_lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The widest vectors that rows of neurons are padded for.
template <typename T>
using GlifTag = hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)>;

template <typename T>
HWY_INLINE void advance_synapses(const GlifLanes<GlifTag<T>>& v) {
  const GlifStep<T>& s = v.step;
  for (std::int64_t p = 0; p < s.sizes.receptors; ++p) {
    const auto keep = v.of(s.c.synapse_keep, p), arriving = v.load(v.target(1 + p));
    T* synaptic = s.after + s.sizes.synaptic(p) + v.at;
    if (!s.sizes.alpha) {
      hn::Store(hn::MulAdd(keep, v.synaptic(p), arriving), v.d, synaptic);
      continue;
    }
    const auto rise = v.rise(p);
    hn::Store(hn::MulAdd(v.of(s.c.rise_keep, p), rise, hn::Mul(keep, v.synaptic(p))), v.d,
              synaptic);
    hn::Store(hn::MulAdd(keep, rise, hn::Mul(v.of(s.c.rise_jump, p), arriving)), v.d,
              s.after + s.sizes.rise(p) + v.at);
  }
}

template <typename T>
HWY_INLINE void advance(const GlifLanes<GlifTag<T>>& v) {
  const GlifStep<T>& s = v.step;
  const auto store = [&](auto value, std::int64_t plane) {
    hn::Store(value, v.d, s.after + plane + v.at);
  };
  store(v.mixed(v.before, v.voltage, v.reset), 0);
  if (s.sizes.spike_threshold) {
    const auto raised = hn::MulAdd(v.of(s.c.spike_refractory), v.spike_part, v.of(s.c.spike_add));
    store(v.mixed(v.state(s.sizes.spike_part()), v.spike_part, raised), s.sizes.spike_part());
  }
  if (s.sizes.voltage_threshold) {
    const auto old = v.state(s.sizes.voltage_part());
    const auto waits = hn::Sub(hn::Set(v.d, T(1)), v.active);
    store(hn::MulAdd(waits, old, hn::Mul(v.active, v.voltage_part)), s.sizes.voltage_part());
  }
  for (std::int64_t j = 0; j < s.sizes.currents; ++j) {
    const auto old = v.current(j), passed = hn::Mul(v.of(s.c.current_keep, j), old);
    const auto after = hn::MulAdd(v.of(s.c.current_factor, j), passed, v.of(s.c.current_add, j));
    store(v.mixed(old, passed, after), s.sizes.current(j));
  }
  advance_synapses<T>(v);
  hn::Store(v.spiked, v.d, s.spiked + v.at);
  const auto emitted = s.factor == nullptr ? v.spiked : hn::Mul(v.spiked, v.load(s.factor + v.at));
  hn::Store(emitted, v.d, s.emitted + v.at);
}

/// The adjoint of advance() for a vector of neurons.
template <class D, class V = hn::Vec<D>, typename T = hn::TFromD<D>>
struct GlifAdjoint {
  GlifAdjoint(const GlifLanes<D>& lanes, const GlifGradients<T>& gradients)
      : v(lanes), s(lanes.step), g(gradients) {}

  V by(std::int64_t plane) const { return v.load(g.state + plane + v.at); }
  void store(V value, std::int64_t plane) const { hn::Store(value, d, g.state + plane + v.at); }
  void add(T* sums, V value, std::int64_t number = 0) const {
    T* to = sums + number * s.sizes.columns + v.column;
    hn::Store(hn::Add(v.load(to), value), d, to);
  }

  void run() {
    by_spikes();
    by_parts_of_threshold();
    by_voltage_and_drive();
    by_currents();
    by_synapses();
  }

  /// Gradients by s, A and the distance from the threshold.
  void by_spikes() {
    const GlifSizes& z = s.sizes;
    by_spiked = v.load(g.emitted + v.at);
    if (s.factor != nullptr) by_spiked = hn::Mul(by_spiked, v.load(s.factor + v.at));
    for (std::int64_t r = 0; r < z.refractory && g.active_after[r] != nullptr; ++r) {
      by_spiked = hn::NegMulAdd(v.of(s.c.waiting, r), v.load(g.active_after[r] + v.at), by_spiked);
    }
    V by_active = hn::Zero(d);
    const auto choose = [&](V by_state, V old, V passed, V after) {
      by_spiked = hn::MulAdd(by_state, hn::Sub(after, passed), by_spiked);
      by_active = hn::MulAdd(by_state, hn::Sub(passed, old), by_active);
    };
    choose(by(0), v.before, v.voltage, v.reset);
    if (z.spike_threshold) {
      const V raised = hn::MulAdd(v.of(s.c.spike_refractory), v.spike_part, v.of(s.c.spike_add));
      choose(by(z.spike_part()), v.state(z.spike_part()), v.spike_part, raised);
    }
    if (z.voltage_threshold) {
      const V moved = hn::Sub(v.voltage_part, v.state(z.voltage_part()));
      by_active = hn::MulAdd(by(z.voltage_part()), moved, by_active);
    }
    for (std::int64_t j = 0; j < z.currents; ++j) {
      const V passed = hn::Mul(v.of(s.c.current_keep, j), v.current(j));
      const V after = hn::MulAdd(v.of(s.c.current_factor, j), passed, v.of(s.c.current_add, j));
      choose(by(z.current(j)), v.current(j), passed, after);
    }
    by_active = hn::MulAdd(by_spiked, v.crossed, by_active);
    hn::Store(by_active, d, g.active + v.at);
    for (std::int64_t r = 0; r < z.refractory; ++r) {
      add(g.sums.waiting, hn::Neg(hn::Mul(by_active, v.load(s.spiked_before[r] + v.at))), r);
    }
    by_above = hn::Mul(hn::Mul(by_spiked, v.active), v.steepness());
    waits = hn::Sub(hn::Set(d, T(1)), v.active);
    quiet = hn::Sub(v.active, v.spiked);
  }

  void by_parts_of_threshold() {
    const GlifSizes& z = s.sizes;
    if (z.spike_threshold) {
      const V by_part = by(z.spike_part()), raised = hn::Mul(v.spiked, by_part);
      V by_passed = hn::MulSub(by_part, quiet, by_above);
      by_passed = hn::MulAdd(raised, v.of(s.c.spike_refractory), by_passed);
      add(g.sums.spike_add, raised);
      add(g.sums.spike_refractory, hn::Mul(raised, v.spike_part));
      add(g.sums.spike_keep, hn::Mul(by_passed, v.state(z.spike_part())));
      store(hn::MulAdd(waits, by_part, hn::Mul(v.of(s.c.spike_keep), by_passed)), z.spike_part());
    }
    by_voltage_part = hn::Zero(d);
    if (z.voltage_threshold) {
      const V by_part = by(z.voltage_part());
      by_voltage_part = hn::MulSub(by_part, v.active, by_above);
      add(g.sums.part_keep, hn::Mul(by_voltage_part, v.state(z.voltage_part())));
      add(g.sums.part_gain, hn::Mul(by_voltage_part, v.before));
      add(g.sums.part_drive, hn::Mul(by_voltage_part, v.drive));
      store(hn::MulAdd(waits, by_part, hn::Mul(v.of(s.c.part_keep), by_voltage_part)),
            z.voltage_part());
    }
  }

  void by_voltage_and_drive() {
    const GlifSizes& z = s.sizes;
    const V by_after = by(0), by_reset = hn::Mul(v.spiked, by_after);
    by_voltage = hn::MulAdd(by_after, quiet, by_above);
    V by_before = hn::MulAdd(waits, by_after, hn::Mul(v.of(s.c.keep), by_voltage));
    V by_threshold = hn::Neg(by_above);
    by_drive = hn::Mul(v.of(s.c.gain), by_voltage);
    if (z.spike_threshold) {
      const V fraction = v.of(s.c.fraction);
      by_before = hn::MulAdd(fraction, by_reset, by_before);
      by_threshold = hn::NegMulAdd(fraction, by_reset, by_threshold);
      add(g.sums.fraction, hn::Mul(by_reset, hn::Sub(v.before, v.of(s.c.threshold))));
    }
    if (z.voltage_threshold) {
      by_before = hn::MulAdd(v.of(s.c.part_gain), by_voltage_part, by_before);
      by_drive = hn::MulAdd(v.of(s.c.part_drive), by_voltage_part, by_drive);
    }
    add(g.sums.keep, hn::Mul(by_voltage, v.before));
    add(g.sums.gain, hn::Mul(by_voltage, v.drive));
    add(g.sums.threshold, by_threshold);
    add(g.sums.reset, by_reset);
    store(by_before, 0);
  }

  void by_currents() {
    for (std::int64_t j = 0; j < s.sizes.currents; ++j) {
      const std::int64_t plane = s.sizes.current(j);
      const V by_current = by(plane), own = v.current(j);
      const V passed = hn::Mul(v.of(s.c.current_keep, j), own);
      const V after = hn::Mul(v.spiked, by_current);
      const V by_passed =
          hn::MulAdd(by_current, quiet, hn::Mul(after, v.of(s.c.current_factor, j)));
      add(g.sums.current_add, after, j);
      add(g.sums.current_factor, hn::Mul(after, passed), j);
      add(g.sums.current_keep, hn::Mul(by_passed, own), j);
      add(g.sums.current_mean, hn::Mul(by_drive, own), j);
      V by_before = hn::MulAdd(waits, by_current, hn::Mul(v.of(s.c.current_keep, j), by_passed));
      by_before = hn::MulAdd(v.of(s.c.current_mean, j), by_drive, by_before);
      store(by_before, plane);
    }
  }

  void by_synapses() {
    hn::Store(by_drive, d, v.target(0));
    for (std::int64_t p = 0; p < s.sizes.receptors; ++p) {
      const std::int64_t plane = s.sizes.synaptic(p);
      const V by_synaptic = by(plane), keep = v.of(s.c.synapse_keep, p);
      add(g.sums.synapse_gain, hn::Mul(by_voltage, v.synaptic(p)), p);
      V by_keep = hn::Mul(by_synaptic, v.synaptic(p));
      store(hn::MulAdd(v.of(s.c.synapse_gain, p), by_voltage, hn::Mul(keep, by_synaptic)), plane);
      V by_arriving = by_synaptic;
      if (s.sizes.alpha) {
        const V by_rise = by(s.sizes.rise(p)), rise = v.rise(p);
        by_arriving = hn::Mul(by_rise, v.of(s.c.rise_jump, p));
        add(g.sums.rise_jump, hn::Mul(by_rise, v.load(v.target(1 + p))), p);
        add(g.sums.rise_keep, hn::Mul(by_synaptic, rise), p);
        add(g.sums.rise_gain, hn::Mul(by_voltage, rise), p);
        by_keep = hn::MulAdd(by_rise, rise, by_keep);
        V by_before = hn::MulAdd(keep, by_rise, hn::Mul(v.of(s.c.rise_keep, p), by_synaptic));
        by_before = hn::MulAdd(v.of(s.c.rise_gain, p), by_voltage, by_before);
        store(by_before, s.sizes.rise(p));
      }
      add(g.sums.synapse_keep, by_keep, p);
      hn::Store(by_arriving, d, v.target(1 + p));
    }
  }

  const D d{};
  const GlifLanes<D>& v;
  const GlifStep<T>& s;
  const GlifGradients<T>& g;
  V by_spiked, by_above, by_voltage, by_drive, by_voltage_part, waits, quiet;
};

template <typename T, typename Visit>
HWY_INLINE void for_lanes(const GlifStep<T>& s, const Visit& visit) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(GlifTag<T>()));
  for (std::int64_t i = 0; i < s.sizes.columns; i += lanes) {
    for (std::int64_t row = 0; row < s.sizes.rows; ++row) {
      visit(GlifLanes<GlifTag<T>>(s, row, i));
    }
  }
}

template <typename T>
void glif_forward(const GlifStep<T>& s) {
  for_lanes(s, [](const auto& lanes) { advance<T>(lanes); });
}
template <typename T>
void glif_backward(const GlifStep<T>& s, const GlifGradients<T>& g) {
  for_lanes(s, [&](const auto& lanes) { GlifAdjoint<GlifTag<T>>(lanes, g).run(); });
}

// Highway's tables hold plain functions.
void glif_forward_float(const GlifStep<float>& s) {
  glif_forward(s);
}
void glif_forward_double(const GlifStep<double>& s) {
  glif_forward(s);
}
void glif_backward_float(const GlifStep<float>& s, const GlifGradients<float>& g) {
  glif_backward(s, g);
}
void glif_backward_double(const GlifStep<double>& s, const GlifGradients<double>& g) {
  glif_backward(s, g);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "glif_cells.hpp"

namespace afterspike::kernels {

HWY_EXPORT(glif_forward_float);
HWY_EXPORT(glif_forward_double);
HWY_EXPORT(glif_backward_float);
HWY_EXPORT(glif_backward_double);

void step_forward(const GlifStep<float>& s) {
  HWY_DYNAMIC_DISPATCH(glif_forward_float)(s);
}
void step_forward(const GlifStep<double>& s) {
  HWY_DYNAMIC_DISPATCH(glif_forward_double)(s);
}
void step_back(const GlifStep<float>& s, const GlifGradients<float>& g) {
  HWY_DYNAMIC_DISPATCH(glif_backward_float)(s, g);
}
void step_back(const GlifStep<double>& s, const GlifGradients<double>& g) {
  HWY_DYNAMIC_DISPATCH(glif_backward_double)(s, g);
}

template class SequenceKernel<Glif, float>;
template class SequenceKernel<Glif, double>;

}  // namespace afterspike::kernels
#endif
