#include "glifr_kernel.hpp"

#include <algorithm>
#include <array>

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/custom_function.h>

#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "afterspike/kernels/glifr.hpp"

namespace afterspike::nn {
namespace {

/// Tensors in the order in which the function below takes them and gives their gradients.
constexpr std::size_t kTensors = 10;
using Tensors = std::array<at::Tensor, kTensors>;

/// What does not take part in differentiation.
struct Settings {
  kernels::GlifrShape shape;
  std::int64_t first = 0;
  double emission = 1, reset = 0, bias = 0;
  at::Tensor neurons, emitted, recurrent;  ///< Masks; undefined: none.
  double emitted_scale = 1, recurrent_scale = 1;
  std::size_t workspace_limit = 0;
  kernels::Products products = kernels::Products::own;
};

template <typename T>
const T* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<T>() : nullptr;
}

/// A byte for each mask, step, row and neuron.
std::size_t mask_bytes(const kernels::GlifrShape& shape, bool emitted, bool recurrent) {
  return static_cast<std::size_t>(shape.steps * shape.rows * shape.neurons) *
         ((emitted ? 1U : 0U) + (recurrent ? 1U : 0U));
}

kernels::Products products_of(Precision precision) {
  return precision == Precision::bfloat16 ? kernels::Products::bfloat16 : kernels::Products::own;
}

/// What is kept for the way back where that and the masks of dropout are to take at most `limit`
/// bytes.
template <typename T>
kernels::History history_within(const kernels::GlifrShape& shape, std::size_t masks, bool recurrent,
                                kernels::Products products, std::size_t limit) {
  return kernels::GlifrKernel<T>::longest_history(shape, recurrent, products,
                                                  limit - std::min(limit, masks));
}

template <typename T>
kernels::History history_of(const Settings& settings) {
  if (settings.workspace_limit == 0) return kernels::History::whole();
  const bool recurrent = settings.recurrent.defined();
  const std::size_t masks = mask_bytes(settings.shape, settings.emitted.defined(), recurrent);
  return history_within<T>(settings.shape, masks, recurrent, settings.products,
                           settings.workspace_limit);
}

/// A kernel in the middle of its work, as the tape keeps it.
class Pass : public torch::CustomClassHolder {
 public:
  virtual void forward(at::Tensor& emitted) = 0;
  virtual void backward(const at::Tensor& emitted_gradient, Tensors& gradients) = 0;
};

template <typename T>
class PassOf final : public Pass {
 public:
  PassOf(const Tensors& tensors, const Settings& settings, bool history)
      : tensors_(tensors),
        settings_(settings),
        kernel_(settings.shape, parameters(), masks(),
                history ? history_of<T>(settings) : kernels::History::none(), settings.products) {}

  void forward(at::Tensor& emitted) override {
    kernel_.forward(tensors_[0].data_ptr<T>(), settings_.first, emitted.data_ptr<T>());
  }

  void backward(const at::Tensor& emitted_gradient, Tensors& gradients) override {
    const auto at = [&](std::size_t i) { return gradients[i].data_ptr<T>(); };
    kernels::GlifrGradients<T> targets{at(1), at(2), at(3), at(4), at(5),
                                       at(6), at(7), at(8), at(9)};
    if (gradients[0].defined()) targets.input = at(0);
    kernel_.backward(tensors_[0].data_ptr<T>(), emitted_gradient.data_ptr<T>(), targets);
  }

 private:
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
  kernels::GlifrMasks<T> masks() const {
    return {data_or_null<T>(settings_.neurons), data_or_null<std::uint8_t>(settings_.emitted),
            static_cast<T>(settings_.emitted_scale),
            data_or_null<std::uint8_t>(settings_.recurrent),
            static_cast<T>(settings_.recurrent_scale)};
  }

  Tensors tensors_;
  Settings settings_;
  kernels::GlifrKernel<T> kernel_;
};

c10::intrusive_ptr<Pass> make_pass(const Tensors& tensors, const Settings& settings, bool history) {
  // Once for each thread that ever works on a shard.
  thread_local const bool prepared = (kernels::prepare_thread(), true);
  static_cast<void>(prepared);
  if (tensors[0].scalar_type() == at::kDouble) {
    return c10::make_intrusive<PassOf<double>>(tensors, settings, history);
  }
  return c10::make_intrusive<PassOf<float>>(tensors, settings, history);
}

at::Tensor run(Pass& pass, const Tensors& tensors, const Settings& settings) {
  at::Tensor emitted = at::empty(
      {settings.shape.steps - settings.first, settings.shape.rows, settings.shape.neurons},
      tensors[0].options().requires_grad(false));
  pass.forward(emitted);
  return emitted;
}

class Sequence : public torch::autograd::Function<Sequence> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& threshold, const at::Tensor& slope,
                            const at::Tensor& keep, const at::Tensor& gain,
                            const at::Tensor& current_keep, const at::Tensor& multiplicative,
                            const at::Tensor& additive, const at::Tensor& input_weight,
                            const at::Tensor& recurrent_weight, const Settings& settings) {
    const Tensors tensors = {input,        threshold,       slope,          keep,
                             gain,         current_keep,    multiplicative, additive,
                             input_weight, recurrent_weight};
    context->saved_data["pass"] =
        c10::IValue::make_capsule(make_pass(tensors, settings, /*history=*/true));
    context->save_for_backward({tensors.begin(), tensors.end()});
    return run(*held(context), tensors, settings);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outer) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    Tensors gradients;
    for (std::size_t i = 0; i < kTensors; ++i) {
      // The kernel computes all but that by the input for nothing.
      if (i > 0 || context->needs_input_grad(0)) {
        gradients[i] = at::empty_like(saved[i], saved[i].options().requires_grad(false));
      }
    }
    require(!at::GradMode::is_enabled(), ErrorKind::internal,
            "gradients of gradients through a GLIFR layer; expected Engine::composed");
    // The kernel turns its history into gradients as it goes.
    require(context->saved_data.count("pass") > 0, ErrorKind::internal,
            "gradients through a GLIFR layer can be taken once for each pass; expected "
            "Engine::composed where they are taken again");
    held(context)->backward(outer[0].contiguous(), gradients);
    context->saved_data.erase("pass");
    torch::autograd::variable_list result(gradients.begin(), gradients.end());
    result.emplace_back();  // of the settings
    return result;
  }

 private:
  static c10::intrusive_ptr<Pass> held(torch::autograd::AutogradContext* context) {
    return c10::dynamic_intrusive_pointer_cast<Pass>(context->saved_data.at("pass").toCapsule());
  }
};

/// The masks of dropout, drawn step by step as the composed operations draw them.
void draw_masks(const GlifrCoefficients& coefficients, const LayerPass& pass, Settings& settings) {
  if (!pass.dropout.defined()) return;
  const kernels::GlifrShape& shape = settings.shape;
  const auto make = [&](double p, at::Tensor& mask, double& scale) {
    if (p <= 0) return;
    mask = at::empty({shape.steps, shape.rows, shape.neurons}, at::kByte);
    scale = 1 / (1 - p);
  };
  make(coefficients.recurrent_dropout, settings.recurrent, settings.recurrent_scale);
  make(coefficients.dropout, settings.emitted, settings.emitted_scale);
  if (!settings.recurrent.defined() && !settings.emitted.defined()) return;
  for (std::int64_t t = 0; t < shape.steps; ++t) {
    if (settings.recurrent.defined()) {
      settings.recurrent[t].bernoulli_(1 - coefficients.recurrent_dropout, pass.dropout);
    }
    if (settings.emitted.defined()) {
      settings.emitted[t].bernoulli_(1 - coefficients.dropout, pass.dropout);
    }
  }
}

}  // namespace

bool has_kernel(const at::Tensor& tensor) {
  return tensor.device().is_cpu() &&
         (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble);
}

std::size_t glifr_workspace(const kernels::GlifrShape& shape, bool dropout, bool recurrent_dropout,
                            Precision precision, std::size_t limit) {
  using Kernel = kernels::GlifrKernel<float>;
  const kernels::Products products = products_of(precision);
  const std::size_t masks = mask_bytes(shape, dropout, recurrent_dropout);
  const kernels::History history =
      history_within<float>(shape, masks, recurrent_dropout, products, limit);
  return Kernel::workspace_bytes(shape, history, recurrent_dropout, products) + masks;
}

at::Tensor glifr_sequence(const at::Tensor& input, const GlifrCoefficients& coefficients,
                          const LayerPass& pass) {
  const Tensors tensors = {
      input.contiguous(),
      coefficients.threshold.contiguous(),
      coefficients.slope.contiguous(),
      coefficients.keep.contiguous(),
      coefficients.gain.contiguous(),
      coefficients.current_keep.contiguous(),
      coefficients.multiplicative.contiguous(),
      coefficients.additive.contiguous(),
      coefficients.input_weight.contiguous(),
      coefficients.recurrent_weight.contiguous(),
  };
  Settings settings;
  settings.shape = {input.size(0),
                    input.size(1),
                    input.size(2),
                    coefficients.recurrent_weight.size(0),
                    coefficients.current_keep.size(0),
                    coefficients.delay};
  settings.first = pass.first;
  settings.workspace_limit = pass.workspace_limit;
  settings.products = products_of(pass.precision);
  settings.emission = coefficients.emission;
  settings.reset = coefficients.reset_mV;
  settings.bias = coefficients.bias_current_pA;
  if (pass.mask.defined()) settings.neurons = pass.mask.to(input.scalar_type()).contiguous();
  draw_masks(coefficients, pass, settings);

  bool differentiable = false;
  for (const at::Tensor& tensor : tensors) differentiable |= tensor.requires_grad();
  if (!differentiable || !at::GradMode::is_enabled()) {
    return run(*make_pass(tensors, settings, /*history=*/false), tensors, settings);
  }
  return Sequence::apply(tensors[0], tensors[1], tensors[2], tensors[3], tensors[4], tensors[5],
                         tensors[6], tensors[7], tensors[8], tensors[9], settings);
}

}  // namespace afterspike::nn
