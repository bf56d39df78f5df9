#include <ATen/ATen.h>

#include "cell_layer.hpp"

namespace afterspike::nn {
namespace {

/// Gated recurrent units; gates in PyTorch's order r, z, n:
///   n = tanh(x W_in + b_in + r (h W_hn + b_hn)),  h(t) = (1 - z) n + z h(t-1).
class Gru final : public GatedLayer {
 public:
  static constexpr kernels::RnnCell kCell = kernels::RnnCell::gru;

  Gru(const LayerShape& shape, const GatedOptions& options) : GatedLayer(shape, kCell, options) {}

  NamedTensors initial_state(std::int64_t batch) const override {
    return {{"emitted", at::zeros({batch, shape().neurons}, tensor_options())}};
  }

  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override {
    const at::Tensor drive =
        at::matmul(dropout(input, options().input_dropout, pass), raw("input_weight")) +
        raw("input_bias");
    at::Tensor emitted = state.at("emitted");
    std::vector<at::Tensor> emissions;
    for (const at::Tensor& step_drive : drive.unbind(0)) {
      const at::Tensor arriving = dropout(emitted, options().recurrent_dropout, pass);
      const auto own = step_drive.chunk(3, 1);
      const auto recurrent =
          at::addmm(raw("recurrent_bias"), arriving, raw("recurrent_weight")).chunk(3, 1);
      const at::Tensor reset = at::sigmoid(own[0] + recurrent[0]);
      const at::Tensor update = at::sigmoid(own[1] + recurrent[1]);
      const at::Tensor candidate = at::tanh(at::addcmul(own[2], reset, recurrent[2]));
      emitted = silence(
          dropout(candidate + update * (emitted - candidate), options().dropout, pass), pass);
      emissions.push_back(emitted);
    }
    state = {{"emitted", emitted}};
    return at::stack(emissions);
  }
};

}  // namespace

NeuronEntry entry_gru() {
  return {"gru", "gated recurrent units",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<GatedModel<Gru>>()); }};
}

}  // namespace afterspike::nn
