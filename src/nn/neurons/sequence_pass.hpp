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
  at::Tensor neurons;             ///< [neurons]; this and the others undefined: none.
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
    return {neurons.defined() ? neurons.data_ptr<T>() : nullptr, bytes(emitted),
            static_cast<T>(emitted_scale), bytes(recurrent), static_cast<T>(recurrent_scale)};
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

/// A pass whose limit is what an input under dropout leaves of it.
LayerPass beside_dropped_input(LayerPass pass, double p, const at::Tensor& input);

/// The sizes of a kernel in the largest pass, for those in this one.
template <typename Shape>
Shape in_largest(Shape shape, const LargestPass& largest) {
  shape.steps = std::max(shape.steps, largest.steps);
  shape.rows = std::max(shape.rows, largest.rows);
  return shape;
}

/// What is left of a limit of bytes (0: none) after `taken`; at least 1.
std::size_t left_of(std::size_t limit, std::size_t taken);

/// What a layer takes whose input under dropout takes `input` bytes, and whose kernel takes
/// kernel(limit) within what is left of a limit.
template <typename Kernel>
NeuronLayer::Workspace workspace_beside(std::size_t input, std::size_t limit,
                                        const Kernel& kernel) {
  const auto bytes = [&](std::size_t within) { return input + kernel(left_of(within, input)); };
  return {bytes(limit), bytes(1)};
}

/// What a kernel keeps for the way back, and the workspace that it takes.
struct Kept {
  kernels::History history;
  std::size_t workspace = 0;
};

/// That of passes of one kind: the bytes that a history takes, and the history with the longest
/// segments within a limit of bytes (workspace_bytes() and longest_history() of the kernels).
template <typename Shape>
struct Keeping {
  std::function<std::size_t(const Shape&, kernels::History)> bytes;
  std::function<kernels::History(const Shape&, std::size_t)> longest;

  /// What is kept where that and the masks of dropout are to take at most `limit` bytes (0: no
  /// limit).
  kernels::History within(std::size_t limit, const Shape& shape, std::size_t masks) const {
    return limit == 0 ? kernels::History::whole() : longest(shape, left_of(limit, masks));
  }

  /// The bytes of that, the masks included; where the limit is too low, the least.
  std::size_t bytes_within(std::size_t limit, const Shape& shape, std::size_t masks) const {
    return bytes(shape, within(limit, shape, masks)) + masks;
  }

  /// What a pass keeps beside its masks. It stays within the workspace of the largest pass: a
  /// shorter one might fit whole where that does not, and take more.
  Kept kept(std::size_t limit, const Shape& shape, const LargestPass& largest,
            const PassMasks& masks) const {
    const Shape most = in_largest(shape, largest);
    const kernels::History of_most = within(limit, most, masks.bytes(most.steps, most.rows));
    const std::size_t workspace = bytes(most, of_most);
    return {limit == 0 ? of_most : longest(shape, workspace), workspace};
  }
};

}  // namespace afterspike::nn
