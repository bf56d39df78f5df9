#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "simulation/part.hpp"
#include "simulation/sources.hpp"
#include "simulation/team.hpp"
#include "simulation/travelling.hpp"

namespace afterspike::spiking {

/// The driver: windows one after another, parts at the same time within them.
struct Simulation::Impl {
  Impl(Network&& given, const Options& options);

  void make_parts();
  void make_sources();
  /// Throws Error(data) where the population is none.
  Source& source(std::string_view population);
  Window next_window(double until_ms, std::int64_t until_step) const;
  void run(const Window& window);
  bool window_begins() const;
  void open_recorders(const Window& window);
  void emit_sources(const Window& window);
  void gather();
  void keep(const Emission& emission);
  std::span<const double> saved_pending(const State& state) const;
  void check(const State& state) const;

  Network network;
  Layout layout;
  Team team;
  Travelling travelling;
  std::vector<std::unique_ptr<Part>> parts;
  std::vector<std::unique_ptr<Source>> sources;

  double now_ms = 0;
  std::int64_t step = 0, window = 0, spike_count = 0;
  /// Spikes to deliver at the start of the next window; source events of the current piece.
  std::vector<Emission> of_neurons, of_sources;
  std::vector<Spike> spikes;
  std::deque<Recorder> recorders;
};

}  // namespace afterspike::spiking
