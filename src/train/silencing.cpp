#include "silencing.hpp"

#include <ATen/ATen.h>

namespace afterspike::train {
namespace {

/// Silences each neuron of a sequence with the same probability, in all layers.
void silence_sequence(const std::vector<at::Tensor>& masks, std::size_t layers, std::int64_t row,
                      double probability, Rng& rng) {
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::int64_t neurons = masks[layer].size(1);
    float* mask = masks[layer].data_ptr<float>() + row * neurons;
    for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
      if (rng.uniform() < probability) mask[neuron] = 0;
    }
  }
}

}  // namespace

std::vector<at::Tensor> draw_silencing(const nn::Network& network, const TrainOptions& options,
                                       std::int64_t rows, const Rng& rng) {
  if (options.silence <= 0) return {};
  std::vector<at::Tensor> masks(network.layers().size());
  const std::size_t layers = network.hidden_layers();
  for (std::size_t layer = 0; layer < layers; ++layer) {
    masks[layer] = at::ones({rows, network.layer(layer)->shape().neurons}, at::kFloat);
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    Rng stream = rng.stream("row", static_cast<std::uint64_t>(row));
    if (stream.uniform() >= options.silence_share) continue;
    silence_sequence(masks, layers, row, stream.uniform(0, options.silence), stream);
  }
  return masks;
}

}  // namespace afterspike::train
