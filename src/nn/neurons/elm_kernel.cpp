#include "elm_kernel.hpp"

#include <ATen/ATen.h>

#include "elm_common.hpp"

namespace afterspike::nn {
namespace {

/// What does not take part in differentiation.
struct ElmSettings {
  kernels::ElmShape shape;
  std::int64_t first = 0;
  double trace_keep = 0;
  kernels::ElmActivation activation = kernels::ElmActivation::relu;
  PassMasks masks;
  std::size_t workspace_limit = 0;
  LargestPass largest;
};

/// What is kept for the way back where that and the masks of dropout are to take at most `limit`
/// bytes (0: no limit).
template <typename T>
kernels::History history_within(const kernels::ElmShape& shape, std::size_t masks,
                                std::size_t limit) {
  if (limit == 0) return kernels::History::whole();
  return kernels::ElmKernel<T>::longest_history(shape, left_of(limit, masks));
}

/// Tensors in the order of kernels::ElmParameters, after the input.
template <typename T>
class ElmPass final : public SequencePass {
 public:
  ElmPass(const std::vector<at::Tensor>& tensors, const ElmSettings& settings, bool history)
      : tensors_(tensors),
        settings_(settings),
        kernel_(settings.shape, parameters(), settings_.masks.template of_kernel<T>(),
                history ? own_history(settings) : kernels::History::none(),
                history ? workspace_of(settings) : 0) {}

  std::vector<at::Tensor> forward() override {
    const kernels::ElmShape& shape = settings_.shape;
    at::Tensor emitted = at::empty({shape.steps - settings_.first, shape.rows, shape.memory},
                                   tensors_[0].options().requires_grad(false));
    kernel_.forward(tensors_[0].data_ptr<T>(), settings_.first, emitted.data_ptr<T>());
    return {emitted};
  }

  void backward(const std::vector<at::Tensor>& outer, std::vector<at::Tensor>& gradients) override {
    const auto at = [&](std::size_t i) { return gradients[i].data_ptr<T>(); };
    kernels::ElmGradients<T> targets{at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8), at(9)};
    if (gradients[0].defined()) targets.input = at(0);
    kernel_.backward(tensors_[0].data_ptr<T>(), outer[0].data_ptr<T>(), targets);
  }

 private:
  static kernels::History history_of(const ElmSettings& settings, const kernels::ElmShape& shape) {
    const PassMasks& masks = settings.masks;
    return history_within<T>(shape,
                             PassMasks::bytes(shape.steps, shape.rows, shape.memory,
                                              masks.emitted.defined(), masks.recurrent.defined()),
                             settings.workspace_limit);
  }
  /// Within the workspace of the largest pass: a shorter one might fit whole where that does not,
  /// and take more.
  static kernels::History own_history(const ElmSettings& settings) {
    if (settings.workspace_limit == 0) return kernels::History::whole();
    return kernels::ElmKernel<T>::longest_history(settings.shape, workspace_of(settings));
  }
  static std::size_t workspace_of(const ElmSettings& settings) {
    const kernels::ElmShape shape = in_largest(settings.shape, settings.largest);
    return kernels::ElmKernel<T>::workspace_bytes(shape, history_of(settings, shape));
  }
  kernels::ElmParameters<T> parameters() const {
    const auto at = [&](std::size_t i) -> const T* { return tensors_[i].data_ptr<T>(); };
    return {at(1),
            at(2),
            at(3),
            at(4),
            at(5),
            at(6),
            at(7),
            at(8),
            at(9),
            static_cast<T>(settings_.trace_keep),
            settings_.activation};
  }

  std::vector<at::Tensor> tensors_;
  ElmSettings settings_;
  kernels::ElmKernel<T> kernel_;
};

}  // namespace

std::size_t elm_workspace(const kernels::ElmShape& shape, bool dropout, bool recurrent_dropout,
                          std::size_t limit) {
  const std::size_t masks =
      PassMasks::bytes(shape.steps, shape.rows, shape.memory, dropout, recurrent_dropout);
  return kernels::ElmKernel<float>::workspace_bytes(shape,
                                                    history_within<float>(shape, masks, limit)) +
         masks;
}

at::Tensor elm_sequence(const at::Tensor& input, const ElmCoefficients& c, const LayerPass& pass) {
  // Maps that are not there become empty ones, so that every tensor has a gradient.
  const auto or_empty = [&](const at::Tensor& tensor) {
    return tensor.defined() ? tensor.contiguous()
                            : at::empty({0}, input.options().requires_grad(false));
  };
  const std::vector<at::Tensor> tensors = {
      input.contiguous(),        c.input_weight.contiguous(),
      c.bias.contiguous(),       c.recurrent_weight.contiguous(),
      or_empty(c.hidden_weight), or_empty(c.hidden_bias),
      or_empty(c.output_weight), or_empty(c.output_bias),
      c.keep.contiguous(),       c.gain.contiguous()};
  const std::int64_t steps = input.size(0), rows = input.size(1), memory = c.keep.size(0);
  const ElmSettings settings{
      {steps, rows, input.size(2), memory, c.bias.size(0), c.layers},
      pass.first,
      c.trace_keep,
      kernel_activation(c.activation),
      PassMasks(pass, steps, rows, memory, c.dropout, c.recurrent_dropout, input.scalar_type()),
      pass.workspace_limit,
      pass.largest};
  const auto make = [&](bool history) -> c10::intrusive_ptr<SequencePass> {
    if (input.scalar_type() == at::kDouble) {
      return c10::make_intrusive<ElmPass<double>>(tensors, settings, history);
    }
    return c10::make_intrusive<ElmPass<float>>(tensors, settings, history);
  };
  return differentiable_pass(tensors, make)[0];
}

}  // namespace afterspike::nn
