#include "exact_part.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::sim {
namespace {

/// Crossings are found to 1e-12 ms or 4 units in the last place of the time; half of it is for the
/// sum of the neuron's time and the offset.
double tolerance(double time) {
  constexpr double kUnit = std::numeric_limits<double>::epsilon();
  return 0.5 * std::max(1e-12, 4 * kUnit * time);
}

/// Windows that the calendar sees ahead at least.
constexpr std::int64_t kLeastRing = 64;

}  // namespace

ExactPart::ExactPart(const Layout& layout, std::vector<Piece> pieces)
    : layout_(layout), per_window_(1 / layout.window_ms) {
  std::int64_t receptors = 1, count = 0;
  for (const Piece& piece : pieces) {
    const glifnet::Population& population = layout.population(piece.population);
    receptors = std::max(receptors, population.receptors);
    add_group(piece, count, lower_leaky(population));
    group_index_.insert(group_index_.end(), static_cast<std::size_t>(piece.size()),
                        static_cast<std::uint32_t>(groups_.size() - 1));
    count += piece.size();
  }
  shift_ = static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(receptors)));
  change_ = (1u << shift_) - 1;
  require(count < (std::int64_t{1} << (32 - shift_)), ErrorKind::config,
          "exact engine: found {} neurons in one thread, expected less than 2^{}", count,
          32 - shift_);
  const auto place = [&](std::size_t piece, std::int64_t neuron, std::uint8_t receptor) {
    return static_cast<std::uint32_t>(groups_[piece].first + neuron) << shift_ | receptor;
  };
  connections_ = std::make_unique<Connections>(
      layout, pieces, place, weights_are_float32(*layout.network, layout.options));
  const auto neurons = static_cast<std::size_t>(count);
  clocks_.resize(neurons);
  const auto ring = static_cast<std::int64_t>(std::ceil(layout.longest_ms / layout.window_ms)) + 3;
  events_.resize(static_cast<std::size_t>(ring));
  calendar_.resize(static_cast<std::size_t>(std::max(ring, kLeastRing)));
  reset();
}

void ExactPart::add_group(const Piece& piece, std::int64_t first, const Leaky& leaky) {
  Group group{
      piece, first, ExactNeurons(leaky, piece.begin, piece.end), Stimuli(layout_, piece), 0, {}, {},
      {},    0};
  // States begin at cache lines, so that few are fetched.
  constexpr std::int64_t kLine = 8;
  group.width = (group.neurons.state_size() + kLine - 1) / kLine * kLine;
  group.initial_voltages.assign(leaky.initial.begin() + piece.begin,
                                leaky.initial.begin() + piece.end);
  group.constant_currents.assign(leaky.constant_current.begin() + piece.begin,
                                 leaky.constant_current.begin() + piece.end);
  groups_.push_back(std::move(group));
}

double* ExactPart::state_of(Group& group, std::uint32_t neuron) const {
  return group.states.data() + (neuron - group.first) * group.width;
}

void ExactPart::reset() {
  for (auto& events : events_) events.clear();
  for (auto& neurons : calendar_) neurons.clear();
  earliest_ = 0;
  for (Group& group : groups_) {
    group.states.assign(static_cast<std::size_t>(group.piece.size() * group.width), 0.0);
    group.next_change = group.stimuli.next_change(0);
    for (std::int64_t local = 0; local < group.piece.size(); ++local) {
      const auto neuron = static_cast<std::uint32_t>(group.first + local);
      Clock& clock = clocks_[neuron];
      const bool sampled = clock.is_sampled;
      clock = {0, 0};
      clock.is_sampled = sampled;
      group.neurons.initial_state(group.initial_voltages[static_cast<std::size_t>(local)],
                                  state_of(group, neuron));
      set_external(group, neuron, 0);
      changed(group, neuron);
      schedule(neuron);
    }
  }
}

void ExactPart::set_external(Group& group, std::uint32_t neuron, double time) {
  const std::int64_t own = neuron - group.first;
  state_of(group, neuron)[ExactNeurons::kExternal] =
      group.constant_currents[static_cast<std::size_t>(own)] + group.stimuli.current(own, time, 0);
}

/// The window that a time belongs to; rounding does not put it into one that is over.
std::int64_t ExactPart::slot_of(double time) const {
  constexpr double kBeyond = 1e15;
  const double window = std::min(std::ceil(time * per_window_) - 1, kBeyond);
  return std::max(static_cast<std::int64_t>(window), earliest_);
}

void ExactPart::post(double time, double weight, std::uint32_t target) {
  const auto ring = static_cast<std::int64_t>(events_.size());
  events_[static_cast<std::size_t>(slot_of(time) % ring)].push_back({time, weight, target, -1});
}

void ExactPart::deliver(std::span<const Emission> emissions) {
  for (const Emission& emission : emissions) {
    connections_->visit(emission.neuron, [&](const Connections::Run& run, const auto* targets,
                                             const auto* weights) {
      const double time = emission.time_ms + run.delay_ms;
      const auto ring = static_cast<std::int64_t>(events_.size());
      auto& events = events_[static_cast<std::size_t>(slot_of(time) % ring)];
      for (std::uint32_t synapse = 0; synapse < run.count; ++synapse) {
        events.push_back(
            {time, emission.size * static_cast<double>(weights[synapse]), targets[synapse], -1});
      }
      synaptic_events_ += run.count;
    });
  }
}

void ExactPart::post_changes(const Window& window) {
  for (Group& group : groups_) {
    for (; group.next_change <= window.end_ms;
         group.next_change = group.stimuli.next_change(group.next_change)) {
      for (std::int64_t local = 0; local < group.piece.size(); ++local) {
        if (!group.stimuli.concerns(local)) continue;
        post(group.next_change, 0,
             static_cast<std::uint32_t>(group.first + local) << shift_ | change_);
      }
    }
  }
}

void ExactPart::touch(std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  if (clock.is_touched) return;
  clock.is_touched = true;
  touched_.push_back(neuron);
}

/// Moves the events of the window that are due to arrived_.
void ExactPart::take_due(const Window& window) {
  auto& events = events_[static_cast<std::size_t>(window.number) % events_.size()];
  arrived_.clear();
  if (window.is_last_piece) {
    arrived_.swap(events);
    return;
  }
  const auto later = std::partition(events.begin(), events.end(),
                                    [&](const Event& event) { return event.time > window.end_ms; });
  arrived_.assign(later, events.end());
  events.erase(later, events.end());
}

/// The neurons that have something to do, and their events as lists.
void ExactPart::collect(const Window& window) {
  take_due(window);
  touched_.clear();
  for (std::size_t index = 0; index < arrived_.size(); ++index) {
    constexpr std::size_t kAhead = 12;
    if (index + kAhead < arrived_.size()) {
      __builtin_prefetch(clocks_.data() + (arrived_[index + kAhead].target >> shift_), 1);
    }
    const std::uint32_t neuron = arrived_[index].target >> shift_;
    touch(neuron);
    arrived_[index].next =
        std::exchange(clocks_[neuron].last_event, static_cast<std::int32_t>(index));
  }
  looked_at_.clear();
  looked_at_.swap(calendar_[static_cast<std::size_t>(window.number) % calendar_.size()]);
  for (const std::uint32_t neuron : looked_at_) {
    if (clocks_[neuron].look_at != window.number) continue;
    clocks_[neuron].look_at = -1;
    touch(neuron);
  }
  for (const Sampled& sampled : sampled_) touch(sampled.neuron);
}

/// Has the memory of a neuron that is soon computed fetched: neurons come in no order.
void ExactPart::fetch(std::uint32_t neuron) const {
  const Group& group = groups_[group_index_[neuron]];
  const std::int64_t own = neuron - group.first;
  const double* state = group.states.data() + own * group.width;
  const double* coefficients = group.neurons.coefficients(own);
  constexpr std::int64_t kLine = 8;
  for (std::int64_t at = 0; at < group.width; at += kLine) __builtin_prefetch(state + at, 1);
  for (std::int64_t at = 0; at < 4 * kLine; at += kLine) __builtin_prefetch(coefficients + at);
  const std::int32_t event = clocks_[neuron].last_event;
  if (event >= 0) __builtin_prefetch(arrived_.data() + event);
}

void ExactPart::advance(const Window& window, std::span<const Emission> neurons,
                        std::span<const Emission> sources) {
  deliver(neurons);
  deliver(sources);
  post_changes(window);
  collect(window);
  for (std::size_t index = 0; index < sampled_.size(); ++index) {
    next_sample_[index] = sampled_[index].recorder->samples_until(window.begin_ms) + 1;
    last_sample_[index] = sampled_[index].recorder->samples_until(window.end_ms);
  }
  earliest_ = window.number + (window.is_last_piece ? 1 : 0);
  constexpr std::size_t kAhead = 6;
  for (std::size_t index = 0; index < touched_.size(); ++index) {
    const std::size_t later = index + 2 * kAhead;
    if (later < touched_.size()) __builtin_prefetch(clocks_.data() + touched_[later]);
    if (index + kAhead < touched_.size()) fetch(touched_[index + kAhead]);
    compute(touched_[index], window);
  }
}

void ExactPart::compute(std::uint32_t neuron, const Window& window) {
  Group& group = group_of(neuron);
  Clock& clock = clocks_[neuron];
  clock.is_touched = false;
  due_.clear();
  for (std::int32_t at = std::exchange(clock.last_event, -1); at >= 0;
       at = arrived_[static_cast<std::size_t>(at)].next) {
    due_.push_back(arrived_[static_cast<std::size_t>(at)]);
  }
  // A total order of what can be told apart: results do not depend on that of synapses.
  if (due_.size() > 1) {
    std::sort(due_.begin(), due_.end(), [](const Event& one, const Event& other) {
      return std::tie(one.time, one.target, one.weight) <
             std::tie(other.time, other.target, other.weight);
    });
  }
  for (std::size_t first = 0; first < due_.size();) {
    const double time = due_[first].time;
    if (clock.is_sampled) sample(group, neuron, time);
    bring_to(group, neuron, time);
    // Events of one time are taken together before the threshold is looked at.
    for (; first < due_.size() && due_[first].time == time; ++first) {
      take(group, neuron, due_[first]);
    }
    changed(group, neuron);
  }
  cross_until(group, neuron, window.end_ms);
  if (clock.is_sampled) sample(group, neuron, std::numeric_limits<double>::infinity());
  schedule(neuron);
}

/// Brings the state to this time, unless the neuron is refractory until later.
void ExactPart::bring_to(Group& group, std::uint32_t neuron, double time) {
  Clock& clock = clocks_[neuron];
  if (time <= clock.time) return;
  cross_until(group, neuron, time);
  if (time <= clock.time) return;
  double* state = state_of(group, neuron);
  group.neurons.propagate(neuron - group.first, state, time - clock.time, state);
  clock.time = time;
}

/// Adds an event to the state. That of a refractory neuron is of a later time.
void ExactPart::take(Group& group, std::uint32_t neuron, const Event& event) {
  const std::uint32_t receptor = event.target & change_;
  if (receptor == change_) return set_external(group, neuron, event.time);
  group.neurons.receive(neuron - group.first, state_of(group, neuron), receptor, event.weight,
                        clocks_[neuron].time - event.time);
}

/// After a change of the state: how long the neuron is quiet for certain.
void ExactPart::changed(Group& group, std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  const double* state = state_of(group, neuron);
  const std::int64_t own = neuron - group.first;
  clock.crosses = group.neurons.excess(own, state) > 0;
  clock.quiet_until =
      clock.crosses ? clock.time : clock.time + group.neurons.quiet_time(own, state);
}

void ExactPart::cross_until(Group& group, std::uint32_t neuron, double horizon) {
  const Clock& clock = clocks_[neuron];
  while (clock.quiet_until <= horizon) {
    if (clock.crosses) {
      fire(group, neuron);
    } else {
      look_ahead(group, neuron);
    }
  }
}

/// Moves quiet_until on: by the bound where that is worth while, else to the first crossing in an
/// interval that doubles with each look. It depends on the state alone, not on why we look.
void ExactPart::look_ahead(Group& group, std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  const double* state = state_of(group, neuron);
  const std::int64_t own = neuron - group.first;
  const double begin = clock.quiet_until - clock.time;
  const double length = group.neurons.search_length(own);
  std::array<double, ExactNeurons::kMostState> there;
  const double* start = state;
  if (begin > 0) {
    group.neurons.propagate(own, state, begin, there.data());
    start = there.data();
    if (group.neurons.excess(own, start) > 0) {
      clock.crosses = true;
      return;
    }
    const double quiet = group.neurons.quiet_time(own, start);
    constexpr double kWorthwhile = 0.125;
    if (quiet >= kWorthwhile * length) {
      clock.quiet_until += quiet;
      return;
    }
  }
  const double end = begin + length + begin;
  const double crossing =
      group.neurons.first_crossing(own, state, begin, start, end, tolerance(clock.time + end));
  clock.crosses = crossing != ExactNeurons::kNone;
  clock.quiet_until = clock.time + (clock.crosses ? crossing : end);
}

void ExactPart::fire(Group& group, std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  double* state = state_of(group, neuron);
  const std::int64_t own = neuron - group.first;
  const double time = clock.quiet_until;
  group.neurons.propagate(own, state, time - clock.time, state);
  emitted_.push_back({time, -1, layout_.neuron(group.piece, neuron - group.first), 1.0});
  group.neurons.spike(own, state);
  const double refractory = group.neurons.refractory(own);
  clock.time = time + refractory;
  changed(group, neuron);
  require(refractory > 0 || !clock.crosses, ErrorKind::numeric,
          "population '{}': neuron {} fires without end at {} ms: its reset lies above its"
          " threshold, and it is not refractory",
          layout_.population(group.piece.population).name, group.piece.begin + own, time);
}

void ExactPart::schedule(std::uint32_t neuron) {
  const double until = clocks_[neuron].quiet_until;
  std::int64_t& look_at = clocks_[neuron].look_at;
  if (until == std::numeric_limits<double>::infinity()) {
    look_at = -1;
    return;
  }
  const auto ring = static_cast<std::int64_t>(calendar_.size());
  const std::int64_t slot = std::min(slot_of(until), earliest_ + ring - 2);
  if (std::exchange(look_at, slot) == slot) return;
  calendar_[static_cast<std::size_t>(slot % ring)].push_back(neuron);
}

void ExactPart::save(State& state) const {
  for (const Group& group : groups_) {
    const glifnet::Population& population = layout_.population(group.piece.population);
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

void ExactPart::restore(const State& state) {
  reset();
  earliest_ = static_cast<std::int64_t>(saved_array(state, "window", 1)[0]);
  for (auto& neurons : calendar_) neurons.clear();
  for (Group& group : groups_) restore_group(state, group);
}

void ExactPart::restore_group(const State& state, Group& group) {
  const glifnet::Population& population = layout_.population(group.piece.population);
  const std::int64_t width = group.width;
  const auto size = static_cast<std::size_t>(population.size);
  const auto& states =
      saved_array(state, population.name + "/state", size * static_cast<std::size_t>(width));
  const auto& clocks = saved_array(state, population.name + "/clock", size * 3);
  std::copy_n(states.begin() + group.piece.begin * width, group.states.size(),
              group.states.begin());
  group.next_change = group.stimuli.next_change(state.time_ms);
  for (std::int64_t local = 0; local < group.piece.size(); ++local) {
    const double* row = clocks.data() + (group.piece.begin + local) * 3;
    const auto neuron = static_cast<std::uint32_t>(group.first + local);
    Clock& clock = clocks_[neuron];
    clock.time = row[0];
    clock.quiet_until = row[1];
    clock.crosses = row[2] != 0;
    clock.look_at = -1;
    schedule(neuron);
  }
  const auto pending = state.arrays.find(population.name + "/events");
  if (pending == state.arrays.end()) return;
  for (std::size_t at = 0; at + 3 < pending->second.size(); at += 4) {
    const double* event = pending->second.data() + at;
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
      sampled_.push_back({recorder, neuron, column});
      clocks_[neuron].is_sampled = true;
    }
  }
  next_sample_.resize(sampled_.size());
  last_sample_.resize(sampled_.size());
}

/// Takes the samples of the window that lie before this time; the state is not touched, so that
/// recording changes nothing.
void ExactPart::sample(Group& group, std::uint32_t neuron, double before) {
  for (std::size_t index = 0; index < sampled_.size(); ++index) {
    if (sampled_[index].neuron != neuron) continue;
    Recorder& recorder = *sampled_[index].recorder;
    for (; next_sample_[index] <= last_sample_[index]; ++next_sample_[index]) {
      const double time = static_cast<double>(next_sample_[index]) * recorder.recording.interval_ms;
      if (time >= before) break;
      cross_until(group, neuron, time);
      const Clock& clock = clocks_[neuron];
      const std::int64_t own = neuron - group.first;
      std::array<double, ExactNeurons::kMostState> state;
      const double* held = state_of(group, neuron);
      std::copy_n(held, group.neurons.state_size(), state.data());
      if (time >= clock.time) {
        group.neurons.propagate(own, held, time - clock.time, state.data());
      } else {
        group.neurons.propagate_synapses(own, state.data(), time - clock.time);
      }
      recorder.put(next_sample_[index], sampled_[index].column,
                   value(group, neuron, state.data(), recorder.recording.quantity));
    }
  }
}

double ExactPart::value(const Group& group, std::uint32_t neuron, const double* state,
                        Quantity quantity) const {
  const std::int64_t own = neuron - group.first;
  const double rest = group.neurons.resting_potential(own);
  switch (quantity) {
    case Quantity::voltage:
      return rest + state[ExactNeurons::kVoltage];
    case Quantity::threshold:
      return rest + group.neurons.threshold(own, state);
    case Quantity::threshold_spike:
      return state[ExactNeurons::kSpikePart];
    case Quantity::threshold_voltage:
      return state[ExactNeurons::kVoltagePart];
    case Quantity::after_spike_current:
      return group.neurons.after_spike_current(state);
    default:
      return group.neurons.synaptic_current(state);
  }
}

}  // namespace afterspike::sim
