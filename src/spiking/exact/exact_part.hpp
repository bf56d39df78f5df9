#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "connect/connections.hpp"
#include "exact/exact_rule.hpp"
#include "simulation/lines.hpp"
#include "simulation/part.hpp"
#include "simulation/stimuli.hpp"

namespace afterspike::spiking {

/// Neurons that are computed from event to event. A neuron's state is that after its last event;
/// between events nothing is done but for neurons that may reach their threshold.
class ExactPart final : public Part {
 public:
  ExactPart(const Layout& layout, std::vector<Piece> pieces);

  void advance(const Window& window, std::span<const Emission> neurons,
               std::span<const Emission> sources) override;
  void reset() override;
  void save(State& state) const override;
  void check(const State& state) const override;
  void restore(const State& state) override;
  void add_recorder(Recorder* recorder) override;

 private:
  struct Group {
    Piece piece;
    std::int64_t first;  ///< Neuron of the part.
    std::unique_ptr<ExactRule> rule;
    Stimuli stimuli;
    std::int64_t width;  ///< Length of a state in `states`: whole cache lines, so few are fetched.
    Lines states = {};
    double next_change = 0;
  };
  struct Event {
    double time;
    double weight;
    std::uint32_t target;  ///< Neuron, shifted, and receptor; change_: its current changes.
  };
  /// Schedule of a neuron, kept apart from its state: half of a cache line.
  struct alignas(32) Clock {
    double time;                ///< Time of the state; in the future during refractoriness.
    double quiet_until;         ///< No crossing before.
    std::uint32_t look_at = 0;  ///< Where it is in the calendar: the window, modulo 2^32.
    std::int32_t first_event = 0, events = 0;  ///< In due_, of this window.
    bool crosses = false;                      ///< quiet_until is a crossing.
    bool is_scheduled = false;                 ///< It is in the calendar.
    bool is_touched = false;                   ///< It is in touched_.
    bool is_sampled = false;                   ///< It is in sampled_.
  };
  static_assert(sizeof(Clock) == 32);
  /// A neuron's column of a recorder, and its samples of the present window.
  struct Sampled {
    std::uint32_t neuron;
    Recorder* recorder;
    std::size_t column;
    std::int64_t next = 1, last = 0;
  };

  Group& group_of(std::uint32_t neuron) { return groups_[group_index_[neuron]]; }
  double* state_of(Group& group, std::uint32_t neuron) const;
  const double* state_of(const Group& group, std::uint32_t neuron) const;
  void prefetch_clock(const Event& event) const;

  std::int64_t slot_of(double time) const;
  template <typename T>
  static T& in_ring(std::vector<T>& ring, std::int64_t window) {
    return ring[static_cast<std::size_t>(window) & (ring.size() - 1)];
  }
  void deliver(std::span<const Emission> emissions);
  void post(double time, double weight, std::uint32_t target);
  void post_changes(const Window& window);
  void collect(const Window& window);
  void sort_by_neuron();
  void touch(std::uint32_t neuron);
  void take_due(const Window& window);
  void fetch(std::uint32_t neuron) const;
  void set_external(Group& group, std::uint32_t neuron, double time);
  void compute(std::uint32_t neuron, const Window& window);
  void finish(std::uint32_t neuron, const Window& window);
  void bring_to(Group& group, std::uint32_t neuron, double time);
  void take(Group& group, std::uint32_t neuron, const Event& event);
  void changed(Group& group, std::uint32_t neuron);
  void set_outlook(Clock& clock, const Outlook& outlook);
  void cross_until(Group& group, std::uint32_t neuron, double horizon);
  void look_ahead(Group& group, std::uint32_t neuron);
  void fire(Group& group, std::uint32_t neuron);
  void schedule(std::uint32_t neuron);
  std::span<const double> saved_clocks(const State& state, const Group& group) const;
  std::span<const double> saved_events(const State& state, const Group& group) const;
  void restore_group(const State& state, Group& group);
  void sample(Group& group, std::uint32_t neuron, double before, const Window& window);

  const Layout& layout_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> group_index_;
  std::uint32_t shift_, change_;
  double per_window_;
  std::unique_ptr<Connections> connections_;

  std::vector<Clock> clocks_;
  std::vector<std::vector<Event>> events_;            ///< By window, a ring of a power of two.
  std::vector<std::vector<std::uint32_t>> calendar_;  ///< Neurons to look at, by window, a ring.
  std::int64_t earliest_ = 0;                         ///< The first window that is not over.

  // State of the current window.
  std::vector<Event> arrived_, due_;  ///< As they came; by neuron.
  std::vector<std::uint32_t> touched_, looked_at_;

  std::vector<Sampled> sampled_;  ///< By neuron.
};

}  // namespace afterspike::spiking
