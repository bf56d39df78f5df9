#include "afterspike/nn/layer_stack.hpp"

#include <cmath>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/options.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/rng.hpp"
#include "layer_function.hpp"

namespace afterspike::nn {
namespace {

std::string layer_prefix(std::size_t layer) {
  return fmt::format("layers.{}.", layer);
}

std::unique_ptr<NeuronModel> model_of(const StackOptions& options) {
  const NeuronEntry& entry = find_entry<NeuronEntry>(entries(), options.neuron, "neuron model");
  std::unique_ptr<NeuronModel> model = entry.make();
  options::Description description;
  model->describe(options::Section(description, ""));
  for (const auto& [name, text] : options.neuron_options) description.find(name).set_text(text);
  return model;
}

std::vector<std::shared_ptr<NeuronLayer>> layers_of(const StackOptions& options) {
  require(options.num_layers >= 1 && options.num_layers <= 1000, ErrorKind::config,
          "num_layers: found {}, expected 1 to 1000", options.num_layers);
  require(options.dt_ms > 0, ErrorKind::config, "dt_ms: found {}, expected more than 0 ms",
          options.dt_ms);
  const std::unique_ptr<NeuronModel> model = model_of(options);
  std::vector<std::shared_ptr<NeuronLayer>> layers;
  for (std::int64_t i = 0; i < options.num_layers; ++i) {
    const std::int64_t inputs = i == 0 ? options.input_size : options.hidden_size;
    layers.push_back(model->make({inputs, options.hidden_size, options.dt_ms}));
    require(!layers.back()->has_penalty(), ErrorKind::config,
            "{}: penalties belong to the loss of a training loop. Leave them at 0, and add the "
            "penalty to your own loss.",
            options.neuron);
  }
  return layers;
}

std::string shape_text(at::IntArrayRef sizes) {
  return fmt::format("[{}]", fmt::join(sizes.begin(), sizes.end(), ", "));
}

bool is_finite(const at::Tensor& tensor) {
  const at::NoGradGuard no_grad;
  // A finite sum has finite terms; an infinite one may still be an overflow.
  const double sum = tensor.sum().item<double>();
  return std::isfinite(sum) || at::isfinite(tensor).all().item<bool>();
}

/// Refuses an input that the layers cannot take.
void require_input(const at::Tensor& input, std::int64_t size, const at::Tensor& parameter,
                   bool batch_first) {
  const char* const order = batch_first ? "batch, steps" : "steps, batch";
  require(input.defined() && input.dim() == 3, ErrorKind::config,
          "input: found the shape {}, expected [{}, {}]. A single sequence is a batch of 1: "
          "input.unsqueeze({}).",
          input.defined() ? shape_text(input.sizes()) : "undefined", order, size,
          batch_first ? 0 : 1);
  require(input.size(2) == size, ErrorKind::config,
          "input: found the shape {}, expected [{}, {}]. The last dimension is input_size.",
          shape_text(input.sizes()), order, size);
  require(input.size(0) > 0 && input.size(1) > 0, ErrorKind::config,
          "input: found the shape {}, expected at least one step of one sequence.",
          shape_text(input.sizes()));
  require(input.scalar_type() == parameter.scalar_type(), ErrorKind::config,
          "input: its type is {}, that of the parameters {}. Convert one: input.to(...) or "
          "module.to(...).",
          c10::toString(input.scalar_type()), c10::toString(parameter.scalar_type()));
  require(input.device() == parameter.device(), ErrorKind::config,
          "input: it is on {}, the parameters on {}. Move one: input.to(...) or module.to(...).",
          input.device().str(), parameter.device().str());
  require(input.layout() == at::kStrided, ErrorKind::config,
          "input: its layout is sparse, expected a dense tensor. Call input.to_dense().");
  require(is_finite(input), ErrorKind::numeric,
          "input: it has values that are not finite. Look for NaN or infinity in the data.");
}

void require_parameter(const at::Tensor& tensor, const at::Tensor& own, const at::Tensor& first,
                       const std::string& name) {
  require(tensor.sizes() == own.sizes(), ErrorKind::config,
          "parameter '{}': found the shape {}, expected {}", name, shape_text(tensor.sizes()),
          shape_text(own.sizes()));
  require(at::isFloatingType(tensor.scalar_type()) && tensor.scalar_type() == first.scalar_type() &&
              tensor.device() == first.device(),
          ErrorKind::config,
          "parameter '{}': it is {} on {}, others are {} on {}. Call module.to(...) for all.", name,
          c10::toString(tensor.scalar_type()), tensor.device().str(),
          c10::toString(first.scalar_type()), first.device().str());
}

void require_mask(const at::Tensor& mask, std::int64_t batch, std::int64_t neurons) {
  const at::IntArrayRef sizes = mask.sizes();
  require(sizes == at::IntArrayRef({neurons}) || sizes == at::IntArrayRef({batch, neurons}),
          ErrorKind::config, "mask: found the shape {}, expected [{}] or [{}, {}]",
          shape_text(sizes), neurons, batch, neurons);
}

}  // namespace

LayerStack::LayerStack(const StackOptions& options)
    : LayerStack(layers_of(options), options.batch_first) {}

LayerStack::LayerStack(std::vector<std::shared_ptr<NeuronLayer>> layers, bool batch_first)
    : layers_(std::move(layers)), batch_first_(batch_first) {
  require(!layers_.empty(), ErrorKind::internal, "a stack of no layers");
  for (const auto& layer : layers_) {
    state_layouts_.push_back(std::make_shared<const StateLayout>(*layer));
  }
}

void LayerStack::initialize(const Rng& rng) {
  const std::lock_guard lock(*mutex_);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i]->initialize(rng.stream("layer", i));
  }
}

std::vector<LayerStack::Parameter> LayerStack::parameters() const {
  // A pass in another thread has exchanged the parameters while it holds this.
  const std::lock_guard lock(*mutex_);
  std::vector<Parameter> all;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    for (const ParameterSpec& spec : layers_[i]->specs()) {
      all.push_back({layer_prefix(i) + spec.name, layers_[i]->raw(spec.name), &spec, i});
    }
  }
  return all;
}

std::vector<at::Tensor> LayerStack::tensors_of(std::size_t layer,
                                               const NamedTensors& tensors) const {
  const std::lock_guard lock(*mutex_);
  std::vector<at::Tensor> all;
  for (const ParameterSpec& spec : layers_[layer]->specs()) {
    const at::Tensor& own = layers_[layer]->raw(spec.name);
    if (tensors.empty()) {
      all.push_back(own);
      continue;
    }
    const std::string name = layer_prefix(layer) + spec.name;
    const auto found = tensors.find(name);
    require(found != tensors.end(), ErrorKind::config, "parameter '{}' is missing", name);
    require_parameter(found->second, own, tensors.begin()->second, name);
    all.push_back(found->second);
  }
  return all;
}

std::pair<std::size_t, std::string> LayerStack::place_of(std::string_view name) const {
  std::vector<std::string_view> names;
  const std::vector<Parameter> all = parameters();
  for (const Parameter& parameter : all) {
    names.push_back(parameter.name);
    if (parameter.name == name) return {parameter.layer, parameter.spec->name};
  }
  fail(ErrorKind::config, "no parameter called '{}'{}; there are: {}", name,
       did_you_mean(name, names), fmt::join(names, ", "));
}

at::Tensor LayerStack::physical(std::string_view name, const NamedTensors& tensors) {
  const auto [layer, own] = place_of(name);
  const std::vector<at::Tensor> used = tensors_of(layer, tensors);
  const std::lock_guard lock(*mutex_);
  const ParametersExchanged exchanged(*layers_[layer], used);
  return layers_[layer]->physical(own);
}

void LayerStack::set_physical(std::string_view name, const at::Tensor& values,
                              const NamedTensors& tensors) {
  const auto [layer, own] = place_of(name);
  const std::vector<at::Tensor> used = tensors_of(layer, tensors);
  const std::lock_guard lock(*mutex_);
  const ParametersExchanged exchanged(*layers_[layer], used);
  layers_[layer]->set_physical(own, values);
}

LayerStack::States LayerStack::initial_state(std::int64_t batch, const NamedTensors& tensors) {
  require(batch >= 1, ErrorKind::config, "batch: found {}, expected 1 or more", batch);
  States states;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::vector<at::Tensor> used = tensors_of(i, tensors);
    const std::lock_guard lock(*mutex_);
    const ParametersExchanged exchanged(*layers_[i], used);
    states.push_back(layers_[i]->initial_state(batch));
  }
  return states;
}

LayerStack::Result LayerStack::run(const at::Tensor& given, const std::optional<States>& states,
                                   const StackPass& pass, const NamedTensors& tensors) {
  // Mixed precision would change the types of single operations.
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  std::vector<std::vector<at::Tensor>> used;
  for (std::size_t i = 0; i < layers_.size(); ++i) used.push_back(tensors_of(i, tensors));
  require_input(given, input_size(), used[0][0], batch_first_);
  at::Tensor signal = batch_first_ ? given.transpose(0, 1) : given;
  const std::int64_t steps = signal.size(0), batch = signal.size(1);
  require(pass.first >= 0 && pass.first < steps, ErrorKind::config,
          "first: found step {}, expected 0 to {}", pass.first, steps - 1);
  require(pass.masks.empty() || pass.masks.size() == layers_.size(), ErrorKind::config,
          "masks: found {}, expected one for each of {} layers", pass.masks.size(), layers_.size());
  require(!states || states->size() == layers_.size(), ErrorKind::config,
          "state: found those of {} layers, expected {}", states ? states->size() : 0,
          layers_.size());
  for (const auto& layer : layers_) {
    require(!pass.spikes || layer->has_surrogate_gradient(), ErrorKind::config,
            "spikes: found true, but these neurons emit no spikes. Leave it out.");
  }
  Result result;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    LayerPass layer_pass;
    if (!pass.masks.empty() && pass.masks[i].defined()) {
      layer_pass.mask = pass.masks[i].to(signal.options().requires_grad(false));
      require_mask(layer_pass.mask, batch, layers_[i]->shape().neurons);
    }
    layer_pass.sigma_mV = pass.sigma_mV;
    layer_pass.spikes = pass.spikes;
    layer_pass.first = i + 1 == layers_.size() ? pass.first : 0;
    layer_pass.execution.engine = pass.engine;
    std::optional<std::uint64_t> seed;
    if (pass.dropout_seed) seed = Rng(*pass.dropout_seed).stream("layer", i).next();
    const LayerJob job{layers_[i], state_layouts_[i], mutex_, layer_pass, seed, pass.threads};
    const std::optional<NamedTensors> state = states ? std::optional((*states)[i]) : std::nullopt;
    auto [output, after] = run_layer(job, signal, used[i], state);
    signal = std::move(output);
    result.states.push_back(std::move(after));
  }
  result.output = batch_first_ ? signal.transpose(0, 1) : signal;
  return result;
}

}  // namespace afterspike::nn
