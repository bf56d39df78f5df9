#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include "afterspike/kernels/pass.hpp"
#include "afterspike/nn/neuron_layer.hpp"

/// How layers call whole-sequence kernels: what does not depend on the model of the neurons.
namespace afterspike::nn {

/// True where kernels compute with tensors like this one: on the CPU, in float32 or float64.
bool has_kernel(const at::Tensor& tensor);

/// True where a pass is to be computed by the kernel of a layer, which may or may not compute in
/// Precision::bfloat16.
bool takes_kernel(const at::Tensor& input, const LayerPass& pass, bool bfloat16 = false);

/// A kernel in the middle of its work, as the tape keeps it.
class SequencePass : public torch::CustomClassHolder {
 public:
  /// The results, each differentiable.
  virtual std::vector<at::Tensor> forward() = 0;

  /// Writes the gradients by the tensors that differentiable_pass() was given, in their order, for
  /// the gradients by the results (contiguous; undefined: zero). gradients[0] may be undefined: not
  /// wanted.
  virtual void backward(const std::vector<at::Tensor>& outer,
                        std::vector<at::Tensor>& gradients) = 0;
};

/// Runs the pass that `make(history)` gives, which is to keep a history where gradients will be
/// asked for. They are taken once for each pass, and not gradients of gradients.
std::vector<at::Tensor> differentiable_pass(
    const std::vector<at::Tensor>& tensors,
    const std::function<c10::intrusive_ptr<SequencePass>(bool history)>& make);

/// The masks of a pass as kernels take them.
struct PassMasks {
  at::Tensor neurons;  ///< [neurons] or [rows, neurons]; this and the others undefined: none.
  at::Tensor emitted, recurrent;  ///< [steps, rows, neurons], bytes.
  double emitted_scale = 1, recurrent_scale = 1;

  /// Draws those of dropout step by step, as composed operations draw them: what comes back first.
  PassMasks(const LayerPass& pass, std::int64_t steps, std::int64_t rows, std::int64_t neurons,
            double dropout, double recurrent_dropout, at::ScalarType type);

  PassMasks() = default;

  template <typename T>
  kernels::Masks<T> of_kernel() const {
    const auto bytes = [](const at::Tensor& mask) {
      return mask.defined() ? mask.data_ptr<std::uint8_t>() : nullptr;
    };
    return {neurons.defined() ? neurons.data_ptr<T>() : nullptr,
            neurons.dim() == 2,
            bytes(emitted),
            static_cast<T>(emitted_scale),
            bytes(recurrent),
            static_cast<T>(recurrent_scale)};
  }

  /// Bytes that the masks of dropout take.
  static std::size_t bytes(std::int64_t steps, std::int64_t rows, std::int64_t neurons,
                           bool emitted, bool recurrent);

  /// Bytes that such masks take in a pass of other sizes.
  std::size_t bytes(std::int64_t steps, std::int64_t rows) const;
};

/// Bytes that an input under dropout takes besides: a copy, and its mask.
std::size_t dropped_input_bytes(double p, std::int64_t steps, std::int64_t rows,
                                std::int64_t inputs);

/// The execution of a pass whose limit is reduced by the bytes of an input under dropout.
Execution beside_dropped_input(Execution execution, double p, const at::Tensor& input);

/// Returns the rest of a limit of bytes (0: none) after `taken`; at least 1.
std::size_t left_of(std::size_t limit, std::size_t taken);

}  // namespace afterspike::nn
