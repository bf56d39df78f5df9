#include "afterspike/nn/neuron_layer.hpp"

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "in_place.hpp"

namespace afterspike::nn {
namespace {

/// Initial values of a parameter, from the stream that bears its name.
at::Tensor draw(const ParameterSpec& spec, const Rng& rng) {
  try {
    return spec.initial.draw(spec.shape, rng.stream(spec.name));
  } catch (const Error& error) {
    throw error.within(fmt::format("parameter '{}'", spec.name));
  }
}

}  // namespace

NeuronLayer::NeuronLayer(LayerShape shape, std::vector<ParameterSpec> specs)
    : shape_(shape), specs_(std::move(specs)) {
  require(shape_.input_size > 0 && shape_.neurons > 0, ErrorKind::config,
          "a layer of {} neurons with {} inputs: expected at least one of each", shape_.neurons,
          shape_.input_size);
  for (const ParameterSpec& spec : specs_) {
    at::Tensor raw = at::zeros(spec.shape, at::kFloat).requires_grad_(spec.trainable);
    require(raw_.emplace(spec.name, std::move(raw)).second, ErrorKind::internal,
            "a layer has two parameters called '{}', expected one of each name", spec.name);
  }
}

void NeuronLayer::to(const at::TensorOptions& options) {
  for (auto& [name, tensor] : raw_) convert_in_place(tensor, options);
}

at::TensorOptions NeuronLayer::tensor_options() const {
  return raw_.begin()->second.options().requires_grad(false);
}

NamedTensors* NeuronLayer::allocate_final_state(const LayerPass& pass, std::int64_t batch) const {
  if (pass.final_state == nullptr) return nullptr;
  *pass.final_state = initial_state(batch);
  for (auto& [name, tensor] : *pass.final_state) tensor = tensor.clone();
  return pass.final_state;
}

const ParameterSpec& NeuronLayer::spec(std::string_view name) const {
  for (const ParameterSpec& candidate : specs_) {
    if (candidate.name == name) return candidate;
  }
  fail(ErrorKind::internal, "no parameter called '{}'", name);
}

const at::Tensor& NeuronLayer::raw(std::string_view name) const {
  const auto found = raw_.find(name);
  require(found != raw_.end(), ErrorKind::internal, "no parameter called '{}'", name);
  return found->second;
}

at::Tensor NeuronLayer::physical(std::string_view name) const {
  const Transform& transform = spec(name).transform;
  const std::string& limit = transform.limit_name();
  return transform.to_physical(raw(name), limit.empty() ? at::Tensor() : physical(limit));
}

void NeuronLayer::set_physical(std::string_view name, const at::Tensor& values) {
  const at::NoGradGuard no_grad;
  const ParameterSpec& target = spec(name);
  require(values.sizes() == at::IntArrayRef(target.shape), ErrorKind::config,
          "parameter '{}': found {} values, expected {}", name, values.numel(), raw(name).numel());
  const std::string& limit = target.transform.limit_name();
  try {
    raw(name).copy_(target.transform.to_raw(
        values, limit.empty() ? at::Tensor() : physical(limit).to(values.options())));
  } catch (const Error& error) {
    throw error.within(fmt::format("parameter '{}'", name));
  }
}

void NeuronLayer::swap_parameters(NamedTensors& tensors) {
  for (auto& [name, tensor] : raw_) {
    const auto found = tensors.find(name);
    require(found != tensors.end() && found->second.sizes() == tensor.sizes(), ErrorKind::internal,
            "parameter '{}': no tensor of its shape was given", name);
  }
  for (auto& [name, tensor] : raw_) std::swap(tensor, tensors.at(name));
}

void NeuronLayer::initialize(const Rng& rng) {
  // A parameter that bounds another comes before it in the specifications.
  for (const ParameterSpec& spec : specs_) {
    const at::Tensor values = draw(spec, rng);
    if (spec.initial.kind == Initial::Kind::raw_normal) {
      const at::NoGradGuard no_grad;
      raw(spec.name).copy_(values);
    } else {
      set_physical(spec.name, values);
    }
  }
}

void NeuronLayer::resample(const NamedTensors& donor, const Rng& rng) {
  const at::NoGradGuard no_grad;
  for (const ParameterSpec& spec : specs_) {
    const auto found = donor.find(spec.name);
    if (found == donor.end() || found->second.numel() == 0) continue;
    Rng stream = rng.stream(spec.name);
    const auto size = static_cast<std::uint64_t>(found->second.numel());
    at::Tensor index = at::empty({raw(spec.name).numel()}, at::kLong);
    for (std::int64_t i = 0; i < index.numel(); ++i) {
      index.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(stream.below(size));
    }
    raw(spec.name).copy_(found->second.flatten().index_select(0, index).reshape(spec.shape));
  }
}

at::Tensor NeuronLayer::emissions(const at::Tensor& input, const LayerPass& pass) const {
  require(pass.execution.precision == Precision::float32 || pass.trace != nullptr,
          ErrorKind::config, "precision: there is no kernel for bfloat16 here. Use float32.");
  NamedTensors state = initial_state(input.size(1));
  const at::Tensor all = forward(input, state, pass);
  if (pass.final_state != nullptr) *pass.final_state = std::move(state);
  return all.narrow(0, pass.first, all.size(0) - pass.first);
}

at::Tensor dropout_mask(at::IntArrayRef shape, double p, const LayerPass& pass,
                        const at::TensorOptions& like) {
  const at::TensorOptions drawn = like.device(at::kCPU).requires_grad(false);
  return at::empty(shape, drawn).bernoulli_(1 - p, pass.dropout).to(like.device());
}

at::Tensor dropout(const at::Tensor& values, double p, const LayerPass& pass) {
  if (p <= 0 || !pass.dropout.defined()) return values;
  return values * dropout_mask(values.sizes(), p, pass, values.options()).div_(1 - p);
}

at::Tensor silence(const at::Tensor& emitted, const LayerPass& pass) {
  return pass.mask.defined() ? emitted * pass.mask.to(emitted.options()) : emitted;
}

}  // namespace afterspike::nn
