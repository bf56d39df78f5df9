#include "afterspike/analysis/perturbation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"

namespace afterspike::analysis {
namespace {

struct Description {
  std::string_view name, level;
  double most;
};

const Description& description(Perturbation perturbation) noexcept {
  static constexpr double kAny = 1e9;
  static constexpr std::array<Description, 4> kAll = {{{"silence", "fraction", 1},
                                                       {"weight_noise", "weight_noise_sd", kAny},
                                                       {"jitter", "jitter_sd_steps", kAny},
                                                       {"deletion", "deletion_probability", 1}}};
  return kAll[static_cast<std::size_t>(perturbation)];
}

/// Returns the number of events in a value of the input.
std::int64_t events_of(float value, std::int64_t sample) {
  require(value >= 0 && value < 1e6F && value == std::floor(value), ErrorKind::data,
          "the input of sample {} holds {}, expected events: whole numbers, 0 or more. Images and "
          "other graded input have no events to move or leave out",
          sample, value);
  return static_cast<std::int64_t>(value);
}

/// Rebuilds the input of a batch event by event: `place` returns the step of each, or -1 to delete
/// it.
template <typename Place>
void rebuild(tasks::Batch& batch, std::span<const std::int64_t> numbers, const Rng& rng,
             Place place) {
  const at::Tensor before = batch.input.contiguous();
  at::Tensor after = at::zeros_like(before);
  const std::int64_t steps = before.size(0);
  const std::int64_t rows = before.size(1);
  const std::int64_t features = before.size(2);
  const float* from = before.data_ptr<float>();
  float* to = after.data_ptr<float>();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t number = numbers[static_cast<std::size_t>(row)];
    Rng stream = rng.stream("sample", static_cast<std::uint64_t>(number));
    const std::int64_t length =
        batch.lengths.defined() ? batch.lengths[row].item<std::int64_t>() : steps;
    for (std::int64_t step = 0; step < length; ++step) {
      for (std::int64_t feature = 0; feature < features; ++feature) {
        const float value = from[(step * rows + row) * features + feature];
        for (std::int64_t event = events_of(value, number); event > 0; --event) {
          const std::int64_t target = place(stream, step, length);
          if (target >= 0) to[(target * rows + row) * features + feature] += 1;
        }
      }
    }
  }
  batch.input = after;
}

}  // namespace

std::string_view perturbation_name(Perturbation perturbation) noexcept {
  return description(perturbation).name;
}

std::string_view level_name(Perturbation perturbation) noexcept {
  return description(perturbation).level;
}

void require_level(Perturbation perturbation, double level) {
  const double most = description(perturbation).most;
  require(level >= 0 && level <= most, ErrorKind::usage, "{}: found {}, expected 0 to {:g}",
          level_name(perturbation), level, most);
}

std::vector<at::Tensor> masks_without(const nn::Network& network,
                                      std::span<const std::int64_t> silenced) {
  const std::int64_t hidden = network.options().hidden;
  std::vector<at::Tensor> masks;
  for (const auto& layer : network.layers()) masks.push_back(at::ones({layer->shape().neurons}));
  for (const std::int64_t number : silenced) {
    masks[static_cast<std::size_t>(number / hidden)].data_ptr<float>()[number % hidden] = 0;
  }
  return masks;
}

std::shared_ptr<nn::Network> with_weight_noise(const experiment::Trained& trained, double level,
                                               const Rng& rng) {
  const at::NoGradGuard no_grad;
  auto network = trained.experiment->make_network(trained.network->shape());
  const auto sources = trained.network->named();
  const auto targets = network->named();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const at::Tensor& source = sources[i].tensor;
    targets[i].tensor.copy_(source);
    if (targets[i].spec->group != nn::ParameterGroup::weight || source.numel() < 2) continue;
    Rng stream = rng.stream(targets[i].name);
    at::Tensor noise = at::empty(source.sizes(), at::kDouble);
    std::generate_n(noise.data_ptr<double>(), noise.numel(), [&] { return stream.normal(); });
    const double sd = source.to(at::kDouble).std().item<double>();
    targets[i].tensor.add_((noise * (level * sd)).to(source.scalar_type()));
  }
  return network;
}

InputChange jittered(double sd_steps, const Rng& rng) {
  return [sd_steps, rng](tasks::Batch& batch, std::span<const std::int64_t> numbers) {
    rebuild(batch, numbers, rng, [&](Rng& stream, std::int64_t step, std::int64_t length) {
      const auto moved = static_cast<double>(step) + std::round(sd_steps * stream.normal());
      return static_cast<std::int64_t>(std::clamp(moved, 0.0, static_cast<double>(length - 1)));
    });
  };
}

InputChange thinned(double probability, const Rng& rng) {
  return [probability, rng](tasks::Batch& batch, std::span<const std::int64_t> numbers) {
    rebuild(batch, numbers, rng, [&](Rng& stream, std::int64_t step, std::int64_t /*length*/) {
      return stream.uniform() < probability ? -1 : step;
    });
  };
}

}  // namespace afterspike::analysis
