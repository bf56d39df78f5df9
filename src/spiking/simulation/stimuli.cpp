#include "simulation/stimuli.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace afterspike::spiking {
namespace {

/// The last multiple of the interval that is not after `time`, as doubles multiply: changes come at
/// such products, and the quotient alone may be rounded to the number before or after.
double multiple_at(double time_ms, double interval_ms) {
  double number = std::floor(time_ms / interval_ms);
  while (number * interval_ms > time_ms) --number;
  while ((number + 1) * interval_ms <= time_ms) ++number;
  return number;
}

}  // namespace

Stimuli::Stimuli(const Layout& layout, const Piece& piece) : layout_(layout), begin_(piece.begin) {
  const auto& network = *layout.network;
  for (const StepCurrent& current : network.step_currents) {
    if (current.population != piece.population) continue;
    Steps steps{&current, {}};
    for (const std::int64_t neuron : current.neurons) {
      if (neuron >= piece.begin && neuron < piece.end) {
        steps.neurons.push_back(neuron - piece.begin);
      }
    }
    std::sort(steps.neurons.begin(), steps.neurons.end());
    if (current.neurons.empty() || !steps.neurons.empty()) steps_.push_back(std::move(steps));
  }
  for (std::size_t index = 0; index < network.noise_currents.size(); ++index) {
    const NoiseCurrent& current = network.noise_currents[index];
    if (current.population != piece.population) continue;
    noise_.push_back({current, index});
  }
}

bool Stimuli::is_in(const Steps& steps, std::int64_t local) const {
  return steps.current->neurons.empty() ||
         std::binary_search(steps.neurons.begin(), steps.neurons.end(), local);
}

bool Stimuli::concerns(std::int64_t local) const {
  return !noise_.empty() || std::any_of(steps_.begin(), steps_.end(),
                                        [&](const Steps& steps) { return is_in(steps, local); });
}

double Stimuli::current(std::int64_t local, double time_ms) const {
  double sum = 0;
  for (const Steps& steps : steps_) {
    const auto& times = steps.current->times_ms;
    const auto after = std::upper_bound(times.begin(), times.end(), time_ms) - times.begin();
    if (after == 0 || !is_in(steps, local)) continue;
    sum += steps.current->amplitudes_pa[static_cast<std::size_t>(after - 1)];
  }
  for (const Noise& noise : noise_) {
    const auto interval =
        static_cast<std::uint64_t>(multiple_at(time_ms, noise.current.interval_ms));
    Rng rng = Rng(layout_.options.seed)
                  .stream("noise")
                  .stream("current", noise.number)
                  .stream("neuron", static_cast<std::uint64_t>(begin_ + local))
                  .stream("interval", interval);
    sum += noise.current.mean_pa + noise.current.standard_deviation_pa * rng.normal();
  }
  return sum;
}

double Stimuli::next_change(double time_ms) const {
  double next = std::numeric_limits<double>::infinity();
  for (const Steps& steps : steps_) {
    const auto& times = steps.current->times_ms;
    const auto after = std::upper_bound(times.begin(), times.end(), time_ms);
    if (after != times.end()) next = std::min(next, *after);
  }
  for (const Noise& noise : noise_) {
    const double interval = noise.current.interval_ms;
    next = std::min(next, (multiple_at(time_ms, interval) + 1) * interval);
  }
  return next;
}

}  // namespace afterspike::spiking
