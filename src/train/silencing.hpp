#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/base/rng.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/train/options.hpp"

namespace afterspike::train {

/// Draws which neurons are silenced in each of `rows` sequences: masks [rows, neurons] of the
/// recurrent layers (nn::NetworkPass::masks), undefined for a layer that reads out. Empty if
/// options.silence is 0. See docs/numerics.md, "Silencing".
std::vector<at::Tensor> draw_silencing(const nn::Network& network, const TrainOptions& options,
                                       std::int64_t rows, const Rng& rng);

}  // namespace afterspike::train
