#include "elm_network_kernel.hpp"

#include <ATen/ATen.h>

namespace afterspike::nn {
namespace {

/// What does not take part in differentiation.
struct ElmNetworkSettings {
  kernels::ElmNetworkShape shape;
  at::Tensor connectome;
  double input_scale, branch_keep, low_pass_keep;
  bool rectified;
  kernels::ElmActivation activation;
  PassMasks masks;
  std::int64_t first;
  at::Tensor lengths;  ///< Undefined: all steps.
  std::size_t workspace_limit;
  LargestPass largest;
};

/// What passes of that type keep.
template <typename T>
Keeping<kernels::ElmNetworkShape> elm_network_keeping() {
  return {kernels::ElmNetworkKernel<T>::workspace_bytes,
          kernels::ElmNetworkKernel<T>::longest_history};
}

/// Tensors in the order of kernels::ElmNetworkParameters, after the input.
template <typename T>
class ElmNetworkPass final : public SequencePass {
 public:
  ElmNetworkPass(const std::vector<at::Tensor>& tensors, const ElmNetworkSettings& settings,
                 bool history)
      : ElmNetworkPass(tensors, settings,
                       history
                           ? elm_network_keeping<T>().kept(settings.workspace_limit, settings.shape,
                                                           settings.largest, settings.masks)
                           : Kept{}) {}

  std::vector<at::Tensor> forward() override {
    const kernels::ElmNetworkShape& shape = settings_.shape;
    const at::TensorOptions like = tensors_[0].options().requires_grad(false);
    at::Tensor emitted =
        at::empty({shape.steps - settings_.first, shape.rows, shape.neurons}, like);
    at::Tensor magnitude = at::empty({shape.rows, shape.neurons}, like);
    kernel_.forward(
        tensors_[0].data_ptr<T>(), settings_.first, emitted.data_ptr<T>(), magnitude.data_ptr<T>(),
        settings_.lengths.defined() ? settings_.lengths.data_ptr<std::int64_t>() : nullptr);
    return {emitted, magnitude};
  }

  void backward(const std::vector<at::Tensor>& outer, std::vector<at::Tensor>& gradients) override {
    const auto at = [&](std::size_t i) { return gradients[i].data_ptr<T>(); };
    const auto given = [&](std::size_t i) -> const T* {
      return outer[i].defined() ? outer[i].data_ptr<T>() : nullptr;
    };
    kernels::ElmNetworkGradients<T> targets{at(1), at(2), at(3), at(4),  at(5),  at(6),
                                            at(7), at(8), at(9), at(10), at(11), at(12)};
    if (gradients[0].defined()) targets.input = at(0);
    kernel_.backward(tensors_[0].data_ptr<T>(), given(0), given(1), targets);
  }

 private:
  ElmNetworkPass(const std::vector<at::Tensor>& tensors, const ElmNetworkSettings& settings,
                 Kept kept)
      : tensors_(tensors),
        settings_(settings),
        kernel_(settings.shape, parameters(), settings_.masks.template of_kernel<T>(), kept.history,
                kept.workspace) {}

  kernels::ElmNetworkParameters<T> parameters() const {
    const auto at = [&](std::size_t i) -> const T* { return tensors_[i].data_ptr<T>(); };
    return {settings_.connectome.data_ptr<std::int64_t>(),
            at(1),
            at(2),
            at(3),
            at(4),
            at(5),
            at(6),
            at(7),
            at(8),
            at(9),
            at(10),
            at(11),
            at(12),
            static_cast<T>(settings_.input_scale),
            static_cast<T>(settings_.branch_keep),
            static_cast<T>(settings_.low_pass_keep),
            settings_.rectified,
            settings_.activation};
  }

  std::vector<at::Tensor> tensors_;
  ElmNetworkSettings settings_;
  kernels::ElmNetworkKernel<T> kernel_;
};

}  // namespace

std::size_t elm_network_workspace(const kernels::ElmNetworkShape& shape, std::size_t masks,
                                  std::size_t limit) {
  return elm_network_keeping<float>().bytes_within(limit, shape, masks);
}

std::vector<at::Tensor> elm_network_sequence(const at::Tensor& input,
                                             const ElmNetworkCoefficients& c,
                                             const PassMasks& masks, std::int64_t first,
                                             const LayerPass& pass) {
  std::vector<at::Tensor> tensors = {
      input,           c.synapse_weight, c.input_weight,  c.recurrent_weight, c.bias,
      c.hidden_weight, c.hidden_bias,    c.output_weight, c.output_bias,      c.memory_weight,
      c.threshold,     c.keep,           c.gain};
  // Maps that are not there become empty ones, so that every tensor has a gradient.
  for (at::Tensor& tensor : tensors) {
    tensor = tensor.defined() ? tensor.contiguous()
                              : at::empty({0}, input.options().requires_grad(false));
  }
  const ElmNetworkSettings settings{
      {input.size(0), input.size(1), input.size(2), c.bias.size(0), c.memory_weight.size(1),
       c.bias.size(1), c.layers, c.input_weight.size(1), c.connectome.size(1)},
      c.connectome.contiguous(),
      c.input_scale,
      c.branch_keep,
      c.low_pass_keep,
      c.rectified,
      c.activation,
      masks,
      first,
      pass.lengths.defined() ? pass.lengths.to(at::kLong).contiguous() : at::Tensor(),
      pass.workspace_limit,
      pass.largest};
  const auto make = [&](bool history) -> c10::intrusive_ptr<SequencePass> {
    if (input.scalar_type() == at::kDouble) {
      return c10::make_intrusive<ElmNetworkPass<double>>(tensors, settings, history);
    }
    return c10::make_intrusive<ElmNetworkPass<float>>(tensors, settings, history);
  };
  return differentiable_pass(tensors, make);
}

}  // namespace afterspike::nn
