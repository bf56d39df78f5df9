#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

/// Common parts of passes through layers of any kind of neurons.
namespace afterspike::kernels {

/// The list of masks of a pass. Values are multiplied by `neurons` and `emitted` before they are
/// emitted, and emissions by `recurrent` before they reach the layer's own synapses. The arrays
/// must outlive the kernel.
template <typename T>
struct Masks {
  const T* neurons = nullptr;             ///< [neurons], or [rows, neurons]; nullptr: 1.
  bool of_rows = false;                   ///< `neurons` is [rows, neurons]: one for each sequence.
  const std::uint8_t* emitted = nullptr;  ///< [steps, rows, neurons] of 0 and 1; nullptr: all 1.
  T emitted_scale = 1;                    ///< Multiplies emissions whose mask is 1.
  const std::uint8_t* recurrent = nullptr;  ///< [steps, rows, neurons], by the step of arrival.
  T recurrent_scale = 1;
};

/// How much of a forward pass is kept for the backward pass.
struct History {
  bool kept = false;
  /// Steps of a segment, rounded up to whole chunks. All segments but the last are computed again
  /// by the backward pass, to the same bits, for up to one forward pass more.
  std::int64_t segment = 0;

  static History none() { return {}; }
  static History whole() { return {true, std::numeric_limits<std::int64_t>::max()}; }
};

/// Type of the factors of the recurrent products. float32: the type of the parameters. bfloat16:
/// factors are rounded to it and sums are float32, in single precision only. States and all other
/// operations keep the type of the parameters.
enum class Precision { float32, bfloat16 };

/// The names that users may give; the first of each precision is the one that is written.
inline constexpr std::pair<std::string_view, Precision> kPrecisions[] = {
    {"float32", Precision::float32},
    {"bfloat16", Precision::bfloat16},
    {"fp32", Precision::float32},
    {"bf16", Precision::bfloat16}};
constexpr std::string_view name_of(Precision precision) {
  return kPrecisions[precision == Precision::float32 ? 0 : 1].first;
}

/// The properties of a pass that decide its workspace, beside shape and history.
struct PassKind {
  bool recurrent_mask = false;  ///< Masks::recurrent is given.
  Precision precision = Precision::float32;
};

}  // namespace afterspike::kernels
