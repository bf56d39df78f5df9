#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "afterspike/kernels/pass.hpp"

/// GLIFR layers over whole sequences: forward, and the exact gradients of any loss of what the
/// neurons emit. For each step t from 0 and each neuron, with everything at rest before:
///
///   u(t)   = x(t) W_in + S(t-D) W_lat
///   I_j(t) = current_keep_j I_j(t-1) + (additive_j + multiplicative_j I_j(t-1)) S(t-1)
///   V(t)   = u(t) + (keep - emission S(t-1)) V(t-1) + emission reset S(t-1)
///            + gain (bias + sum_j I_j(t))
///   S(t)   = factor(t) / (1 + exp(-slope (V(t) - threshold)))
///
/// These are equations (1) to (4) of docs/numerics.md with coefficients for keep = 1 - dt k_m,
/// gain = dt k_m R, current_keep = 1 - dt k_j, multiplicative = r_j dt / tau,
/// additive = a_j dt / tau, emission = dt / tau, slope = 1 / sigma. How the coefficients come from
/// what is trained is not known here.
namespace afterspike::kernels {

/// As many after-spike currents as a neuron may have.
inline constexpr std::int64_t kMostCurrents = 64;

/// Sizes of a shard of a batch.
struct GlifrShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t neurons = 0;
  std::int64_t currents = 0;  ///< After-spike currents of each neuron, up to kMostCurrents.
  std::int64_t delay = 1;     ///< Of the recurrent synapses, in steps; at least 1.
};

/// Coefficients, [neurons] or [currents, neurons] each, and weights [from, to], all contiguous.
/// They are copied where the kernel is made.
template <typename T>
struct GlifrParameters {
  const T *threshold, *slope, *keep, *gain;
  const T *current_keep, *multiplicative, *additive;
  const T *input_weight, *recurrent_weight;
  T emission = 1, reset = 0, bias = 0;
};

/// Where gradients are written, in the shapes of the parameters; `input` [steps, rows, inputs] may
/// be null.
template <typename T>
struct GlifrGradients {
  T *threshold, *slope, *keep, *gain;
  T *current_keep, *multiplicative, *additive;
  T *input_weight, *recurrent_weight;
  T* input = nullptr;
};

/// One pass of one shard through a layer, on the calling thread. T is float or double. Works in a
/// workspace that is leased for as long as the object lives.
template <typename T>
class GlifrKernel {
 public:
  /// Takes `workspace` bytes where it needs less, so that one after it with longer sequences finds
  /// them.
  /// REQUIRES: sizes of at least 1 (currents: 0), a history for backward(); has_bfloat16()
  /// (gemm.hpp) for products in bfloat16.
  GlifrKernel(const GlifrShape& shape, const GlifrParameters<T>& parameters, const Masks<T>& masks,
              History history, Products products = Products::own, std::size_t workspace = 0);
  ~GlifrKernel();
  GlifrKernel(const GlifrKernel&) = delete;
  GlifrKernel& operator=(const GlifrKernel&) = delete;

  /// Runs the sequence `input` [steps, rows, inputs] and writes what is emitted from step `first`
  /// on, [steps - first, rows, neurons].
  void forward(const T* input, std::int64_t first, T* emitted);

  /// The gradients, for the gradient of the loss by what forward() wrote. Once after forward(),
  /// with the same input.
  void backward(const T* input, const T* emitted_gradient, const GlifrGradients<T>& gradients);

  /// Bytes of workspace that such an object takes; `recurrent_mask`: Masks::recurrent is
  /// given.
  static std::size_t workspace_bytes(const GlifrShape& shape, History history,
                                     bool recurrent_mask = false,
                                     Products products = Products::own);

  /// The history with the longest segments whose workspace takes at most `limit` bytes; where none
  /// does, the one that takes least.
  static History longest_history(const GlifrShape& shape, bool recurrent_mask, Products products,
                                 std::size_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::kernels
