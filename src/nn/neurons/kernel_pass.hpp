#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/kernels/sequence.hpp"
#include "sequence_pass.hpp"

/// How layers call whole-sequence kernels, for any model: tensors are matched with the kernel's
/// table of parameters by name.
namespace afterspike::nn {

/// A call of a model's kernel.
template <typename Model>
struct KernelCall {
  typename Model::Shape shape;
  typename Model::Settings settings = {};
  NamedTensors parameters = {};  ///< By the names of the kernel's table.
  PassMasks masks = {};
  std::int64_t first = 0;
  Precision precision = Precision::float32;
  std::vector<at::Tensor> owners = {};  ///< Tensors that the settings point into.
  /// Tensors for parts of the state after the last step; nullptr: none are wanted.
  NamedTensors* state = nullptr;
};

/// The history that a pass keeps for the way back, and its workspace in bytes.
struct Kept {
  kernels::History history;
  std::size_t workspace = 0;
};

/// The longest history of a kernel that fits `limit` bytes (0: no limit) beside its masks.
template <typename Model, typename T>
kernels::History history_within(std::size_t limit, const typename Model::Shape& shape,
                                kernels::PassKind kind, std::size_t masks) {
  if (limit == 0) return kernels::History::whole();
  return kernels::SequenceKernel<Model, T>::longest_history(shape, kind, left_of(limit, masks));
}

/// The history of a pass. It stays within the workspace of the largest pass: a shorter one might
/// fit whole where that does not, and take more.
template <typename Model, typename T>
Kept kept_history(const KernelCall<Model>& call, kernels::PassKind kind,
                  const Execution& execution) {
  using Kernel = kernels::SequenceKernel<Model, T>;
  typename Model::Shape most = call.shape;
  most.steps = std::max(most.steps, execution.largest.steps);
  most.rows = std::max(most.rows, execution.largest.rows);
  const std::size_t limit = execution.workspace_limit;
  const kernels::History of_most =
      history_within<Model, T>(limit, most, kind, call.masks.bytes(most.steps, most.rows));
  const std::size_t bytes = Kernel::workspace_bytes(most, of_most, kind);
  return {limit == 0 ? of_most : Kernel::longest_history(call.shape, kind, bytes), bytes};
}

/// A pass of a model's kernel on the tape. Tensors: the input, then the table of parameters.
template <typename Model, typename T>
class KernelPass final : public SequencePass {
 public:
  using Kernel = kernels::SequenceKernel<Model, T>;

  KernelPass(KernelCall<Model> call, std::vector<std::string> names,
             std::vector<at::Tensor> tensors, const Kept& kept)
      : call_(std::move(call)),
        names_(std::move(names)),
        tensors_(std::move(tensors)),
        kernel_(call_.shape, call_.settings, arrays<const T>(tensors_),
                call_.masks.template of_kernel<T>(), kept.history, call_.precision,
                kept.workspace) {}

  std::vector<at::Tensor> forward() override {
    const at::TensorOptions like = tensors_[0].options().requires_grad(false);
    const std::int64_t rows = call_.shape.rows, neurons = Model::outputs(call_.shape);
    std::vector<at::Tensor> results = {
        at::empty({call_.shape.steps - call_.first, rows, neurons}, like)};
    if constexpr (Model::kMagnitude) results.push_back(at::empty({rows, neurons}, like));
    kernel_.forward(tensors_[0].data_ptr<T>(), call_.first, results[0].data_ptr<T>(),
                    Model::kMagnitude ? results.back().data_ptr<T>() : nullptr);
    if (call_.state != nullptr) {
      kernels::Arrays<T> state;
      for (auto& [name, tensor] : *call_.state) state[name] = data_of(tensor);
      kernel_.copy_state(state);
    }
    return results;
  }

  void backward(const std::vector<at::Tensor>& outer, std::vector<at::Tensor>& gradients) override {
    const auto pointer = [](const at::Tensor& tensor) {
      return tensor.defined() ? tensor.data_ptr<T>() : nullptr;
    };
    kernel_.backward(tensors_[0].data_ptr<T>(),
                     {pointer(outer[0]), Model::kMagnitude ? pointer(outer.back()) : nullptr},
                     arrays<T>(gradients), pointer(gradients[0]));
  }

 private:
  static T* data_of(const at::Tensor& tensor) { return tensor.data_ptr<T>(); }

  template <typename U>
  kernels::Arrays<U> arrays(const std::vector<at::Tensor>& tensors) const {
    kernels::Arrays<U> all;
    for (std::size_t i = 0; i < names_.size(); ++i) all[names_[i]] = tensors[i + 1].data_ptr<T>();
    return all;
  }

  KernelCall<Model> call_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> tensors_;
  Kernel kernel_;
};

/// Runs a kernel: emissions from step call.first on, [steps - first, rows, neurons], and the
/// magnitude [rows, neurons] of models that have one; differentiable in the input and in the
/// parameters. Throws Error(internal) naming a parameter that is missing or of another shape.
template <typename Model>
std::vector<at::Tensor> run_kernel(const at::Tensor& input, const KernelCall<Model>& call,
                                   const Execution& execution) {
  std::vector<at::Tensor> tensors = {input.contiguous()};
  std::vector<std::string> names;
  for (const auto& row : kernels::SequenceKernel<Model, float>::parameters(call.shape)) {
    const auto found = call.parameters.find(std::string(row.name));
    if (found == call.parameters.end() && row.optional) continue;
    require(found != call.parameters.end() && found->second.sizes() == at::IntArrayRef(row.extents),
            ErrorKind::internal, "kernel parameter '{}': no tensor of its shape was given",
            row.name);
    names.push_back(found->first);
    tensors.push_back(found->second.contiguous());
  }
  const kernels::PassKind kind{call.masks.recurrent.defined(), call.precision};
  const auto make = [&]<typename T>(bool history) {
    const Kept kept = history ? kept_history<Model, T>(call, kind, execution) : Kept{};
    return c10::make_intrusive<KernelPass<Model, T>>(call, names, tensors, kept);
  };
  return differentiable_pass(tensors, [&](bool history) -> c10::intrusive_ptr<SequencePass> {
    if (input.scalar_type() == at::kDouble) return make.template operator()<double>(history);
    return make.template operator()<float>(history);
  });
}

/// Probabilities of dropout of a layer.
struct Dropouts {
  double input = 0, emitted = 0, recurrent = 0;
};

/// Bytes that a pass of a model in single precision keeps for the way back within `limit` (0: no
/// limit), with masks and a copy of an input under dropout.
template <typename Model>
NeuronLayer::Workspace kernel_workspace(const typename Model::Shape& shape, const Dropouts& p,
                                        Precision precision, std::size_t limit) {
  const std::size_t input = dropped_input_bytes(p.input, shape.steps, shape.rows, shape.inputs);
  const std::size_t masks = PassMasks::bytes(shape.steps, shape.rows, Model::outputs(shape),
                                             p.emitted > 0, p.recurrent > 0);
  const kernels::PassKind kind{p.recurrent > 0, precision};
  const auto within = [&](std::size_t bytes) {
    const kernels::History history =
        history_within<Model, float>(left_of(bytes, input), shape, kind, masks);
    return input + masks +
           kernels::SequenceKernel<Model, float>::workspace_bytes(shape, history, kind);
  };
  return {within(limit), within(1)};
}

}  // namespace afterspike::nn
