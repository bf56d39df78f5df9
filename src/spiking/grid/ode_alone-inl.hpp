// One neuron through one step of the grid, in steps of its own length. Included again for each
// instruction set.

#if defined(AFTERSPIKE_ODE_ALONE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_ODE_ALONE_INL_HPP
#undef AFTERSPIKE_ODE_ALONE_INL_HPP
#else
#define AFTERSPIKE_ODE_ALONE_INL_HPP
#endif

#include <limits>

#include "grid/ode_integrate-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// Fraction of the tolerance for a neuron that has sub-steps of its own. An upstroke decides when
/// the neuron spikes.
constexpr double kAlone = 0.1;

/// Max sub-steps of one neuron in a step; an upstroke to the peak takes about 150.
constexpr int kMostSubSteps = 20000;

/// One neuron through one step, in steps of their own length.
template <typename M, bool kGap>
class Alone {
 public:
  Alone(const OdeStep& step, std::int64_t column, double current, Neuron<M, double> start,
        double waiting)
      : n_(start),
        c_{step.coefficients, column},
        step_(step),
        gap_(step, column),
        current_(current),
        waiting_(waiting),
        refractory_(step.refractory.data[step.refractory.step * column]) {
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      const Coefficient& rate = step.decays[r * Decay::count + Decay::rate];
      rate_[r] = rate.data[rate.step * column];
    }
  }

  void advance() {
    const double dt = step_.dt_ms;
    double hold = M::kHolds ? waiting_ * dt : 0;
    waiting_ = max(waiting_ - 1, 0.0);
    double length = dt / static_cast<double>(step_.sub_steps * kFineSubSteps);
    int tried = 0;
    for (; dt - time_ > 1e-12 * dt && count_ < 2; ++tried) {
      if (!std::isfinite(n_.x[0]) || tried > kMostSubSteps) {
        n_.x[0] = std::numeric_limits<double>::quiet_NaN();  // conclude() reports it.
        break;
      }
      const bool held = hold > 0;
      const double rest = held ? min(hold, dt - time_) : dt - time_;
      const double h = min(length, rest);
      const Neuron<M, double> before = n_;
      const Accuracy<double> accuracy = take(h, !held);
      const bool accurate = accuracy.error <= accuracy.allowed;
      if (!accurate && h > least()) {
        n_ = before;
        length = max(h * factor(accuracy), least());
        continue;
      }
      if constexpr (M::kPeak) {
        // A V that runs away takes less than the shortest step to reach the peak.
        const bool reached =
            at_peak(n_, c_) || !std::isfinite(n_.x[0]) || (!accurate && n_.x[0] > before.x[0]);
        if (!held && reached) {
          time_ += accurate ? find_peak(before, h) : h;
          hold = spike(dt - time_);
          length = dt - time_;
          continue;
        }
      }
      time_ += h;
      if (held) hold = h < hold ? hold - h : 0;
      length = max(h * factor(accuracy), least());
    }
    if (M::kExactRefractory) waiting_ = hold / dt;
  }

  const Neuron<M, double>& neuron() const { return n_; }
  double waiting() const { return waiting_; }
  int count() const { return count_; }

 private:
  double least() const { return 1e-9 * step_.dt_ms; }

  /// One step of length h.
  HWY_NOINLINE Accuracy<double> take(double h, bool free) {
    double keep[room<M>()];
    for (std::size_t r = 0; r < receptors<M>(); ++r) keep[r] = exp(-0.5 * h * rate_[r]);
    const Drive<double, kGap> drive{current_, gap_, time_ / step_.dt_ms, h / step_.dt_ms};
    Accuracy<double> accuracy = runge_kutta<M, double>(n_, c_, drive, keep, h, free);
    accuracy.allowed *= kAlone * strictness(step_);
    return accuracy;
  }

  static double factor(const Accuracy<double>& accuracy) {
    const double ratio = accuracy.allowed / max(accuracy.error, 1e-300);
    return std::isfinite(ratio) ? std::clamp(0.9 * std::cbrt(ratio), 0.1, 5.0) : 0.1;
  }

  /// The part of a step from `before` after which V is at the peak, by the Illinois method; the
  /// state is the one of that time.
  double find_peak(const Neuron<M, double>& before, double h) {
    const double peak = M::peak(c_);
    double low = 0, high = h, below = before.x[0] - peak, above = n_.x[0] - peak;
    int same = 0;
    for (int round = 0; round < 60 && high - low > 1e-10 * step_.dt_ms && above > 1e-10; ++round) {
      double middle = (low * above - high * below) / (above - below);
      if (!(middle > low && middle < high)) middle = 0.5 * (low + high);
      n_ = before;
      take(middle, true);
      const double value = n_.x[0] - peak;
      if (value >= 0) {
        high = middle;
        above = value;
        if (same == 1) below *= 0.5;
        same = 1;
      } else {
        low = middle;
        below = value;
        if (same == -1) above *= 0.5;
        same = -1;
      }
    }
    n_ = before;
    take(high, true);
    return high;
  }

  /// Returns the time for which V is held.
  double spike(double rest) {
    ++count_;
    M::reset(true, n_.x, c_);
    if constexpr (M::kExactRefractory) return refractory_ * step_.dt_ms;
    waiting_ = refractory_;
    return refractory_ > 0 ? rest : 0;
  }

  Neuron<M, double> n_;
  Coefficients<double> c_;
  const OdeStep& step_;
  GapInput<double> gap_;
  double current_, waiting_, refractory_;
  double time_ = 0;  ///< Since the begin of the step.
  double rate_[room<M>()];
  int count_ = 0;
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
