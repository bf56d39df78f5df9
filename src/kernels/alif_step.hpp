#pragma once

#include <cstdint>

namespace afterspike::kernels {

/// One step of ALIF neurons of all rows, beside its products; equations in alif.hpp. Planes are
/// [rows, columns], coefficients and sums [columns]; columns are a multiple of kRowElements.
template <typename T>
struct AlifStep {
  std::int64_t rows = 0, columns = 0;
  T slope = 1;
  const T *threshold, *strength, *keep, *adaptation_keep;
  const T* factor;  ///< Factor of emissions; nullptr: 1.
  const T *voltage_before, *adaptation_before, *emitted_before;
  T* voltage;  ///< Forward: u(t), then V(t). Back: V(t), then its gradient.
  T *adaptation, *emitted;
};

template <typename T>
struct AlifGradients {
  const T* emitted;                                  ///< By S(t), from readout and synapses.
  const T* voltage_after;                            ///< By V(t+1); nullptr: 0.
  T* adaptation;                                     ///< By a(t+1), replaced by that of a(t).
  T *threshold, *strength, *keep, *adaptation_keep;  ///< Sums over rows and steps.
};

}  // namespace afterspike::kernels
