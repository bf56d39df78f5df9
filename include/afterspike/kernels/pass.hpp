#pragma once

#include <cstdint>
#include <limits>

/// What passes through layers have in common, whatever their neurons.
namespace afterspike::kernels {

/// What becomes of a value before it is emitted, and of what is emitted before it comes back to the
/// layer. Must live as long as the kernel.
template <typename T>
struct Masks {
  const T* neurons = nullptr;               ///< [neurons], multiplied; null: 1.
  const std::uint8_t* emitted = nullptr;    ///< [steps, rows, neurons] of 0 and 1; null: all 1.
  T emitted_scale = 1;                      ///< Multiplies what is kept.
  const std::uint8_t* recurrent = nullptr;  ///< The same of what comes back at a step.
  T recurrent_scale = 1;
};

/// How much of a forward pass is kept for the backward pass.
struct History {
  bool kept = false;
  /// The sequence is cut into segments of about so many steps; all but the last are computed again
  /// in the backward pass, to the same bits, for up to one forward pass more.
  std::int64_t segment = 0;

  static History none() { return {}; }
  static History whole() { return {true, std::numeric_limits<std::int64_t>::max()}; }
};

/// In what the products with the recurrent weights are computed: `own`: in T; `bfloat16`: their
/// factors are rounded to it, the sums are float32 (T is float only). State and everything else
/// stay in T.
enum class Products { own, bfloat16 };

}  // namespace afterspike::kernels
