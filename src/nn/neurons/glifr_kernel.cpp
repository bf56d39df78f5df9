#include "glifr_kernel.hpp"

#include <ATen/ATen.h>

#include "afterspike/kernels/glifr.hpp"

namespace afterspike::nn {
namespace {

/// What does not take part in differentiation.
struct GlifrSettings {
  kernels::GlifrShape shape;
  std::int64_t first = 0;
  double emission = 1, reset = 0, bias = 0;
  PassMasks masks;
  std::size_t workspace_limit = 0;
  kernels::Products products = kernels::Products::own;
  LargestPass largest;
};

kernels::Products products_of(Precision precision) {
  return precision == Precision::bfloat16 ? kernels::Products::bfloat16 : kernels::Products::own;
}

/// What passes of that type keep, with or without a mask of what comes back.
template <typename T>
Keeping<kernels::GlifrShape> glifr_keeping(bool recurrent_mask, kernels::Products products) {
  using Kernel = kernels::GlifrKernel<T>;
  return {[=](const kernels::GlifrShape& shape, kernels::History history) {
            return Kernel::workspace_bytes(shape, history, recurrent_mask, products);
          },
          [=](const kernels::GlifrShape& shape, std::size_t limit) {
            return Kernel::longest_history(shape, recurrent_mask, products, limit);
          }};
}

/// Tensors in the order of kernels::GlifrParameters, after the input.
template <typename T>
class GlifrPass final : public SequencePass {
 public:
  GlifrPass(const std::vector<at::Tensor>& tensors, const GlifrSettings& settings, bool history)
      : GlifrPass(tensors, settings,
                  history ? glifr_keeping<T>(settings.masks.recurrent.defined(), settings.products)
                                .kept(settings.workspace_limit, settings.shape, settings.largest,
                                      settings.masks)
                          : Kept{}) {}

  std::vector<at::Tensor> forward() override {
    const kernels::GlifrShape& shape = settings_.shape;
    at::Tensor emitted = at::empty({shape.steps - settings_.first, shape.rows, shape.neurons},
                                   tensors_[0].options().requires_grad(false));
    kernel_.forward(tensors_[0].data_ptr<T>(), settings_.first, emitted.data_ptr<T>());
    return {emitted};
  }

  void backward(const std::vector<at::Tensor>& outer, std::vector<at::Tensor>& gradients) override {
    const auto at = [&](std::size_t i) { return gradients[i].data_ptr<T>(); };
    kernels::GlifrGradients<T> targets{at(1), at(2), at(3), at(4), at(5),
                                       at(6), at(7), at(8), at(9)};
    if (gradients[0].defined()) targets.input = at(0);
    kernel_.backward(tensors_[0].data_ptr<T>(), outer[0].data_ptr<T>(), targets);
  }

 private:
  GlifrPass(const std::vector<at::Tensor>& tensors, const GlifrSettings& settings, Kept kept)
      : tensors_(tensors),
        settings_(settings),
        kernel_(settings.shape, parameters(), settings_.masks.template of_kernel<T>(), kept.history,
                settings.products, kept.workspace) {}

  kernels::GlifrParameters<T> parameters() const {
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
            static_cast<T>(settings_.emission),
            static_cast<T>(settings_.reset),
            static_cast<T>(settings_.bias)};
  }

  std::vector<at::Tensor> tensors_;
  GlifrSettings settings_;
  kernels::GlifrKernel<T> kernel_;
};

}  // namespace

std::size_t glifr_workspace(const kernels::GlifrShape& shape, bool dropout, bool recurrent_dropout,
                            Precision precision, std::size_t limit) {
  const std::size_t masks =
      PassMasks::bytes(shape.steps, shape.rows, shape.neurons, dropout, recurrent_dropout);
  return glifr_keeping<float>(recurrent_dropout, products_of(precision))
      .bytes_within(limit, shape, masks);
}

at::Tensor glifr_sequence(const at::Tensor& input, const GlifrCoefficients& c,
                          const LayerPass& pass) {
  std::vector<at::Tensor> tensors = {
      input,          c.threshold,      c.slope,    c.keep,         c.gain,
      c.current_keep, c.multiplicative, c.additive, c.input_weight, c.recurrent_weight};
  for (at::Tensor& tensor : tensors) tensor = tensor.contiguous();
  const std::int64_t steps = input.size(0), rows = input.size(1);
  const std::int64_t neurons = c.recurrent_weight.size(0);
  GlifrSettings settings{
      {steps, rows, input.size(2), neurons, c.current_keep.size(0), c.delay},
      pass.first,
      c.emission,
      c.reset_mV,
      c.bias_current_pA,
      PassMasks(pass, steps, rows, neurons, c.dropout, c.recurrent_dropout, input.scalar_type()),
      pass.workspace_limit,
      products_of(pass.precision),
      pass.largest};
  const auto make = [&](bool history) -> c10::intrusive_ptr<SequencePass> {
    if (input.scalar_type() == at::kDouble) {
      return c10::make_intrusive<GlifrPass<double>>(tensors, settings, history);
    }
    return c10::make_intrusive<GlifrPass<float>>(tensors, settings, history);
  };
  return differentiable_pass(tensors, make)[0];
}

}  // namespace afterspike::nn
