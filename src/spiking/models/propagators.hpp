#pragma once

#include <array>
#include <cmath>
#include <cstddef>

/// Coefficients by which linear equations advance over a step in closed form.
namespace afterspike::spiking {

/// (exp(-first t) - exp(-second t)) / (second - first), to full precision also where they are near.
inline double convolved(double first, double second, double time) {
  const double gap = (second - first) * time;
  return time * std::exp(-first * time) * (gap == 0 ? 1 : -std::expm1(-gap) / gap);
}

/// The integral of s exp(-synapse s) exp(-membrane (t - s)) over s in [0, t], likewise.
inline double convolved_twice(double synapse, double membrane, double time) {
  const double x = (membrane - synapse) * time;
  constexpr double kSeries = 0.05;
  double factor = 0;
  if (std::abs(x) < kSeries) {
    double term = 0.5;
    for (int order = 3; order < 14; ++order) {
      factor += term;
      term *= -x / order;
    }
  } else {
    factor = (1 + std::expm1(-x) / x) / x;
  }
  return time * time * std::exp(-synapse * time) * factor;
}

/// V' = -V / tau_m + (I + i_ex + i_in) / C_m with currents that decay by tau_ex and tau_in.
struct Propagators {
  double keep, keep_ex, keep_in;  ///< Decay factors of V, i_ex, i_in.
  double gain, gain_ex, gain_in;  ///< V by I, i_ex, i_in.

  Propagators(double tau_m, double C_m, double tau_ex, double tau_in, double dt)
      : keep(std::exp(-dt / tau_m)),
        keep_ex(std::exp(-dt / tau_ex)),
        keep_in(std::exp(-dt / tau_in)),
        gain(-std::expm1(-dt / tau_m) * tau_m / C_m),
        gain_ex(convolved(1 / tau_ex, 1 / tau_m, dt) / C_m),
        gain_in(convolved(1 / tau_in, 1 / tau_m, dt) / C_m) {}
};

template <std::size_t n>
using SquareMatrix = std::array<std::array<double, n>, n>;

/// exp(a) by Taylor's series of a / 2^k, squared k times.
template <std::size_t n>
SquareMatrix<n> matrix_exponential(SquareMatrix<n> a) {
  const auto times = [](const SquareMatrix<n>& one, const SquareMatrix<n>& other) {
    SquareMatrix<n> product{};
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < n; ++k) {
        if (one[i][k] == 0) continue;  // Most are, since equations depend on few others.
        for (std::size_t j = 0; j < n; ++j) product[i][j] += one[i][k] * other[k][j];
      }
    }
    return product;
  };
  double size = 0;
  for (const auto& row : a) {
    for (const double value : row) size += std::abs(value);
  }
  int halvings = 0;
  for (; std::isfinite(size) && size > 0.1; size /= 2) ++halvings;
  for (auto& row : a) {
    for (double& value : row) value = std::ldexp(value, -halvings);
  }
  SquareMatrix<n> sum{}, term{};
  for (std::size_t i = 0; i < n; ++i) sum[i][i] = term[i][i] = 1;
  for (int order = 1; order < 14; ++order) {
    term = times(term, a);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        term[i][j] /= order;
        sum[i][j] += term[i][j];
      }
    }
  }
  for (; halvings > 0; --halvings) sum = times(sum, sum);
  return sum;
}

}  // namespace afterspike::spiking
