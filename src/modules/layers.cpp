#include "afterspike/modules/layers.hpp"

#include <cstring>
#include <ostream>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/io/safetensors.hpp"

namespace afterspike {
namespace {

/// A seed from LibTorch's default generator.
std::uint64_t drawn_seed() {
  return static_cast<std::uint64_t>(
      at::randint(std::int64_t{1} << 62, {1}, at::kLong).item<std::int64_t>());
}

io::Array to_array(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  io::Array array{io::ElementType::F32, values.sizes().vec(), {}};
  array.bytes.resize(values.nbytes());
  std::memcpy(array.bytes.data(), values.data_ptr(), values.nbytes());
  return array;
}

/// Returns the values of an array. Throws Error(checkpoint) unless it has this shape and is F32.
at::Tensor to_tensor(const io::Array& array, at::IntArrayRef sizes, const std::string& name,
                     const std::filesystem::path& path) {
  require(array.type == io::ElementType::F32 && at::IntArrayRef(array.shape) == sizes,
          ErrorKind::checkpoint, "{}: tensor '{}': found {} [{}], expected F32 [{}]", path.string(),
          name, io::element_name(array.type), fmt::join(array.shape, ", "),
          fmt::join(sizes.begin(), sizes.end(), ", "));
  at::Tensor values = at::empty(sizes, at::kFloat);
  std::memcpy(values.data_ptr(), array.bytes.data(), array.bytes.size());
  return values;
}

}  // namespace

LayersImpl::LayersImpl(const char* name, const nn::StackOptions& options, std::uint64_t seed,
                       int threads)
    : torch::nn::Module(name),
      options_(options),
      seed_(seed),
      threads_(threads),
      stack_(std::make_shared<nn::LayerStack>(options)) {
  require(threads >= 1, ErrorKind::config, "threads: found {}, expected 1 or more", threads);
  // The tensors of the layers are registered, not copies: what is done to one is done to both.
  const auto layers = register_module("layers", std::make_shared<torch::nn::Module>("Layers"));
  for (std::size_t i = 0; i < stack_->layers().size(); ++i) {
    const nn::NeuronLayer& layer = *stack_->layers()[i];
    const auto own =
        layers->register_module(std::to_string(i), std::make_shared<torch::nn::Module>("Layer"));
    for (const nn::ParameterSpec& spec : layer.specs()) {
      own->register_parameter(spec.name, layer.raw(spec.name), spec.trainable);
    }
  }
  reset_parameters();
}

void LayersImpl::reset_parameters() {
  stack_->initialize(Rng(seed_).stream("initial"));
}

std::string LayersImpl::full_name(const std::string& name) const {
  return name.rfind("layers.", 0) == 0 ? name : "layers.0." + name;
}

at::Tensor LayersImpl::physical(const std::string& name) const {
  return stack_->physical(full_name(name));
}

void LayersImpl::set_physical(const std::string& name, const at::Tensor& values) {
  stack_->set_physical(full_name(name), values);
}

LayerStates LayersImpl::initial_state(std::int64_t batch) const {
  return stack_->initial_state(batch);
}

nn::LayerStack::Result LayersImpl::run(const at::Tensor& input,
                                       const c10::optional<LayerStates>& states) const {
  nn::StackPass pass;
  pass.threads = threads_;
  if (is_training()) pass.dropout_seed = drawn_seed();
  return stack_->run(input, states ? std::optional(*states) : std::nullopt, pass);
}

void LayersImpl::save_safetensors(const std::filesystem::path& path) const {
  io::Arrays file;
  for (const auto& own : named_parameters()) file.arrays[own.key()] = to_array(own.value());
  io::write_safetensors(path, file);
}

void LayersImpl::load_safetensors(const std::filesystem::path& path) {
  const at::NoGradGuard no_grad;
  const io::Arrays file = io::read_safetensors(path);
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const auto& own : named_parameters()) {
    const auto found = file.arrays.find(own.key());
    require(found != file.arrays.end(), ErrorKind::checkpoint,
            "{}: there is no tensor '{}'. Build the module with the neurons, sizes and layers of "
            "the file.",
            path.string(), own.key());
    copies.emplace_back(own.value(),
                        to_tensor(found->second, own.value().sizes(), own.key(), path));
  }
  for (auto& [target, values] : copies) target.copy_(values);
}

void LayersImpl::copy_parameters(const torch::nn::Module& other,
                                 const c10::optional<at::Device>& device) {
  const at::NoGradGuard no_grad;
  const auto given = other.named_parameters();
  for (auto& own : named_parameters()) {
    const at::Tensor* const source = given.find(own.key());
    require(source != nullptr, ErrorKind::config,
            "clone: the other module has no parameter '{}'. Clone modules of the same options.",
            own.key());
    own.value().set_data(source->detach().to(device.value_or(source->device())).clone());
    own.value().set_requires_grad(source->requires_grad());
  }
}

void LayersImpl::clone_(torch::nn::Module& other, const c10::optional<at::Device>& device) {
  copy_parameters(other, device);
}

void LayersImpl::pretty_print(std::ostream& stream) const {
  stream << name() << '(' << options_.input_size << ", " << options_.hidden_size
         << ", num_layers=" << options_.num_layers << ", dt_ms=" << options_.dt_ms
         << ", batch_first=" << (options_.batch_first ? "true" : "false");
  for (const auto& [option, value] : options_.neuron_options) {
    stream << ", " << option << '=' << value;
  }
  stream << ')';
}

}  // namespace afterspike
