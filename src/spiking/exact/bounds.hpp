#pragma once

#include <algorithm>

/// Bounds of functions over an interval.
namespace afterspike::spiking {

struct Bounds {
  double low, high;
};

inline Bounds operator+(Bounds one, Bounds other) {
  return {one.low + other.low, one.high + other.high};
}
inline Bounds operator-(Bounds one, Bounds other) {
  return {one.low - other.high, one.high - other.low};
}
inline Bounds operator*(double factor, Bounds one) {
  return factor >= 0 ? Bounds{factor * one.low, factor * one.high}
                     : Bounds{factor * one.high, factor * one.low};
}
inline Bounds between(double one, double other) {
  return {std::min(one, other), std::max(one, other)};
}

/// Bounds of y over `length`, where y' = input - rate y and y(0) = start. If f <= F over an
/// interval and y' = f - r y, then y <= y(0) + max(0, F - r y(0)) t and y <= max(y(0), F / r).
inline Bounds lagged(double start, double rate, Bounds input, double length) {
  const double up = input.high - rate * start, down = input.low - rate * start;
  Bounds bounds{start, start};
  if (up > 0) bounds.high = std::min(start + up * length, input.high / rate);
  if (down < 0) bounds.low = std::max(start + down * length, input.low / rate);
  return bounds;
}

}  // namespace afterspike::spiking
