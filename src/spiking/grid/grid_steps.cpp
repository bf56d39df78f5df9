#include "grid/grid_steps.hpp"

#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/grid_steps.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<double, static_cast<std::size_t>(kLanes)>;
using V = hn::Vec<D>;

HWY_INLINE V load(const Coefficient& coefficient, std::int64_t column) {
  return hn::LoadU(D(), coefficient.data + coefficient.step * column);
}

/// Returns the drive of the voltage by synapses in this step, from their state at its start. Then
/// advances the synapses.
template <GridSynapse kSynapse>
HWY_INLINE V synapses(const LeakyStep& s, std::int64_t column) {
  const D d;
  V drive = hn::Zero(d);
  for (std::int64_t p = 0; p < s.receptors; ++p) {
    const std::int64_t at = p * s.columns + column;
    V arriving = hn::Zero(d);
    if (s.arriving != nullptr) {
      arriving = hn::LoadU(d, s.arriving + at);
      hn::StoreU(hn::Zero(d), d, s.arriving + at);
    }
    if constexpr (kSynapse == GridSynapse::delta) {
      drive = hn::Add(drive, arriving);
    } else {
      const V current = hn::LoadU(d, s.synaptic + at);
      const V keep = load(s.synapse_keep[p], column);
      drive = hn::MulAdd(load(s.synapse_gain[p], column), current, drive);
      if constexpr (kSynapse == GridSynapse::exponential) {
        hn::StoreU(hn::MulAdd(keep, current, arriving), d, s.synaptic + at);
      } else {
        const V rise = hn::LoadU(d, s.rise + at);
        drive = hn::MulAdd(load(s.rise_gain[p], column), rise, drive);
        hn::StoreU(hn::MulAdd(load(s.rise_keep[p], column), rise, hn::Mul(keep, current)), d,
                   s.synaptic + at);
        hn::StoreU(hn::MulAdd(keep, rise, hn::Mul(load(s.rise_jump[p], column), arriving)), d,
                   s.rise + at);
      }
    }
  }
  return drive;
}

template <bool kSpikePart, bool kCurrents, bool kVoltagePart, GridSynapse kSynapse>
std::int64_t leaky(const LeakyStep& s, std::uint32_t* spiked) {
  const D d;
  const V zero = hn::Zero(d);
  std::int64_t count = 0;
  for (std::int64_t column = 0; column < s.columns;
       column += static_cast<std::int64_t>(hn::Lanes(d))) {
    const V before = hn::LoadU(d, s.voltage + column);
    const V waiting = hn::LoadU(d, s.waiting + column);
    const auto active = hn::Eq(waiting, zero);
    V drive = load(s.external, column);
    if constexpr (kCurrents) {
      for (std::int64_t j = 0; j < s.currents; ++j) {
        double* place = s.current + j * s.columns + column;
        const V current = hn::LoadU(d, place);
        drive = hn::MulAdd(load(s.current_mean[j], column), current, drive);
        const V next = hn::Mul(current, load(s.current_keep[j], column));
        hn::StoreU(hn::IfThenElse(active, next, current), d, place);
      }
    }
    const V keep = load(s.keep, column);
    V voltage = hn::MulAdd(drive, load(s.gain, column), synapses<kSynapse>(s, column));
    voltage = hn::MulAdd(before, keep, voltage);
    V threshold = load(s.threshold, column);
    V spike_part = zero;
    if constexpr (kSpikePart) {
      const V old = hn::LoadU(d, s.spike_part + column);
      spike_part = hn::IfThenElse(active, hn::Mul(old, load(s.spike_keep, column)), old);
      hn::StoreU(spike_part, d, s.spike_part + column);
      threshold = hn::Add(threshold, spike_part);
    }
    if constexpr (kVoltagePart) {
      const V old = hn::LoadU(d, s.voltage_part + column);
      const V target = hn::Mul(drive, load(s.resistance, column));
      V part = hn::Mul(old, load(s.part_keep, column));
      part = hn::MulAdd(hn::Sub(before, target), load(s.part_gain, column), part);
      part = hn::MulAdd(target, load(s.part_drive, column), part);
      part = hn::IfThenElse(active, part, old);
      hn::StoreU(part, d, s.voltage_part + column);
      threshold = hn::Add(threshold, part);
    }
    const auto fires = hn::And(active, hn::Gt(voltage, threshold));
    voltage = hn::IfThenElse(active, voltage, before);
    V left = hn::IfThenElseZero(hn::Not(active), hn::Sub(waiting, hn::Set(d, 1.0)));
    if (HWY_UNLIKELY(!hn::AllFalse(d, fires))) {
      left = hn::IfThenElse(fires, load(s.refractory, column), left);
      if constexpr (kSpikePart) {
        const V reset = hn::MulAdd(load(s.fraction, column), before, load(s.add, column));
        voltage = hn::IfThenElse(fires, reset, voltage);
        const V raised =
            hn::MulAdd(spike_part, load(s.spike_refractory, column), load(s.spike_add, column));
        hn::StoreU(hn::IfThenElse(fires, raised, spike_part), d, s.spike_part + column);
      } else {
        voltage = hn::IfThenElse(fires, load(s.reset, column), voltage);
      }
      if constexpr (kCurrents) {
        for (std::int64_t j = 0; j < s.currents; ++j) {
          double* place = s.current + j * s.columns + column;
          const V current = hn::LoadU(d, place);
          const V after = hn::MulAdd(current, load(s.current_factor[j], column),
                                     load(s.current_add[j], column));
          hn::StoreU(hn::IfThenElse(fires, after, current), d, place);
        }
      }
      HWY_ALIGN double lanes[kLanes];
      hn::Store(hn::IfThenElseZero(fires, hn::Set(d, 1.0)), d, lanes);
      for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane) {
        if (lanes[lane] != 0) {
          spiked[count++] = static_cast<std::uint32_t>(column + static_cast<std::int64_t>(lane));
        }
      }
    }
    hn::StoreU(voltage, d, s.voltage + column);
    hn::StoreU(left, d, s.waiting + column);
  }
  return count;
}

template <bool kSpikePart, bool kCurrents, bool kVoltagePart>
std::int64_t with_synapse(const LeakyStep& s, std::uint32_t* spiked) {
  switch (s.synapse) {
    case GridSynapse::alpha:
      return leaky<kSpikePart, kCurrents, kVoltagePart, GridSynapse::alpha>(s, spiked);
    case GridSynapse::exponential:
      return leaky<kSpikePart, kCurrents, kVoltagePart, GridSynapse::exponential>(s, spiked);
    default:
      return leaky<kSpikePart, kCurrents, kVoltagePart, GridSynapse::delta>(s, spiked);
  }
}

std::int64_t any_leaky(const LeakyStep& s, std::uint32_t* spiked) {
  const bool currents = s.currents > 0;
  if (s.voltage_threshold) return with_synapse<true, true, true>(s, spiked);
  if (s.spike_threshold && currents) return with_synapse<true, true, false>(s, spiked);
  if (s.spike_threshold) return with_synapse<true, false, false>(s, spiked);
  if (currents) return with_synapse<false, true, false>(s, spiked);
  return with_synapse<false, false, false>(s, spiked);
}

void glifr(const GlifrStep& s) {
  const D d;
  for (std::int64_t column = 0; column < s.columns;
       column += static_cast<std::int64_t>(hn::Lanes(d))) {
    const V spiked = hn::LoadU(d, s.spiked + column);
    V total = load(s.bias, column);
    for (std::int64_t j = 0; j < s.currents; ++j) {
      double* place = s.current + j * s.columns + column;
      const V current = hn::LoadU(d, place);
      const V driven =
          hn::MulAdd(load(s.multiplicative[j], column), current, load(s.additive[j], column));
      const V next = hn::MulAdd(driven, spiked, hn::Mul(current, load(s.current_keep[j], column)));
      hn::StoreU(next, d, place);
      total = hn::Add(total, next);
    }
    const V input = hn::LoadU(d, s.arriving + column);
    hn::StoreU(hn::Zero(d), d, s.arriving + column);
    V voltage =
        hn::MulAdd(hn::LoadU(d, s.voltage + column), hn::Sub(load(s.keep, column), spiked), input);
    voltage = hn::MulAdd(spiked, load(s.reset, column), voltage);
    voltage = hn::MulAdd(load(s.gain, column), total, voltage);
    hn::StoreU(voltage, d, s.voltage + column);
  }
}

/// 0 times a value is NaN if it is infinite or NaN, and a sum with a NaN is one.
bool are_finite(const double* values, std::int64_t count) {
  const D d;
  const V zero = hn::Zero(d);
  V sum = zero;
  for (std::int64_t at = 0; at < count; at += static_cast<std::int64_t>(hn::Lanes(d))) {
    sum = hn::MulAdd(hn::LoadU(d, values + at), zero, sum);
  }
  return hn::AllTrue(d, hn::Eq(sum, zero));
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(any_leaky);
HWY_EXPORT(glifr);
HWY_EXPORT(are_finite);

std::int64_t leaky_step(const LeakyStep& step, std::uint32_t* spiked) {
  return HWY_DYNAMIC_DISPATCH(any_leaky)(step, spiked);
}

void glifr_step(const GlifrStep& step) {
  HWY_DYNAMIC_DISPATCH(glifr)(step);
}

bool all_finite(const double* values, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(are_finite)(values, count);
}

}  // namespace afterspike::spiking
#endif
