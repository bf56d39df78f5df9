#include "afterspike/nn/network.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "in_place.hpp"

namespace afterspike::nn {
namespace {

constexpr std::int64_t kMostHidden = 1 << 20;
constexpr double kMostParameters = 2147483648;

/// Weights and bias of the readout.
std::vector<ParameterSpec> specs_of_readout(std::int64_t hidden, std::int64_t outputs) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  const Initial initial = Initial::uniform(-bound, bound);
  return {{"weight", "W_out", "1", {outputs, hidden}, {}, initial},
          {"bias", "b_out", "1", {outputs}, {}, initial, ParameterGroup::bias}};
}

/// How many numbers the parameters of a network are.
struct Count {
  double all = 0;
  double trained = 0;

  void add(const std::vector<ParameterSpec>& specs, std::int64_t times) {
    for (const ParameterSpec& spec : specs) {
      // Doubles hold what 64 bits might not, and are exact as far as anything is allowed.
      double numbers = static_cast<double>(times);
      for (const std::int64_t extent : spec.shape) numbers *= static_cast<double>(extent);
      all += numbers;
      if (spec.trainable) trained += numbers;
    }
  }
};

/// The same without building the network.
Count count(const NeuronModel& model, const NetworkOptions& options, const NetworkShape& shape) {
  Count count;
  count.add(model.specs({shape.input_size, options.hidden, shape.dt_ms}), 1);
  count.add(model.specs({options.hidden, options.hidden, shape.dt_ms}), options.layers - 1);
  const auto reader = model.readout_model();
  if (reader) count.add(reader->specs({options.hidden, shape.output_size, shape.dt_ms}), 1);
  if (options.readout) {
    count.add(specs_of_readout(reader ? shape.output_size : options.hidden, shape.output_size), 1);
  }
  return count;
}

/// The largest number of neurons whose network has at most options.match_params parameters.
std::int64_t matched_hidden(const NeuronModel& model, NetworkOptions options,
                            const NetworkShape& shape) {
  const auto fits = [&](std::int64_t hidden) {
    options.hidden = hidden;
    return count(model, options, shape).trained <= static_cast<double>(options.match_params);
  };
  require(
      options.readout, ErrorKind::config,
      "match_params {}: a network without a readout has as many neurons as the task outputs, {}",
      options.match_params, shape.output_size);
  options.hidden = 1;
  const double least = count(model, options, shape).trained;
  require(least <= static_cast<double>(options.match_params), ErrorKind::config,
          "match_params {}: a network with one neuron has {} parameters already",
          options.match_params, least);
  // Upwards, since a model may refuse sizes far beyond the answer.
  std::int64_t low = 1, high = 2;
  while (high <= kMostHidden && fits(high)) {
    low = high;
    high = std::min(2 * high, kMostHidden + 1);
  }
  while (high - low > 1) {
    const std::int64_t middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

/// Refuses what would fill the memory.
void require_size(const NeuronModel& model, const NetworkOptions& options,
                  const NetworkShape& shape) {
  const double parameters = count(model, options, shape).all;
  require(parameters <= kMostParameters, ErrorKind::config,
          "a network of hidden {} and layers {} has {} parameters, expected at most {}",
          options.hidden, options.layers, parameters, kMostParameters);
}

}  // namespace

void NetworkOptions::describe(options::Section section) {
  section.add("hidden", hidden, "Neurons in each layer.").at_least(1).at_most(kMostHidden);
  section.add("layers", layers, "Recurrent layers, stacked.").at_least(1).at_most(1000);
  section
      .add("match_params", match_params,
           "If above 0: the largest 'hidden' with at most this many trained parameters.")
      .at_least(0)
      .at_most(1e8);
  section.add("readout_dropout", readout_dropout, "Dropout of the readout's input.")
      .at_least(0)
      .below(1);
  section.add("readout", readout, "false: the activity of the last layer is the output.");
}

Network::Network(const NeuronModel& model, const NetworkOptions& options, const NetworkShape& shape)
    : options_(options), shape_(shape) {
  require(shape.output_size > 0, ErrorKind::config, "a network of {} outputs: expected at least 1",
          shape.output_size);
  if (options_.match_params > 0) options_.hidden = matched_hidden(model, options, shape);
  require_size(model, options_, shape);
  std::int64_t input_size = shape.input_size;
  const auto add = [&](const NeuronModel& kind, std::int64_t neurons) {
    layers_.push_back(kind.make({input_size, neurons, shape.dt_ms}));
    input_size = neurons;
  };
  for (std::int64_t index = 0; index < options_.layers; ++index) add(model, options_.hidden);
  if (const auto reader = model.readout_model()) add(*reader, shape.output_size);
  if (!options_.readout) {
    require(input_size == shape.output_size, ErrorKind::config,
            "a network of {} neurons without a readout: expected {}, the outputs of the task",
            options_.hidden, shape.output_size);
    return;
  }
  readout_specs_ = specs_of_readout(input_size, shape.output_size);
  readout_weight_ = at::zeros(readout_specs_[0].shape).requires_grad_(true);
  readout_bias_ = at::zeros(readout_specs_[1].shape).requires_grad_(true);
}

void Network::to(const at::TensorOptions& options) {
  for (const auto& layer : layers_) layer->to(options);
  if (!options_.readout) return;
  convert_in_place(readout_weight_, options);
  convert_in_place(readout_bias_, options);
}

void Network::initialize(const Rng& rng) {
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    layers_[index]->initialize(rng.stream("layer", index));
  }
  if (!options_.readout) return;
  const at::NoGradGuard no_grad;
  const Rng stream = rng.stream("readout");
  readout_weight_.copy_(
      readout_specs_[0].initial.draw(readout_specs_[0].shape, stream.stream("weight")));
  readout_bias_.copy_(
      readout_specs_[1].initial.draw(readout_specs_[1].shape, stream.stream("bias")));
}

void Network::resample(const NamedTensors& donor, const Rng& rng) {
  const std::string beyond = "layers." + std::to_string(layers_.size()) + ".";
  const auto next = donor.lower_bound(beyond);
  require(next == donor.end() || !next->first.starts_with(beyond), ErrorKind::checkpoint,
          "the donor has a layer {}; expected a network of {} layers", layers_.size(),
          layers_.size());
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const std::string prefix = "layers." + std::to_string(index) + ".";
    NamedTensors own;
    for (const auto& [name, tensor] : donor) {
      if (name.starts_with(prefix)) own[name.substr(prefix.size())] = tensor;
    }
    require(!own.empty(), ErrorKind::checkpoint,
            "the donor has no layer {}; expected a network of {} layers", index, layers_.size());
    layers_[index]->resample(own, rng.stream("layer", index));
  }
}

at::Tensor Network::emissions(const at::Tensor& input, const NetworkPass& pass) const {
  require(pass.masks.empty() || pass.masks.size() == layers_.size(), ErrorKind::internal,
          "{} masks for {} layers", pass.masks.size(), layers_.size());
  at::Tensor signal = input;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    NamedTensors trace;
    LayerPass layer_pass{pass, pass.masks.empty() ? at::Tensor() : pass.masks[index]};
    if (pass.trace != nullptr) layer_pass.trace = &trace;
    if (index + 1 < layers_.size()) layer_pass.first = 0;
    layer_pass.execution.workspace_limit = layer_limit(input.size(0), input.size(1), pass);
    signal = layers_[index]->emissions(signal, layer_pass);
    for (const auto& [name, tensor] : trace) {
      (*pass.trace)["layers." + std::to_string(index) + "." + name] = tensor;
    }
  }
  return signal;
}

at::Tensor Network::readout(const at::Tensor& emissions, const NetworkPass& pass) const {
  if (!options_.readout) return emissions;
  LayerPass layer_pass;
  layer_pass.dropout = pass.dropout;
  return at::matmul(dropout(emissions, options_.readout_dropout, layer_pass), readout_weight_.t()) +
         readout_bias_;
}

at::Tensor Network::forward(const at::Tensor& input, const NetworkPass& pass) const {
  return readout(emissions(input, pass), pass);
}

std::size_t Network::handed_on(std::int64_t steps, std::int64_t rows, std::int64_t first) const {
  std::int64_t values = 0;
  for (const auto& layer : layers_) {
    // A penalty is one on all steps, and takes their magnitudes.
    const bool penalised = layer->has_penalty();
    const bool from_first = layer == layers_.back() && !penalised;
    values +=
        (from_first ? steps - first : steps) * rows * layer->shape().neurons * (penalised ? 2 : 1);
  }
  return static_cast<std::size_t>(2 * values) * sizeof(float);
}

std::size_t Network::layer_limit(std::int64_t steps, std::int64_t rows,
                                 const NetworkPass& pass) const {
  const std::size_t limit = pass.execution.workspace_limit;
  if (limit == 0) return 0;
  const LargestPass& largest = pass.execution.largest;
  const std::size_t handed = largest.steps > 0
                                 ? handed_on(largest.steps, largest.rows, largest.first)
                                 : handed_on(steps, rows, pass.first);
  const std::size_t outside = std::min(limit, handed);
  return std::max<std::size_t>(1, (limit - outside) / layers_.size());
}

std::optional<NeuronLayer::Workspace> Network::workspace(std::int64_t steps, std::int64_t rows,
                                                         const NetworkPass& pass) const {
  const std::size_t outside = handed_on(steps, rows, pass.first);
  NeuronLayer::Workspace sum{outside, outside};
  for (const auto& layer : layers_) {
    const auto own =
        layer->workspace(steps, rows, pass.execution.precision, layer_limit(steps, rows, pass));
    if (!own) return std::nullopt;
    sum.bytes += own->bytes;
    sum.least += own->least;
  }
  return sum;
}

bool Network::has_threshold_softness() const {
  return layers_.front()->has_threshold_softness();
}

bool Network::has_surrogate_gradient() const {
  return std::all_of(layers_.begin(), layers_.end(),
                     [](const auto& layer) { return layer->has_surrogate_gradient(); });
}

bool Network::has_penalty() const {
  return std::any_of(layers_.begin(), layers_.end(),
                     [](const auto& layer) { return layer->has_penalty(); });
}

std::vector<std::string> Network::remarks() const {
  std::vector<std::string> lines;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    const std::string remark = layers_[index]->remark();
    if (!remark.empty()) lines.push_back("layer " + std::to_string(index) + ": " + remark);
  }
  return lines;
}

std::vector<Network::Parameter> Network::named() const {
  std::vector<Parameter> all;
  for (std::size_t index = 0; index < layers_.size(); ++index) {
    for (const ParameterSpec& spec : layers_[index]->specs()) {
      all.push_back({"layers." + std::to_string(index) + "." + spec.name,
                     layers_[index]->raw(spec.name), &spec});
    }
  }
  if (!options_.readout) return all;
  all.push_back({"readout.weight", readout_weight_, &readout_specs_[0]});
  all.push_back({"readout.bias", readout_bias_, &readout_specs_[1]});
  return all;
}

at::Tensor Network::physical(std::string_view name) const {
  for (const Parameter& parameter : named()) {
    if (parameter.name != name) continue;
    if (!name.starts_with("layers.")) return parameter.tensor;
    const auto index = static_cast<std::size_t>(std::stoll(parameter.name.substr(7)));
    return layers_.at(index)->physical(parameter.spec->name);
  }
  fail(ErrorKind::internal, "no parameter called '{}'", name);
}

std::int64_t Network::trainable_parameters() const {
  std::int64_t count = 0;
  for (const Parameter& parameter : named()) {
    if (parameter.spec->trainable) count += parameter.tensor.numel();
  }
  return count;
}

}  // namespace afterspike::nn
