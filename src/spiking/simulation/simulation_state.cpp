// The whole state of a simulation: saved, checked and restored.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <tuple>

#include "afterspike/base/error.hpp"
#include "simulation/simulation_impl.hpp"

namespace afterspike::spiking {
namespace {

/// Rows of four in the order of the first three; what arrives at one place stays in its order.
void sort_rows(std::vector<double>& array) {
  std::vector<std::array<double, 4>> rows(array.size() / 4);
  for (std::size_t i = 0; i < array.size(); ++i) rows[i / 4][i % 4] = array[i];
  std::stable_sort(rows.begin(), rows.end(), [](const auto& one, const auto& other) {
    return std::tie(one[0], one[1], one[2]) < std::tie(other[0], other[1], other[2]);
  });
  for (std::size_t i = 0; i < array.size(); ++i) array[i] = rows[i / 4][i % 4];
}

}  // namespace

State Simulation::save() const {
  const Impl& impl = *impl_;
  State state;
  state.time_ms = impl.now_ms;
  state.arrays["step"] = {static_cast<double>(impl.step)};
  state.arrays["window"] = {static_cast<double>(impl.window)};
  auto& pending = state.arrays["pending"];
  for (const Emission& emission : impl.of_neurons) {
    pending.insert(pending.end(), {emission.time_ms, static_cast<double>(emission.step),
                                   static_cast<double>(emission.neuron), emission.size,
                                   static_cast<double>(emission.copy)});
  }
  impl.travelling.save(state, impl.step);
  for (const auto& part : impl.parts) part->save(state);
  for (const auto& source : impl.sources) {
    if (source != nullptr) source->save(state);
  }
  // Parts append what is on its way in their own order: the number of threads is not to be seen.
  for (auto& [name, array] : state.arrays) {
    if (name.ends_with("/arriving") || name.ends_with("/events")) sort_rows(array);
  }
  return state;
}

/// Time, step, neuron, size and copy of each spike that is not delivered.
std::span<const double> Simulation::Impl::saved_pending(const State& state) const {
  return saved_rows(state, "pending", 5, [&](const double* row) {
    if (!is_index(row[2], 0, static_cast<double>(layout.first_neuron.back()))) return false;
    const auto neuron = static_cast<std::int64_t>(row[2]);
    const Population& own = layout.population(layout.population_of(neuron));
    return row[0] >= 0 && row[0] <= state.time_ms * (1 + 1e-9) &&
           is_index(row[1], -1, kMostWhole) && std::isfinite(row[3]) &&
           is_index(row[4], 0, static_cast<double>(own.copies));
  });
}

/// Everything that a saved state promises, before anything is changed by it.
void Simulation::Impl::check(const State& state) const {
  const double saved_step = saved_array(state, "step", 1)[0];
  const double saved_window = saved_array(state, "window", 1)[0];
  const bool grid = layout.window_steps > 0;
  const double step_of_time = grid ? state.time_ms / layout.dt_ms : 0;
  const bool at_step = is_index(saved_step, 0, kMostSteps) &&
                       std::abs(saved_step - step_of_time) <= slack_of(saved_step);
  require(state.time_ms >= 0 && state.time_ms <= layout.latest_ms && at_step, ErrorKind::data,
          "saved state: found {} ms and step {}, expected as many steps of {} ms", state.time_ms,
          saved_step, grid ? layout.dt_ms : 0);
  const double windows = state.time_ms / layout.window_ms, off = slack_of(windows);
  require(is_index(saved_window, 0, kMostWhole) && saved_window <= windows + off &&
              saved_window >= windows - 1 - off,
          ErrorKind::data, "saved state: found window {}, expected that of {} ms", saved_window,
          state.time_ms);
  saved_pending(state);
  travelling.check(state);
  for (const auto& part : parts) part->check(state);
  for (const auto& source : sources) {
    if (source != nullptr) source->check(state);
  }
}

void Simulation::restore(const State& state) {
  Impl& impl = *impl_;
  impl.check(state);
  reset();
  impl.now_ms = state.time_ms;
  impl.step = static_cast<std::int64_t>(saved_array(state, "step", 1)[0]);
  impl.window = static_cast<std::int64_t>(saved_array(state, "window", 1)[0]);
  const std::span<const double> pending = impl.saved_pending(state);
  for (std::size_t at = 0; at < pending.size(); at += 5) {
    const double* row = pending.data() + at;
    impl.of_neurons.push_back({row[0], static_cast<std::int64_t>(row[1]),
                               static_cast<std::uint32_t>(row[2]), row[3],
                               static_cast<std::uint32_t>(row[4])});
  }
  impl.travelling.restore(state);
  for (const auto& part : impl.parts) part->restore(state);
  for (const auto& source : impl.sources) {
    if (source != nullptr) source->restore(state);
  }
  for (Recorder& recorder : impl.recorders) {
    recorder.first_sample = recorder.samples_until(impl.now_ms, impl.step) + 1;
  }
}

}  // namespace afterspike::spiking
