#include "sequence_pass.hpp"

#include <algorithm>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"

namespace afterspike::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Maker = std::function<c10::intrusive_ptr<SequencePass>(bool)>;

class SequenceFunction : public torch::autograd::Function<SequenceFunction> {
 public:
  static variable_list forward(AutogradContext* context, at::TensorList tensors,
                               const Maker& make) {
    context->saved_data["pass"] = c10::IValue::make_capsule(make(/*history=*/true));
    context->save_for_backward(tensors.vec());
    context->set_materialize_grads(false);
    return held(context)->forward();
  }

  static variable_list backward(AutogradContext* context, variable_list outer) {
    const variable_list saved = context->get_saved_variables();
    variable_list gradients(saved.size());
    for (std::size_t i = 0; i < saved.size(); ++i) {
      // Kernels compute all but that by the input for nothing.
      if (i > 0 || context->needs_input_grad(0)) {
        gradients[i] = at::empty_like(saved[i], saved[i].options().requires_grad(false));
      }
    }
    require(!at::GradMode::is_enabled(), ErrorKind::internal,
            "gradients of gradients through a layer; expected Engine::composed");
    // Kernels turn their history into gradients as they go.
    require(context->saved_data.count("pass") > 0, ErrorKind::internal,
            "gradients through a layer can be taken once for each pass; expected Engine::composed "
            "where they are taken again");
    for (at::Tensor& gradient : outer) {
      if (gradient.defined()) gradient = gradient.contiguous();
    }
    held(context)->backward(outer, gradients);
    context->saved_data.erase("pass");
    gradients.emplace_back();  // of the maker
    return gradients;
  }

 private:
  static c10::intrusive_ptr<SequencePass> held(AutogradContext* context) {
    return c10::dynamic_intrusive_pointer_cast<SequencePass>(
        context->saved_data.at("pass").toCapsule());
  }
};

}  // namespace

bool has_kernel(const at::Tensor& tensor) {
  return tensor.device().is_cpu() &&
         (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble);
}

bool takes_kernel(const at::Tensor& input, const LayerPass& pass, bool bfloat16) {
  return pass.execution.engine != Engine::composed && pass.trace == nullptr && has_kernel(input) &&
         (bfloat16 || pass.execution.precision == Precision::float32);
}

std::vector<at::Tensor> differentiable_pass(const std::vector<at::Tensor>& tensors,
                                            const Maker& make) {
  const bool differentiable =
      at::GradMode::is_enabled() &&
      std::any_of(tensors.begin(), tensors.end(),
                  [](const at::Tensor& tensor) { return tensor.requires_grad(); });
  if (!differentiable) return make(/*history=*/false)->forward();
  return SequenceFunction::apply(at::TensorList(tensors), make);
}

PassMasks::PassMasks(const LayerPass& pass, std::int64_t steps, std::int64_t rows,
                     std::int64_t width, double dropout, double recurrent_dropout,
                     at::ScalarType type) {
  if (pass.mask.defined()) neurons = pass.mask.to(type).contiguous();
  if (!pass.dropout.defined()) return;
  const auto make = [&](double p, at::Tensor& mask, double& scale) {
    if (p <= 0) return;
    mask = at::empty({steps, rows, width}, at::kByte);
    scale = 1 / (1 - p);
  };
  make(recurrent_dropout, recurrent, recurrent_scale);
  make(dropout, emitted, emitted_scale);
  if (!recurrent.defined() && !emitted.defined()) return;
  for (std::int64_t t = 0; t < steps; ++t) {
    if (recurrent.defined()) recurrent[t].bernoulli_(1 - recurrent_dropout, pass.dropout);
    if (emitted.defined()) emitted[t].bernoulli_(1 - dropout, pass.dropout);
  }
}

std::size_t PassMasks::bytes(std::int64_t steps, std::int64_t rows, std::int64_t neurons,
                             bool emitted, bool recurrent) {
  return static_cast<std::size_t>(steps * rows * neurons) *
         ((emitted ? 1U : 0U) + (recurrent ? 1U : 0U));
}

std::size_t PassMasks::bytes(std::int64_t steps, std::int64_t rows) const {
  const at::Tensor& any = emitted.defined() ? emitted : recurrent;
  if (!any.defined()) return 0;
  return bytes(steps, rows, any.size(2), emitted.defined(), recurrent.defined());
}

std::size_t dropped_input_bytes(double p, std::int64_t steps, std::int64_t rows,
                                std::int64_t inputs) {
  return p > 0 ? static_cast<std::size_t>(2 * steps * rows * inputs) * sizeof(float) : 0;
}

Execution beside_dropped_input(Execution execution, double p, const at::Tensor& input) {
  const std::int64_t steps = std::max(input.size(0), execution.largest.steps);
  const std::int64_t rows = std::max(input.size(1), execution.largest.rows);
  execution.workspace_limit =
      left_of(execution.workspace_limit, dropped_input_bytes(p, steps, rows, input.size(2)));
  return execution;
}

std::size_t left_of(std::size_t limit, std::size_t taken) {
  if (limit == 0) return 0;
  return std::max<std::size_t>(1, limit - std::min(limit, taken));
}

}  // namespace afterspike::nn
