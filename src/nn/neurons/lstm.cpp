#include <ATen/ATen.h>

#include "cell_layer.hpp"

namespace afterspike::nn {
namespace {

/// Long short-term memory; gates in PyTorch's order i, f, g, o:
///   c(t) = f c(t-1) + i g,  h(t) = o tanh(c(t)).
/// A silenced unit emits h = 0; its cell goes on.
class Lstm final : public GatedLayer {
 public:
  static constexpr kernels::RnnCell kCell = kernels::RnnCell::lstm;

  Lstm(const LayerShape& shape, const GatedOptions& options) : GatedLayer(shape, kCell, options) {}

  NamedTensors initial_state(std::int64_t batch) const override {
    const at::Tensor zeros = at::zeros({batch, shape().neurons}, tensor_options());
    return {{"emitted", zeros}, {"cell", zeros}};
  }

  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override {
    const at::Tensor drive =
        at::matmul(dropout(input, options().input_dropout, pass), raw("input_weight")) +
        (raw("input_bias") + raw("recurrent_bias"));
    at::Tensor emitted = state.at("emitted");
    at::Tensor cell = state.at("cell");
    std::vector<at::Tensor> emissions;
    for (const at::Tensor& step_drive : drive.unbind(0)) {
      const at::Tensor arriving = dropout(emitted, options().recurrent_dropout, pass);
      const auto gates = at::addmm(step_drive, arriving, raw("recurrent_weight")).chunk(4, 1);
      cell = at::addcmul(at::sigmoid(gates[1]) * cell, at::sigmoid(gates[0]), at::tanh(gates[2]));
      emitted =
          silence(dropout(at::sigmoid(gates[3]) * at::tanh(cell), options().dropout, pass), pass);
      emissions.push_back(emitted);
    }
    state = {{"emitted", emitted}, {"cell", cell}};
    return at::stack(emissions);
  }
};

}  // namespace

NeuronEntry entry_lstm() {
  return {"lstm", "long short-term memory",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<GatedModel<Lstm>>()); }};
}

}  // namespace afterspike::nn
