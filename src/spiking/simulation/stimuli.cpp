#include "simulation/stimuli.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include <fmt/format.h>

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

template <typename Current>
bool Stimuli::Selected<Current>::contains(std::int64_t local) const {
  return current->neurons.empty() || std::binary_search(neurons.begin(), neurons.end(), local);
}

template <typename Current>
void Stimuli::select(const std::vector<Current>& currents, const Piece& piece,
                     std::vector<Selected<Current>>& selected) const {
  for (const Current& current : currents) {
    if (current.population != piece.population) continue;
    Selected<Current> own{&current, {}};
    for (const std::int64_t neuron : current.neurons) {
      if (neuron >= piece.begin && neuron < piece.end) own.neurons.push_back(neuron - piece.begin);
    }
    std::sort(own.neurons.begin(), own.neurons.end());
    if (current.neurons.empty() || !own.neurons.empty()) selected.push_back(std::move(own));
  }
}

Stimuli::Stimuli(const Layout& layout, const Piece& piece) : layout_(layout), begin_(piece.begin) {
  const Network& network = *layout.network;
  select(network.step_currents, piece, steps_);
  select(network.sinusoid_currents, piece, sinusoids_);
  for (std::size_t index = 0; index < network.noise_currents.size(); ++index) {
    const NoiseCurrent& current = network.noise_currents[index];
    if (current.population == piece.population) noise_.push_back({current, index});
  }
  const auto size = static_cast<std::size_t>(piece.size());
  for (std::size_t index = 0; index < network.ornstein_uhlenbeck_currents.size(); ++index) {
    const OrnsteinUhlenbeckCurrent& current = network.ornstein_uhlenbeck_currents[index];
    if (current.population != piece.population) continue;
    const double steps = current.interval_ms / current.tau_ms;
    processes_.push_back({current, index, std::exp(-steps),
                          current.standard_deviation_pa * std::sqrt(-std::expm1(-2 * steps)),
                          std::vector<double>(size, -1.0), std::vector<double>(size)});
  }
}

bool Stimuli::concerns(std::int64_t local) const {
  const auto contains = [&](const auto& selected) { return selected.contains(local); };
  return !noise_.empty() || !processes_.empty() ||
         std::any_of(steps_.begin(), steps_.end(), contains) ||
         std::any_of(sinusoids_.begin(), sinusoids_.end(), contains);
}

double Stimuli::normal(const char* stream, std::uint64_t number, std::int64_t local,
                       std::uint64_t interval) const {
  Rng rng = Rng(layout_.options.seed)
                .stream(stream)
                .stream("current", number)
                .stream("neuron", static_cast<std::uint64_t>(begin_ + local))
                .stream("interval", interval);
  return rng.normal();
}

/// Advances from the last interval; an earlier one starts anew.
double Stimuli::process_at(const Process& process, std::int64_t local, double time_ms) const {
  const auto neuron = static_cast<std::size_t>(local);
  const double wanted = multiple_at(time_ms, process.current.interval_ms);
  double& interval = process.intervals[neuron];
  double& value = process.values[neuron];
  // Interval 0 is drawn anew, because reset() may have changed the seed.
  if (!(interval >= -1 && interval <= wanted) || wanted == 0) interval = -1;
  while (interval < wanted) {
    ++interval;
    const double drawn =
        normal("ornstein_uhlenbeck", process.number, local, static_cast<std::uint64_t>(interval));
    value = interval == 0 ? process.current.standard_deviation_pa * drawn
                          : process.keep * value + process.spread * drawn;
  }
  return process.current.mean_pa + value;
}

std::vector<Stimuli::Row> Stimuli::rows() const {
  std::vector<Row> rows;
  for (const Process& process : processes_) {
    const std::string name = fmt::format("ornstein_uhlenbeck_{}", process.number);
    rows.push_back({name, process.values.data()});
    rows.push_back({name + "_interval", process.intervals.data()});
  }
  return rows;
}

double Stimuli::current(std::int64_t local, double time_ms) const {
  double sum = 0;
  for (const Selected<StepCurrent>& steps : steps_) {
    const auto& times = steps.current->times_ms;
    const auto after = std::upper_bound(times.begin(), times.end(), time_ms) - times.begin();
    if (after == 0 || !steps.contains(local)) continue;
    sum += steps.current->amplitudes_pa[static_cast<std::size_t>(after - 1)];
  }
  for (const Selected<SinusoidCurrent>& each : sinusoids_) {
    const SinusoidCurrent& sinusoid = *each.current;
    if (time_ms < sinusoid.start_ms || time_ms >= sinusoid.stop_ms || !each.contains(local))
      continue;
    // The caller looks a little past the step's begin, so that rounding hides no change.
    const double begin_ms = multiple_at(time_ms, layout_.dt_ms) * layout_.dt_ms;
    const double turns = sinusoid.frequency_hz * 1e-3 * begin_ms + sinusoid.phase_deg / 360;
    sum += sinusoid.offset_pa + sinusoid.amplitude_pa * std::sin(2 * std::numbers::pi * turns);
  }
  for (const Noise& noise : noise_) {
    const auto interval =
        static_cast<std::uint64_t>(multiple_at(time_ms, noise.current.interval_ms));
    sum += noise.current.mean_pa +
           noise.current.standard_deviation_pa * normal("noise", noise.number, local, interval);
  }
  for (const Process& process : processes_) sum += process_at(process, local, time_ms);
  return sum;
}

double Stimuli::next_change(double time_ms) const {
  double next = std::numeric_limits<double>::infinity();
  for (const Selected<StepCurrent>& steps : steps_) {
    const auto& times = steps.current->times_ms;
    const auto after = std::upper_bound(times.begin(), times.end(), time_ms);
    if (after != times.end()) next = std::min(next, *after);
  }
  for (const Selected<SinusoidCurrent>& each : sinusoids_) {
    const SinusoidCurrent& sinusoid = *each.current;
    if (time_ms >= sinusoid.stop_ms) continue;
    const double step = (multiple_at(time_ms, layout_.dt_ms) + 1) * layout_.dt_ms;
    next = std::min(next, std::min(std::max(step, sinusoid.start_ms), sinusoid.stop_ms));
  }
  const auto at_interval = [&](double interval_ms) {
    next = std::min(next, (multiple_at(time_ms, interval_ms) + 1) * interval_ms);
  };
  for (const Noise& noise : noise_) at_interval(noise.current.interval_ms);
  for (const Process& process : processes_) at_interval(process.current.interval_ms);
  return next;
}

}  // namespace afterspike::spiking
