#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/kernels/pass.hpp"

/// Whole-sequence kernels: a layer of neurons over all steps of a shard of a batch, forward, and
/// the exact gradients of any loss of its emissions.
///
/// A model is a tag with the types of its sizes (`Shape`) and of its constants (`Settings`), such
/// as Glifr (glifr.hpp). Its parameters are a table of names and shapes; values and gradients are
/// passed by name.
namespace afterspike::kernels {

/// A row of a model's table of parameters.
struct ParameterShape {
  std::string_view name;
  std::vector<std::int64_t> extents;  ///< Row-major, contiguous.
  bool optional = false;              ///< May be left out; its values are then 0.
};

/// Arrays by the names of a table of parameters.
template <typename T>
using Arrays = std::map<std::string, T*, std::less<>>;

/// One pass of one shard through a layer, on the calling thread. T is float or double. Leases a
/// workspace for as long as it lives. Where at most one input in eight of a chunk of steps is not
/// zero, only these cost time.
template <typename Model, typename T>
class SequenceKernel {
 public:
  using Shape = typename Model::Shape;
  using Settings = typename Model::Settings;

  /// Copies `values`, unless the model's header says that they must outlive the kernel. Leases at
  /// least `workspace` bytes, so that a later kernel with longer sequences finds them. Throws
  /// Error(config) for Precision::bfloat16 where the model, T or the processor lacks it.
  /// REQUIRES: sizes of at least 1 unless the header says otherwise, a history for backward().
  SequenceKernel(const Shape& shape, const Settings& settings, const Arrays<const T>& values,
                 const Masks<T>& masks, History history, Precision precision = Precision::float32,
                 std::size_t workspace = 0);
  ~SequenceKernel();
  SequenceKernel(const SequenceKernel&) = delete;
  SequenceKernel& operator=(const SequenceKernel&) = delete;

  /// Runs the sequence `input` [steps, rows, inputs] and writes its emissions from step `first` on,
  /// [steps - first, rows, neurons]. `magnitude` [rows, neurons]: for models that have one
  /// (Model::kMagnitude); nullptr: not wanted.
  void forward(const T* input, std::int64_t first, T* emitted, T* magnitude = nullptr);

  /// Copies parts of the state after the last step, by the names and in the shapes that the model's
  /// header states. Names that are absent from `to` are skipped. REQUIRES: forward() ran, and
  /// backward() has not.
  void copy_state(const Arrays<T>& to) const;

  /// Gradients of the loss with respect to the arrays that forward() wrote; nullptr: 0.
  struct Outer {
    const T* emitted = nullptr;
    const T* magnitude = nullptr;
  };

  /// Writes the gradients of parameters, and of the input [steps, rows, inputs] unless nullptr.
  /// REQUIRES: forward() ran once with the same input.
  void backward(const T* input, const Outer& outer, const Arrays<T>& gradients, T* input_gradient);

  /// The parameters of a layer, in a fixed order.
  static std::vector<ParameterShape> parameters(const Shape& shape);

  /// Bytes of workspace of such a pass.
  static std::size_t workspace_bytes(const Shape& shape, History history, PassKind kind = {});

  /// The history with the longest segments whose workspace takes at most `limit` bytes; the one
  /// with the smallest workspace if none does.
  static History longest_history(const Shape& shape, PassKind kind, std::size_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::kernels
