// Reads the neurons of the exact engine: samples, and their complete state.

#include <algorithm>
#include <array>
#include <cstddef>

#include "afterspike/base/error.hpp"
#include "exact/exact_part.hpp"

namespace afterspike::spiking {

void ExactPart::save(State& state) const {
  for (const Group& group : groups_) {
    const Population& population = layout_.population(group.piece.population);
    const std::int64_t width = group.width;
    auto& states = state.arrays[population.name + "/state"];
    auto& clocks = state.arrays[population.name + "/clock"];
    states.resize(static_cast<std::size_t>(population.size * width));
    clocks.resize(static_cast<std::size_t>(population.size * 3));
    std::copy(group.states.begin(), group.states.end(), states.begin() + group.piece.begin * width);
    for (std::int64_t local = 0; local < group.piece.size(); ++local) {
      const Clock& clock = clocks_[static_cast<std::size_t>(group.first + local)];
      const std::array<double, 3> row = {clock.time, clock.quiet_until, clock.crosses ? 1.0 : 0.0};
      std::copy(row.begin(), row.end(), clocks.begin() + (group.piece.begin + local) * 3);
    }
    for (const auto& [name, values] : group.stimuli.rows()) {
      auto& array = state.arrays[population.name + "/" + name];
      array.resize(static_cast<std::size_t>(population.size));
      std::copy_n(values, group.piece.size(), array.begin() + group.piece.begin);
    }
  }
  for (const auto& events : events_) {
    for (const Event& event : events) {
      const std::uint32_t neuron = event.target >> shift_;
      const Group& group = groups_[group_index_[neuron]];
      const std::int64_t own = group.piece.begin + neuron - group.first;
      auto& pending = state.arrays[layout_.population(group.piece.population).name + "/events"];
      pending.insert(pending.end(), {event.time, static_cast<double>(own),
                                     static_cast<double>(event.target & change_), event.weight});
    }
  }
}

/// Time, neuron, receptor or a change of the current, and weight of what arrives later.
std::span<const double> ExactPart::saved_events(const State& state, const Group& group) const {
  const Population& population = layout_.population(group.piece.population);
  const auto possible = [&](const double* event) {
    const bool receptor = event[2] == static_cast<double>(change_) ||
                          is_index(event[2], 0, static_cast<double>(population.receptors));
    const double latest = (state.time_ms + layout_.longest_ms + layout_.window_ms) * (1 + 1e-9);
    return receptor && event[0] >= state.time_ms && event[0] <= latest && std::isfinite(event[3]) &&
           is_index(event[1], 0, static_cast<double>(population.size));
  };
  return saved_rows(state, population.name + "/events", 4, possible, /*may_be_missing=*/true);
}

/// Time of the state, until when the neuron is quiet, and whether it spikes then.
std::span<const double> ExactPart::saved_clocks(const State& state, const Group& group) const {
  const Population& population = layout_.population(group.piece.population);
  const auto rows = saved_rows(state, population.name + "/clock", 3, [](const double* clock) {
    return std::isfinite(clock[0]) && clock[0] >= 0 && clock[1] >= clock[0] &&
           is_index(clock[2], 0, 2);
  });
  require(rows.size() == static_cast<std::size_t>(population.size) * 3, ErrorKind::data,
          "saved state: '{}/clock': found {} values, expected {}: it is of another network",
          population.name, rows.size(), population.size * 3);
  return rows;
}

void ExactPart::check(const State& state) const {
  for (const Group& group : groups_) {
    const Population& population = layout_.population(group.piece.population);
    const auto size = static_cast<std::size_t>(population.size);
    saved_array(state, population.name + "/state", size * static_cast<std::size_t>(group.width));
    saved_clocks(state, group);
    saved_events(state, group);
    for (const auto& row : group.stimuli.rows()) {
      saved_array(state, population.name + "/" + row.name, size);
    }
  }
}

void ExactPart::restore(const State& state) {
  reset();
  earliest_ = static_cast<std::int64_t>(saved_array(state, "window", 1)[0]);
  for (auto& neurons : calendar_) neurons.clear();
  for (Group& group : groups_) restore_group(state, group);
}

void ExactPart::restore_group(const State& state, Group& group) {
  const Population& population = layout_.population(group.piece.population);
  const std::int64_t width = group.width;
  const auto size = static_cast<std::size_t>(population.size);
  const auto& states =
      saved_array(state, population.name + "/state", size * static_cast<std::size_t>(width));
  const std::span<const double> clocks = saved_clocks(state, group);
  std::copy_n(states.begin() + group.piece.begin * width, group.states.size(),
              group.states.begin());
  for (const auto& [name, values] : group.stimuli.rows()) {
    const auto& array = saved_array(state, population.name + "/" + name, size);
    std::copy_n(array.begin() + group.piece.begin, group.piece.size(), values);
  }
  group.next_change = group.stimuli.next_change(state.time_ms);
  for (std::int64_t local = 0; local < group.piece.size(); ++local) {
    const double* row = clocks.data() + (group.piece.begin + local) * 3;
    const auto neuron = static_cast<std::uint32_t>(group.first + local);
    Clock& clock = clocks_[neuron];
    clock.time = row[0];
    clock.quiet_until = row[1];
    clock.crosses = row[2] != 0;
    clock.is_scheduled = false;
    schedule(neuron);
  }
  const std::span<const double> events = saved_events(state, group);
  for (std::size_t at = 0; at < events.size(); at += 4) {
    const double* event = events.data() + at;
    const auto own = static_cast<std::int64_t>(event[1]);
    if (own < group.piece.begin || own >= group.piece.end) continue;
    const auto neuron = static_cast<std::uint32_t>(group.first + own - group.piece.begin);
    post(event[0], event[3], neuron << shift_ | static_cast<std::uint32_t>(event[2]));
  }
}

void ExactPart::add_recorder(Recorder* recorder) {
  const Recording& recording = recorder->recording;
  for (const Group& group : groups_) {
    if (group.piece.population != recording.population) continue;
    for (std::size_t column = 0; column < recording.neurons.size(); ++column) {
      const std::int64_t own = recording.neurons[column];
      if (own < group.piece.begin || own >= group.piece.end) continue;
      const auto neuron = static_cast<std::uint32_t>(group.first + own - group.piece.begin);
      sampled_.push_back({neuron, recorder, column});
      clocks_[neuron].is_sampled = true;
    }
  }
  std::stable_sort(sampled_.begin(), sampled_.end(), [](const Sampled& one, const Sampled& other) {
    return one.neuron < other.neuron;
  });
}

/// Takes the samples of the window that lie before this time; the state is not touched, so that
/// recording changes nothing.
void ExactPart::sample(Group& group, std::uint32_t neuron, double before, const Window& window) {
  auto sampled = std::lower_bound(
      sampled_.begin(), sampled_.end(), neuron,
      [](const Sampled& each, std::uint32_t wanted) { return each.neuron < wanted; });
  for (; sampled != sampled_.end() && sampled->neuron == neuron; ++sampled) {
    Recorder& recorder = *sampled->recorder;
    for (; sampled->next <= sampled->last; ++sampled->next) {
      // Rounding may put a window's last sample behind its end, from where on events are missing.
      const double time = std::min(recorder.time_of(sampled->next), window.end_ms);
      if (time >= before) break;
      cross_until(group, neuron, time);
      recorder.put(sampled->next, sampled->column,
                   group.rule->value(neuron - group.first, state_of(group, neuron),
                                     time - clocks_[neuron].time, recorder.variable));
    }
  }
}

}  // namespace afterspike::spiking
