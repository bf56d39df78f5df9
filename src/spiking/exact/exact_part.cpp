#include "exact/exact_part.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::spiking {
namespace {

/// Windows that the calendar sees ahead at least.
constexpr std::size_t kLeastRing = 64;

}  // namespace

ExactPart::ExactPart(const Layout& layout, std::vector<Piece> pieces)
    : layout_(layout), per_window_(1 / layout.window_ms) {
  std::int64_t receptors = 1, count = 0;
  for (const Piece& piece : pieces) {
    const Population& population = layout.population(piece.population);
    receptors = std::max(receptors, population.receptors);
    auto rule = model(population.model).make_exact(layout, piece);
    const std::int64_t width = rule->state_size();
    groups_.push_back({piece, count, std::move(rule), Stimuli(layout, piece), width});
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
  const auto ahead = static_cast<std::size_t>(std::ceil(layout.longest_ms / layout.window_ms)) + 3;
  // Powers of two: events are many, and whole numbers take long to divide.
  events_.resize(std::bit_ceil(ahead));
  calendar_.resize(std::max(events_.size(), kLeastRing));
  reset();
}

double* ExactPart::state_of(Group& group, std::uint32_t neuron) const {
  return group.states.data() + (neuron - group.first) * group.width;
}
const double* ExactPart::state_of(const Group& group, std::uint32_t neuron) const {
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
      group.rule->initial_state(local, state_of(group, neuron));
      set_external(group, neuron, 0);
      changed(group, neuron);
      schedule(neuron);
    }
  }
}

void ExactPart::set_external(Group& group, std::uint32_t neuron, double time) {
  const std::int64_t own = neuron - group.first;
  group.rule->set_current(own, state_of(group, neuron), group.stimuli.current(own, time));
}

/// The window that a time belongs to; rounding does not put it into one that is over.
std::int64_t ExactPart::slot_of(double time) const {
  constexpr double kBeyond = 1e15;
  const double window = std::min(std::ceil(time * per_window_) - 1, kBeyond);
  return std::max(static_cast<std::int64_t>(window), earliest_);
}

void ExactPart::post(double time, double weight, std::uint32_t target) {
  in_ring(events_, slot_of(time)).push_back({time, weight, target});
}

void ExactPart::deliver(std::span<const Emission> emissions) {
  for (const Emission& emission : emissions) {
    connections_->visit(emission.neuron, [&](const Connections::Run& run, const auto* targets,
                                             const auto* weights) {
      const double time = emission.time_ms + run.delay_ms;
      auto& events = in_ring(events_, slot_of(time));
      for (std::uint32_t synapse = 0; synapse < run.count; ++synapse) {
        events.push_back(
            {time, emission.size * static_cast<double>(weights[synapse]), targets[synapse]});
      }
      counted_.synaptic_events += run.count;
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
  auto& events = in_ring(events_, window.number);
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

void ExactPart::prefetch_clock(const Event& event) const {
  __builtin_prefetch(clocks_.data() + (event.target >> shift_), 1);
}

/// Puts what arrived into due_, the events of each neuron together.
void ExactPart::sort_by_neuron() {
  constexpr std::size_t kAhead = 16;
  for (std::size_t index = 0; index < arrived_.size(); ++index) {
    if (index + kAhead < arrived_.size()) prefetch_clock(arrived_[index + kAhead]);
    const std::uint32_t neuron = arrived_[index].target >> shift_;
    touch(neuron);
    ++clocks_[neuron].events;
  }
  std::int32_t first = 0;
  for (const std::uint32_t neuron : touched_) {
    clocks_[neuron].first_event = first;
    first += std::exchange(clocks_[neuron].events, 0);
  }
  due_.resize(arrived_.size());
  for (std::size_t index = 0; index < arrived_.size(); ++index) {
    if (index + kAhead < arrived_.size()) prefetch_clock(arrived_[index + kAhead]);
    Clock& clock = clocks_[arrived_[index].target >> shift_];
    due_[static_cast<std::size_t>(clock.first_event + clock.events++)] = arrived_[index];
  }
}

/// The neurons that have something to do, and their events.
void ExactPart::collect(const Window& window) {
  take_due(window);
  touched_.clear();
  sort_by_neuron();
  looked_at_.clear();
  looked_at_.swap(in_ring(calendar_, window.number));
  for (const std::uint32_t neuron : looked_at_) {
    Clock& clock = clocks_[neuron];
    if (!clock.is_scheduled || clock.look_at != static_cast<std::uint32_t>(window.number)) continue;
    clock.is_scheduled = false;
    if (slot_of(clock.quiet_until) > window.number) {
      schedule(neuron);
    } else {
      touch(neuron);
    }
  }
  for (Sampled& sampled : sampled_) {
    sampled.next = sampled.recorder->samples_until(window.begin_ms, window.first_step) + 1;
    sampled.last = sampled.recorder->samples_until(window.end_ms, window.last_step);
    if (sampled.next <= sampled.last) touch(sampled.neuron);
  }
}

/// Has the memory of a neuron that is soon computed fetched: neurons come in no order.
void ExactPart::fetch(std::uint32_t neuron) const {
  const Group& group = groups_[group_index_[neuron]];
  const std::int64_t own = neuron - group.first;
  const double* state = group.states.data() + own * group.width;
  constexpr std::int64_t kLine = 8;
  for (std::int64_t at = 0; at < group.width; at += kLine) __builtin_prefetch(state + at, 1);
  group.rule->fetch(own);
}

void ExactPart::advance(const Window& window, std::span<const Emission> neurons,
                        std::span<const Emission> sources) {
  deliver(neurons);
  const std::int64_t before = counted_.synaptic_events;
  deliver(sources);
  counted_.source_events += counted_.synaptic_events - before;
  // Neurons of this engine have no copies.
  counted_.cell_events = counted_.synaptic_events;
  counted_.source_cell_events = counted_.source_events;
  post_changes(window);
  collect(window);
  earliest_ = window.number + (window.is_last_piece ? 1 : 0);
  constexpr std::size_t kAhead = 6;
  for (std::size_t index = 0; index < touched_.size(); ++index) {
    const std::size_t later = index + 2 * kAhead;
    if (later < touched_.size()) __builtin_prefetch(clocks_.data() + touched_[later]);
    if (index + kAhead < touched_.size()) fetch(touched_[index + kAhead]);
    compute(touched_[index], window);
  }
  for (std::size_t index = 0; index < touched_.size(); ++index) {
    const std::size_t later = index + 2 * kAhead;
    if (later < touched_.size()) __builtin_prefetch(clocks_.data() + touched_[later]);
    finish(touched_[index], window);
  }
}

/// Takes the events of a neuron.
void ExactPart::compute(std::uint32_t neuron, const Window& window) {
  Group& group = group_of(neuron);
  Clock& clock = clocks_[neuron];
  clock.is_touched = false;
  const auto begin = due_.begin() + clock.first_event;
  const auto end = begin + std::exchange(clock.events, 0);
  // A total order of what can be told apart: results do not depend on that of synapses.
  if (end - begin > 1) {
    std::sort(begin, end, [](const Event& one, const Event& other) {
      return std::tie(one.time, one.target, one.weight) <
             std::tie(other.time, other.target, other.weight);
    });
  }
  for (auto event = begin; event != end;) {
    const double time = event->time;
    if (clock.is_sampled) sample(group, neuron, time, window);
    bring_to(group, neuron, time);
    // Events of one time are taken together before the threshold is looked at.
    for (; event != end && event->time == time; ++event) take(group, neuron, *event);
    changed(group, neuron);
  }
}

/// Second pass: threshold crossings, samples and schedule. Kept apart from event delivery because
/// its branches are hard to predict.
void ExactPart::finish(std::uint32_t neuron, const Window& window) {
  const Clock& clock = clocks_[neuron];
  if (clock.quiet_until <= window.end_ms || clock.is_sampled) {
    Group& group = group_of(neuron);
    // Samples first: a state after a spike does not tell what was before it.
    if (clock.is_sampled) sample(group, neuron, std::numeric_limits<double>::infinity(), window);
    cross_until(group, neuron, window.end_ms);
  }
  schedule(neuron);
}

/// Brings the state to this time, unless the neuron is refractory until later.
void ExactPart::bring_to(Group& group, std::uint32_t neuron, double time) {
  Clock& clock = clocks_[neuron];
  if (time <= clock.time) return;
  cross_until(group, neuron, time);
  if (time <= clock.time) return;
  double* state = state_of(group, neuron);
  group.rule->propagate(neuron - group.first, state, time - clock.time, state);
  clock.time = time;
}

/// Adds an event to the state. That of a refractory neuron is of a later time.
void ExactPart::take(Group& group, std::uint32_t neuron, const Event& event) {
  const std::uint32_t receptor = event.target & change_;
  if (receptor == change_) return set_external(group, neuron, event.time);
  group.rule->receive(neuron - group.first, state_of(group, neuron), receptor, event.weight,
                      clocks_[neuron].time - event.time);
}

void ExactPart::set_outlook(Clock& clock, const Outlook& outlook) {
  clock.quiet_until = outlook.quiet_until;
  clock.crosses = outlook.spikes;
}

/// After a change of the state: how long the neuron is quiet for certain.
void ExactPart::changed(Group& group, std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  Outlook outlook{clock.time, clock.time, false};
  group.rule->changed(neuron - group.first, state_of(group, neuron), outlook);
  set_outlook(clock, outlook);
}

void ExactPart::cross_until(Group& group, std::uint32_t neuron, double horizon) {
  const Clock& clock = clocks_[neuron];
  double fired = -1;
  while (clock.quiet_until <= horizon) {
    if (clock.crosses) {
      // A refractory time, or a way back to the threshold, may vanish beside the time.
      require(clock.quiet_until > fired, ErrorKind::numeric,
              "population '{}': neuron {} fires without end at {} ms: it is above its threshold"
              " again at once, and a refractory time of {} ms does not count there",
              layout_.population(group.piece.population).name,
              group.piece.begin + neuron - group.first, fired,
              group.rule->refractory(neuron - group.first));
      fired = clock.quiet_until;
      fire(group, neuron);
    } else {
      look_ahead(group, neuron);
    }
  }
}

/// It depends on the state alone, not on why we look.
void ExactPart::look_ahead(Group& group, std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  Outlook outlook{clock.time, clock.quiet_until, false};
  group.rule->look_ahead(neuron - group.first, state_of(group, neuron), outlook);
  set_outlook(clock, outlook);
}

void ExactPart::fire(Group& group, std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  double* state = state_of(group, neuron);
  const std::int64_t own = neuron - group.first;
  const double time = clock.quiet_until;
  group.rule->propagate(own, state, time - clock.time, state);
  emitted_.push_back({time, -1, layout_.neuron(group.piece, neuron - group.first), 1.0});
  group.rule->spike(own, state);
  clock.time = time + group.rule->refractory(own);
  changed(group, neuron);
}

/// Sees to it that the neuron is looked at in time. It may be too early, where events have put off
/// what was expected: who is found quiet then is scheduled anew, which is cheaper than doing so
/// with each event.
void ExactPart::schedule(std::uint32_t neuron) {
  Clock& clock = clocks_[neuron];
  if (clock.quiet_until == std::numeric_limits<double>::infinity()) return;
  const auto furthest = earliest_ + static_cast<std::int64_t>(calendar_.size()) - 2;
  const std::int64_t slot = std::min(slot_of(clock.quiet_until), furthest);
  const auto window = static_cast<std::uint32_t>(slot);
  if (clock.is_scheduled && static_cast<std::int32_t>(clock.look_at - window) <= 0) return;
  clock.look_at = window;
  clock.is_scheduled = true;
  in_ring(calendar_, slot).push_back(neuron);
}

}  // namespace afterspike::spiking
