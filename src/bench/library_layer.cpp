#include "library_layer.hpp"

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"

namespace afterspike::bench {
namespace {

/// One of LibTorch's recurrent layers over a whole sequence.
class LibraryLayer final : public nn::NeuronLayer {
 public:
  LibraryLayer(std::string_view name, const nn::LayerShape& shape,
               std::vector<nn::ParameterSpec> specs)
      : NeuronLayer(shape, std::move(specs)), name_(name) {}

  nn::NamedTensors initial_state(std::int64_t /*batch*/) const override { return {}; }

  at::Tensor forward(const at::Tensor& /*input*/, nn::NamedTensors& /*state*/,
                     const nn::LayerPass& /*pass*/) const override {
    fail(ErrorKind::internal, "LibTorch's {} begins at rest only", name_);
  }

  at::Tensor emissions(const at::Tensor& input, const nn::LayerPass& pass) const override {
    const at::Tensor all = sequence(input);
    return all.narrow(0, pass.first, all.size(0) - pass.first);
  }

 private:
  at::Tensor sequence(const at::Tensor& input) const {
    const bool plain = name_ == "rnn";  // Our model has one bias, LibTorch adds two.
    const at::Tensor bias = raw(plain ? "bias" : "input_bias");
    const std::vector<at::Tensor> parameters = {
        raw("input_weight").t(), raw("recurrent_weight").t(), bias,
        plain ? at::zeros_like(bias) : raw("recurrent_bias")};
    const at::Tensor rest = at::zeros({1, input.size(1), shape().neurons}, tensor_options());
    constexpr bool kBiases = true, kTrain = true, kBidirectional = false, kBatchFirst = false;
    if (name_ == "lstm") {
      return std::get<0>(at::lstm(input, {rest, rest}, parameters, kBiases, 1, 0, kTrain,
                                  kBidirectional, kBatchFirst));
    }
    if (name_ == "gru") {
      return std::get<0>(
          at::gru(input, rest, parameters, kBiases, 1, 0, kTrain, kBidirectional, kBatchFirst));
    }
    return std::get<0>(
        at::rnn_tanh(input, rest, parameters, kBiases, 1, 0, kTrain, kBidirectional, kBatchFirst));
  }

  std::string name_;
};

class LibraryModel final : public nn::NeuronModel {
 public:
  explicit LibraryModel(std::string_view name)
      : name_(name),
        own_(find_entry<nn::NeuronEntry>(nn::entries(), name, "neuron model").make()) {}

  /// No settings, because LibTorch supports only our defaults.
  void describe(options::Section /*section*/) override {}
  std::vector<nn::ParameterSpec> specs(const nn::LayerShape& shape) const override {
    return own_->specs(shape);
  }
  std::shared_ptr<nn::NeuronLayer> make(const nn::LayerShape& shape) const override {
    return std::make_shared<LibraryLayer>(name_, shape, specs(shape));
  }

 private:
  std::string name_;
  std::unique_ptr<nn::NeuronModel> own_;
};

}  // namespace

std::unique_ptr<nn::NeuronModel> library_model(std::string_view name) {
  if (name != "rnn" && name != "gru" && name != "lstm") return nullptr;
  return std::make_unique<LibraryModel>(name);
}

}  // namespace afterspike::bench
