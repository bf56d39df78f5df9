#include "grid_part.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "afterspike/base/error.hpp"

namespace afterspike::sim {

std::int64_t whole_steps(double time_ms, double dt_ms, std::string_view what) {
  const double steps = std::round(time_ms / dt_ms);
  constexpr double kOff = 1e-6;
  require(std::abs(time_ms / dt_ms - steps) <= kOff * std::max(1.0, steps), ErrorKind::config,
          "{}: found {} ms, expected a whole number of steps of {} ms", what, time_ms, dt_ms);
  return static_cast<std::int64_t>(steps);
}

GridPart::GridPart(const Layout& layout, std::vector<Piece> pieces) : layout_(layout) {
  std::int64_t places = 0, most = 0;
  for (const Piece& piece : pieces) {
    const glifnet::Population& population = layout.population(piece.population);
    const bool glifr = glifnet::model(population.model).dynamics == glifnet::Dynamics::glifr;
    groups_.push_back(glifr ? make_glifr_group(layout, piece) : make_leaky_group(layout, piece));
    first_place_.push_back(places);
    places += groups_.back()->receptors() * groups_.back()->columns();
    most = std::max(most, groups_.back()->columns());
  }
  require(places < (std::int64_t{1} << 32), ErrorKind::config,
          "grid engine: found {} receptors in one thread, expected less than 2^32", places);
  const auto place = [&](std::size_t group, std::int64_t neuron, std::uint8_t receptor) {
    return static_cast<std::uint32_t>(first_place_[group] + receptor * groups_[group]->columns() +
                                      neuron);
  };
  connections_ = std::make_unique<Connections>(
      layout, pieces, place, weights_are_float32(*layout.network, layout.options));
  const auto slots = static_cast<std::size_t>(layout.longest_steps + layout.window_steps);
  ring_.assign(slots, Lines(static_cast<std::size_t>(places), 0.0));
  spiked_.resize(static_cast<std::size_t>(most));
}

void GridPart::reset() {
  for (const auto& group : groups_) group->reset();
  for (Lines& lines : ring_) std::fill(lines.begin(), lines.end(), 0.0);
  step_ = 0;
}

void GridPart::deliver(const Window& window, std::span<const Emission> emissions) {
  constexpr double kRounding = 1e-6;
  for (const Emission& emission : emissions) {
    connections_->visit(emission.neuron, [&](const Connections::Run& run, const auto* targets,
                                             const auto* weights) {
      std::int64_t step = emission.step + run.delay_steps;
      if (emission.step < 0) {
        const double time = (emission.time_ms + run.delay_ms) / layout_.dt_ms;
        step = static_cast<std::int64_t>(std::ceil(time - kRounding));
      }
      double* arriving = arrivals(std::max(step, window.first_step + 1));
      for (std::uint32_t synapse = 0; synapse < run.count; ++synapse) {
        arriving[targets[synapse]] += emission.size * static_cast<double>(weights[synapse]);
      }
      synaptic_events_ += run.count;
    });
  }
}

void GridPart::advance(const Window& window, std::span<const Emission> neurons,
                       std::span<const Emission> sources) {
  deliver(window, neurons);
  deliver(window, sources);
  for (std::int64_t step = window.first_step + 1; step <= window.last_step; ++step) advance(step);
}

void GridPart::advance(std::int64_t step) {
  const double time = static_cast<double>(step) * layout_.dt_ms;
  double* arriving = arrivals(step);
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    GridGroup& group = *groups_[index];
    const std::int64_t count = group.advance(step, arriving + first_place_[index], spiked_.data());
    for (std::int64_t spike = 0; spike < count; ++spike) {
      emitted_.push_back(
          {time, step, layout_.neuron(group.piece(), spiked_[static_cast<std::size_t>(spike)]), 1});
    }
    neuron_steps_ += group.piece().size();
  }
  step_ = step;
  if (!sampled_.empty()) sample(step);
}

void GridPart::add_recorder(Recorder* recorder) {
  const Recording& recording = recorder->recording;
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    const Piece& piece = groups_[index]->piece();
    if (piece.population != recording.population) continue;
    for (std::size_t column = 0; column < recording.neurons.size(); ++column) {
      const std::int64_t own = recording.neurons[column];
      if (own < piece.begin || own >= piece.end) continue;
      sampled_.push_back({recorder, index, own - piece.begin, column});
    }
  }
}

void GridPart::sample(std::int64_t step) {
  for (const Sampled& sampled : sampled_) {
    if (step % sampled.recorder->interval_steps != 0) continue;
    sampled.recorder->put(
        step / sampled.recorder->interval_steps, sampled.column,
        groups_[sampled.group]->value(sampled.local, sampled.recorder->recording.quantity));
  }
}

void GridPart::save(State& state) const {
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    GridGroup& group = *groups_[index];
    const Piece& piece = group.piece();
    const glifnet::Population& population = layout_.population(piece.population);
    for (const GridGroup::Row& row : group.rows()) {
      auto& array = state.arrays[population.name + "/" + row.name];
      array.resize(static_cast<std::size_t>(population.size));
      std::copy_n(row.values, piece.size(), array.begin() + piece.begin);
    }
    // What arrives later, by step from the next one on and receptor.
    auto& array = state.arrays[population.name + "/arriving"];
    array.resize(ring_.size() * static_cast<std::size_t>(group.receptors() * population.size));
    std::int64_t to = piece.begin;
    for (std::size_t ahead = 1; ahead <= ring_.size(); ++ahead) {
      const Lines& lines = ring_[(static_cast<std::size_t>(step_) + ahead) % ring_.size()];
      for (std::int64_t receptor = 0; receptor < group.receptors(); ++receptor) {
        std::copy_n(lines.begin() + first_place_[index] + receptor * group.columns(), piece.size(),
                    array.begin() + to);
        to += population.size;
      }
    }
  }
}

void GridPart::restore(const State& state) {
  reset();
  step_ = static_cast<std::int64_t>(saved_array(state, "step", 1)[0]);
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    GridGroup& group = *groups_[index];
    const Piece& piece = group.piece();
    const glifnet::Population& population = layout_.population(piece.population);
    const auto size = static_cast<std::size_t>(population.size);
    for (const GridGroup::Row& row : group.rows()) {
      const auto& array = saved_array(state, population.name + "/" + row.name, size);
      std::copy_n(array.begin() + piece.begin, piece.size(), row.values);
    }
    group.restored(state.time_ms);
    const auto& array =
        saved_array(state, population.name + "/arriving",
                    ring_.size() * static_cast<std::size_t>(group.receptors()) * size);
    std::int64_t from = piece.begin;
    for (std::size_t ahead = 1; ahead <= ring_.size(); ++ahead) {
      Lines& lines = ring_[(static_cast<std::size_t>(step_) + ahead) % ring_.size()];
      for (std::int64_t receptor = 0; receptor < group.receptors(); ++receptor) {
        std::copy_n(array.begin() + from, piece.size(),
                    lines.begin() + first_place_[index] + receptor * group.columns());
        from += population.size;
      }
    }
  }
}

}  // namespace afterspike::sim
