#include "simulation/travelling.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "simulation/steps.hpp"

namespace afterspike::spiking {

Travelling::Travelling(const Layout& layout) : layout_(layout) {
  for (std::size_t index = 0; index < layout.network->populations.size(); ++index) {
    const std::uint32_t longest = longest_rule_delay(layout, static_cast<std::int64_t>(index));
    longest_.push_back(static_cast<std::uint16_t>(longest));
    longest_of_all_ = std::max(longest_of_all_, std::int64_t{longest});
  }
  steps_.resize(
      static_cast<std::size_t>(longest_of_all_ * layout.rule_stride + layout.window_steps + 1));
}

void Travelling::open(std::int64_t first_step, std::int64_t last_step) {
  if (longest_of_all_ == 0) return;
  for (std::int64_t step = first_step + 1; step <= last_step; ++step) slot(step).clear();
}

void Travelling::add(const Emission& emission) {
  if (longest_of_all_ == 0) return;
  const std::int64_t step =
      emission.step >= 0 ? emission.step
                         : static_cast<std::int64_t>(steps_until(emission.time_ms, layout_.dt_ms));
  add(step, emission.neuron, emission.size);
}

void Travelling::add(std::int64_t step, std::uint32_t neuron, double size) {
  const auto population = static_cast<std::size_t>(layout_.population_of(neuron));
  if (longest_[population] == 0) return;
  const bool is_source = model(layout_.network->populations[population].model).is_source();
  slot(step).push_back({neuron, longest_[population], is_source, static_cast<float>(size)});
}

void Travelling::arrivals(std::int64_t step, std::vector<TileStore::Arrival>& arrivals) const {
  arrivals.clear();
  for (std::int64_t delay = longest_of_all_; delay >= 1; --delay) {
    const std::int64_t sent_at = step - delay * layout_.rule_stride;
    if (sent_at < 0) continue;
    for (const Sent& sent : steps_[static_cast<std::size_t>(sent_at) % steps_.size()]) {
      if (delay > sent.longest) continue;
      arrivals.push_back(
          {sent.neuron, static_cast<std::uint16_t>(delay), sent.is_source, sent.size});
    }
  }
}

void Travelling::clear() {
  for (auto& sent : steps_) sent.clear();
}

void Travelling::save(State& state, std::int64_t step) const {
  if (longest_of_all_ == 0) return;
  auto& array = state.arrays["travelling"];
  const std::int64_t oldest = step - longest_of_all_ * layout_.rule_stride;
  for (std::int64_t at = std::max<std::int64_t>(oldest, 0); at <= step; ++at) {
    for (const Sent& sent : steps_[static_cast<std::size_t>(at) % steps_.size()]) {
      array.insert(array.end(), {static_cast<double>(at), static_cast<double>(sent.neuron),
                                 static_cast<double>(sent.size)});
    }
  }
}

std::span<const double> Travelling::saved(const State& state) const {
  if (longest_of_all_ == 0) return {};
  const double step = saved_array(state, "step", 1)[0];
  const double oldest = step - static_cast<double>(longest_of_all_ * layout_.rule_stride);
  return saved_rows(state, "travelling", 3, [&](const double* row) {
    return is_index(row[0], std::max(oldest, 0.0), step + 1) &&
           is_index(row[1], 0, static_cast<double>(layout_.first_neuron.back())) &&
           std::isfinite(row[2]);
  });
}

void Travelling::check(const State& state) const {
  saved(state);
}

void Travelling::restore(const State& state) {
  clear();
  const std::span<const double> rows = saved(state);
  for (std::size_t at = 0; at < rows.size(); at += 3) {
    add(static_cast<std::int64_t>(rows[at]), static_cast<std::uint32_t>(rows[at + 1]),
        rows[at + 2]);
  }
}

}  // namespace afterspike::spiking
