#include "rnn_kernel.hpp"

#include <ATen/ATen.h>

namespace afterspike::nn {
namespace {

/// What does not take part in differentiation.
struct RnnSettings {
  kernels::RnnShape shape;
  std::int64_t first = 0;
  PassMasks masks;
  std::size_t workspace_limit = 0;
  LargestPass largest;
};

/// What is kept in passes of that type, with or without a mask of what comes back.
template <typename T>
Keeping<kernels::RnnShape> rnn_keeping(bool recurrent_mask) {
  using Kernel = kernels::RnnKernel<T>;
  return {[=](const kernels::RnnShape& shape, kernels::History history) {
            return Kernel::workspace_bytes(shape, history, recurrent_mask);
          },
          [=](const kernels::RnnShape& shape, std::size_t limit) {
            return Kernel::longest_history(shape, recurrent_mask, limit);
          }};
}

/// Tensors in the order of kernels::RnnParameters, after the input.
template <typename T>
class RnnPass final : public SequencePass {
 public:
  RnnPass(const std::vector<at::Tensor>& tensors, const RnnSettings& settings, bool history)
      : RnnPass(tensors, settings,
                history ? rnn_keeping<T>(settings.masks.recurrent.defined())
                              .kept(settings.workspace_limit, settings.shape, settings.largest,
                                    settings.masks)
                        : Kept{}) {}

  std::vector<at::Tensor> forward() override {
    const kernels::RnnShape& shape = settings_.shape;
    at::Tensor emitted = at::empty({shape.steps - settings_.first, shape.rows, shape.units},
                                   tensors_[0].options().requires_grad(false));
    kernel_.forward(tensors_[0].data_ptr<T>(), settings_.first, emitted.data_ptr<T>());
    return {emitted};
  }

  void backward(const std::vector<at::Tensor>& outer, std::vector<at::Tensor>& gradients) override {
    const auto at = [&](std::size_t i) { return gradients[i].data_ptr<T>(); };
    kernels::RnnGradients<T> targets{at(1), at(2), at(3)};
    if (gradients.size() > 4) targets.recurrent_bias = at(4);
    if (gradients[0].defined()) targets.input = at(0);
    kernel_.backward(tensors_[0].data_ptr<T>(), outer[0].data_ptr<T>(), targets);
  }

 private:
  RnnPass(const std::vector<at::Tensor>& tensors, const RnnSettings& settings, Kept kept)
      : tensors_(tensors),
        settings_(settings),
        kernel_(settings.shape, parameters(), settings_.masks.template of_kernel<T>(), kept.history,
                kept.workspace) {}

  kernels::RnnParameters<T> parameters() const {
    const auto at = [&](std::size_t i) -> const T* { return tensors_[i].data_ptr<T>(); };
    return {at(1), at(2), at(3), tensors_.size() > 4 ? at(4) : nullptr};
  }

  std::vector<at::Tensor> tensors_;
  RnnSettings settings_;
  kernels::RnnKernel<T> kernel_;
};

}  // namespace

std::size_t rnn_workspace(const kernels::RnnShape& shape, bool dropout, bool recurrent_dropout,
                          std::size_t limit) {
  const std::size_t masks =
      PassMasks::bytes(shape.steps, shape.rows, shape.units, dropout, recurrent_dropout);
  return rnn_keeping<float>(recurrent_dropout).bytes_within(limit, shape, masks);
}

at::Tensor rnn_sequence(const at::Tensor& input, kernels::RnnCell cell, std::int64_t delay,
                        const RnnWeights& weights, double dropout, double recurrent_dropout,
                        const LayerPass& pass) {
  std::vector<at::Tensor> tensors = {input.contiguous(), weights.input_weight.contiguous(),
                                     weights.recurrent_weight.contiguous(),
                                     weights.input_bias.contiguous()};
  if (weights.recurrent_bias.defined()) tensors.push_back(weights.recurrent_bias.contiguous());
  const std::int64_t steps = input.size(0), rows = input.size(1);
  const std::int64_t units = weights.recurrent_weight.size(0);
  const RnnSettings settings{
      {cell, steps, rows, input.size(2), units, delay},
      pass.first,
      PassMasks(pass, steps, rows, units, dropout, recurrent_dropout, input.scalar_type()),
      pass.workspace_limit,
      pass.largest};
  const auto make = [&](bool history) -> c10::intrusive_ptr<SequencePass> {
    if (input.scalar_type() == at::kDouble) {
      return c10::make_intrusive<RnnPass<double>>(tensors, settings, history);
    }
    return c10::make_intrusive<RnnPass<float>>(tensors, settings, history);
  };
  return differentiable_pass(tensors, make)[0];
}

}  // namespace afterspike::nn
