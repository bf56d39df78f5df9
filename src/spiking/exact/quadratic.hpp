#pragma once

#include <cmath>
#include <limits>

/// Solutions of u' = u^2 + m, on which quadratic neurons move.
namespace afterspike::spiking {

/// u(x) = (u(0) cosine + m sine) / (cosine - u(0) sine): the projective form is finite at poles of
/// u. cos(s x) and sin(s x) / s, s = sqrt(m); for m < 0 cosh and sinh, both times exp(-s x), which
/// cancels, so that none overflows.
struct QuadraticFlow {
  double cosine, sine;

  QuadraticFlow(double m, double x) {
    const double s = std::sqrt(std::abs(m));
    if (m > 0) {
      cosine = std::cos(s * x);
      sine = std::sin(s * x) / s;
    } else if (m < 0) {
      cosine = 0.5 * (1 + std::exp(-2 * s * x));
      sine = -0.5 * std::expm1(-2 * s * x) / s;
    } else {
      cosine = 1;
      sine = x;
    }
  }
  double operator()(double m, double u) const {
    return (u * cosine + m * sine) / (cosine - u * sine);
  }
};

/// The x at which u reaches `peak`; infinite if it never does. REQUIRES: u < peak, which may be
/// infinite.
inline double quadratic_time(double m, double u, double peak) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const bool infinite = std::isinf(peak);
  if (m > 0) {
    const double s = std::sqrt(m);
    return infinite ? std::atan2(s, u) / s : std::atan2(s * (peak - u), m + u * peak) / s;
  }
  // Between and at the fixed points +-s, u does not rise.
  const double s = std::sqrt(-m);
  if (u <= s && peak >= -s) return kNever;
  if (m == 0) return infinite ? 1 / u : (peak - u) / (u * peak);
  const double ratio = infinite ? 2 * s / (u - s) : 2 * s * (peak - u) / ((peak + s) * (u - s));
  return std::log1p(ratio) / (2 * s);
}

}  // namespace afterspike::spiking
