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

/// What passes of that type keep.
template <typename T>
Keeping<kernels::ElmShape> elm_keeping() {
  return {kernels::ElmKernel<T>::workspace_bytes, kernels::ElmKernel<T>::longest_history};
}

/// Tensors in the order of kernels::ElmParameters, after the input.
template <typename T>
class ElmPass final : public SequencePass {
 public:
  ElmPass(const std::vector<at::Tensor>& tensors, const ElmSettings& settings, bool history)
      : ElmPass(tensors, settings,
                history ? elm_keeping<T>().kept(settings.workspace_limit, settings.shape,
                                                settings.largest, settings.masks)
                        : Kept{}) {}

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
  ElmPass(const std::vector<at::Tensor>& tensors, const ElmSettings& settings, Kept kept)
      : tensors_(tensors),
        settings_(settings),
        kernel_(settings.shape, parameters(), settings_.masks.template of_kernel<T>(), kept.history,
                kept.workspace) {}

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
  return elm_keeping<float>().bytes_within(limit, shape, masks);
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
