#include <cmath>
#include <deque>

#include <ATen/ATen.h>

#include "cell_layer.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {
namespace {

struct RnnOptions {
  units::Duration delay = units::Duration::steps(1);
  CellOptions cell;
};

std::vector<ParameterSpec> rnn_specs(const LayerShape& shape) {
  const double bound = 1 / std::sqrt(static_cast<double>(shape.neurons));
  const Initial initial = Initial::uniform(-bound, bound);
  return {{"input_weight", "W_in", "1", {shape.input_size, shape.neurons}, {}, initial},
          {"recurrent_weight", "W_lat", "1", {shape.neurons, shape.neurons}, {}, initial},
          {"bias", "b", "1", {shape.neurons}, {}, initial, ParameterGroup::bias}};
}

/// Vanilla recurrent network: h(t) = tanh(x(t) W_in + h(t - D) W_lat + b).
class Rnn final : public CellLayer {
 public:
  Rnn(const LayerShape& shape, const RnnOptions& options)
      : CellLayer(shape, rnn_specs(shape), kernels::RnnCell::vanilla, options.cell,
                  nn::delay_steps(options.delay, shape.dt_ms, "rnn")) {}

  NamedTensors initial_state(std::int64_t batch) const override {
    return {{"emitted", at::zeros({delay_steps(), batch, shape().neurons}, tensor_options())}};
  }

  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override {
    const at::Tensor drive =
        at::matmul(dropout(input, options().input_dropout, pass), raw("input_weight")) +
        raw("bias");
    const std::vector<at::Tensor> past = state.at("emitted").unbind(0);
    std::deque<at::Tensor> line(past.begin(), past.end());
    std::vector<at::Tensor> emissions, preactivations;
    for (const at::Tensor& step_drive : drive.unbind(0)) {
      const at::Tensor arriving = dropout(line.front(), options().recurrent_dropout, pass);
      const at::Tensor preactivation = at::addmm(step_drive, arriving, raw("recurrent_weight"));
      const at::Tensor emitted =
          silence(dropout(at::tanh(preactivation), options().dropout, pass), pass);
      emissions.push_back(emitted);
      line.pop_front();
      line.push_back(emitted);
      if (pass.trace != nullptr) preactivations.push_back(preactivation);
    }
    if (pass.trace != nullptr) *pass.trace = {{"preactivation", at::stack(preactivations)}};
    state = {{"emitted", at::stack(std::vector<at::Tensor>(line.begin(), line.end()))}};
    return at::stack(emissions);
  }
};

class RnnModel final : public NeuronModel {
 public:
  void describe(options::Section section) override {
    section.duration("delay", options_.delay,
                     "Delay of the recurrent synapses, such as 15ms or 300steps.");
    options_.cell.describe(section);
  }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    return rnn_specs(shape);
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    return std::make_shared<Rnn>(shape, options_);
  }

 private:
  RnnOptions options_;
};

}  // namespace

NeuronEntry entry_rnn() {
  return {"rnn", "vanilla recurrent units (tanh)",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<RnnModel>()); }};
}

}  // namespace afterspike::nn
