#pragma once

#include <memory>
#include <string_view>

#include "afterspike/base/registry.hpp"
#include "afterspike/nn/glifr.hpp"
#include "afterspike/nn/network.hpp"
#include "support/settings.hpp"

namespace afterspike::testing {

/// Returns the neuron model of this name with these settings.
inline std::unique_ptr<nn::NeuronModel> make_model(std::string_view name,
                                                   const Settings& settings = {}) {
  auto model = find_entry<nn::NeuronEntry>(nn::entries(), name, "neuron model").make();
  apply(*model, settings);
  return model;
}

/// Returns a layer of such neurons in double precision, with drawn parameters.
inline std::shared_ptr<nn::NeuronLayer> make_layer(std::string_view name,
                                                   const nn::LayerShape& shape,
                                                   const Settings& settings = {},
                                                   std::uint64_t seed = 1) {
  auto layer = make_model(name, settings)->make(shape);
  layer->to(at::kDouble);
  layer->initialize(Rng(seed));
  return layer;
}

/// GLIFR neurons with exactly these options.
class GlifrWith final : public nn::NeuronModel {
 public:
  explicit GlifrWith(nn::GlifrOptions options) : options_(std::move(options)) {}
  void describe(options::Section section) override { options_.describe(section); }
  std::vector<nn::ParameterSpec> specs(const nn::LayerShape& shape) const override {
    return make(shape)->specs();
  }
  std::shared_ptr<nn::NeuronLayer> make(const nn::LayerShape& shape) const override {
    return std::make_shared<nn::Glifr>(shape, options_);
  }

 private:
  nn::GlifrOptions options_;
};

}  // namespace afterspike::testing
