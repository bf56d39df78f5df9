#include "grid/grid_part.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"
#include "connect/add_scaled.hpp"
#include "connect/block_rows.hpp"
#include "simulation/steps.hpp"

namespace afterspike::spiking {

std::int64_t places_of(const Layout& layout, const std::vector<Piece>& pieces) {
  std::int64_t places = 0;
  for (const Piece& piece : pieces) {
    places += layout.population(piece.population).receptors * GridGroup::padded(piece.size());
  }
  return places;
}

GridPart::GridPart(const Layout& layout, const std::vector<GridShare>& shares,
                   const Travelling& travelling)
    : layout_(layout), travelling_(travelling) {
  std::int64_t places = 0, most = 0;
  std::vector<Piece> pieces;
  for (const GridShare& share : shares) {
    pieces.insert(pieces.end(), share.pieces.begin(), share.pieces.end());
  }
  for (const Piece& piece : pieces) {
    const Population& population = layout.population(piece.population);
    groups_.push_back(model(population.model).make_grid(layout, piece));
    first_place_.push_back(places);
    places += groups_.back()->receptors() * groups_.back()->places();
    most = std::max(most, groups_.back()->columns());
    has_copies_ = has_copies_ || population.copies > 1;
  }
  first_place_.push_back(places);
  require(places < (std::int64_t{1} << 32), ErrorKind::config,
          "grid engine: found {} receptors in one thread, expected less than 2^32", places);
  const auto place = [&](std::size_t group, std::int64_t neuron, std::uint8_t receptor) {
    return static_cast<std::uint32_t>(first_place_[group] + receptor * groups_[group]->places() +
                                      neuron);
  };
  connections_ = std::make_unique<Connections>(
      layout, pieces, place, weights_are_float32(*layout.network, layout.options));
  const auto slots = static_cast<std::size_t>(layout.longest_steps + layout.window_steps);
  ring_.resize(slots);
  for (Slot& each : ring_) {
    if (!layout.few_arrivals) each.sums.assign(static_cast<std::size_t>(places), 0.0);
    each.kicks.resize(groups_.size());
  }
  spiked_.resize(static_cast<std::size_t>(most));
  add_tiles(shares);
  add_drives();
  coupling_ = std::make_unique<Coupling>(layout, groups_);
}

/// Draws the synapses of rules, tile by tile.
void GridPart::add_tiles(const std::vector<GridShare>& shares) {
  const auto& rules = layout_.network->rule_projections;
  if (std::none_of(rules.begin(), rules.end(), is_in_tiles)) return;
  std::size_t group = 0;
  for (const GridShare& share : shares) {
    std::vector<TilePlaces> places(layout_.network->populations.size());
    const std::int64_t first = first_place_[group];
    bool is_coupled = false;
    for (const Piece& piece : share.pieces) {
      const auto population = static_cast<std::size_t>(piece.population);
      places[population] = {first_place_[group] - first, piece.begin, groups_[group]->places()};
      is_coupled = is_coupled || layout_.is_coupled[population];
      ++group;
    }
    if (!is_coupled) tiles_.push_back({first, TileStore(layout_, share.tile, places)});
  }
}

/// Resolves Poisson sources that drive one neuron each.
void GridPart::add_drives() {
  const double dt = layout_.dt_ms;
  for (const RuleProjection& rule : layout_.network->rule_projections) {
    if (rule.connection.rule != ConnectionRule::one_to_one) continue;
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      if (groups_[group]->piece().population != rule.target) continue;
      const Population& target = layout_.population(rule.target);
      const RuleReceptors receptors = receptors_of(target, rule.connection.receptor);
      const double weight = rule.connection.weight.first;
      const std::uint8_t receptor = weight < 0 ? receptors.negative : receptors.positive;
      const double rate = layout_.population(rule.source).column("rate")[0];
      const double delay = rule.connection.delay.first;
      drives_.push_back(
          {rule.source, group, first_place_[group] + receptor * groups_[group]->places(),
           std::llround(delay / layout_.network->time_step_ms) * layout_.rule_stride,
           weight < 0 && receptors.is_absolute ? -weight : weight, PoissonTable(rate * 1e-3 * dt)});
    }
  }
}

void GridPart::reset() {
  for (const auto& group : groups_) group->reset();
  coupling_->reset();
  for (Slot& each : ring_) {
    std::fill(each.sums.begin(), each.sums.end(), 0.0);
    for (auto& kicks : each.kicks) kicks.clear();
  }
  step_ = 0;
}

/// Targets are sorted, and so by group.
template <typename Weight>
void GridPart::list(Slot& slot, std::span<const std::uint32_t> targets, const Weight* weights,
                    double size) {
  std::size_t group = 0;
  for (std::size_t synapse = 0; synapse < targets.size(); ++synapse) {
    while (targets[synapse] >= first_place_[group + 1]) ++group;
    slot.kicks[group].push_back({targets[synapse] - static_cast<std::uint32_t>(first_place_[group]),
                                 size * static_cast<double>(weights[synapse])});
  }
}

/// Targets with each copy counted.
std::int64_t GridPart::cells_of(std::span<const std::uint32_t> targets) const {
  if (!has_copies_) return static_cast<std::int64_t>(targets.size());
  std::int64_t cells = 0;
  auto begin = targets.begin();
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    const auto end = std::lower_bound(begin, targets.end(), first_place_[group + 1]);
    cells += (end - begin) * groups_[group]->copies();
    begin = end;
  }
  return cells;
}

void GridPart::deliver(const Window& window, std::span<const Emission> emissions) {
  for (std::size_t index = 0; index < emissions.size();) {
    const Emission& emission = emissions[index];
    double size = 0;
    std::int64_t spikes = 0;
    // Copies of a neuron are next to each other, and their synapses are the same.
    for (; index < emissions.size() && emissions[index].neuron == emission.neuron &&
           emissions[index].time_ms == emission.time_ms;
         ++index, ++spikes) {
      size += emissions[index].size;
    }
    connections_->visit(emission.neuron, [&](const Connections::Run& run, const auto* targets,
                                             const auto* weights) {
      std::int64_t step = emission.step + std::int64_t{run.delay_steps};
      if (emission.step < 0) {
        step =
            static_cast<std::int64_t>(steps_until(emission.time_ms + run.delay_ms, layout_.dt_ms));
      }
      counted_.synaptic_events += spikes * run.count;
      counted_.cell_events += spikes * cells_of({targets, run.count});
      Slot& arriving = slot(std::max(step, window.first_step + 1));
      if (arriving.sums.empty()) return list(arriving, {targets, run.count}, weights, size);
      double* sums = arriving.sums.data();
      if (run.is_dense) {
        return add_scaled(sums + targets[0], weights, size, run.count);
      }
      for (std::uint32_t synapse = 0; synapse < run.count; ++synapse) {
        sums[targets[synapse]] += size * static_cast<double>(weights[synapse]);
      }
    });
  }
}

void GridPart::advance(const Window& window, std::span<const Emission> neurons,
                       std::span<const Emission> sources) {
  deliver(window, neurons);
  const Statistics before = counted_;
  deliver(window, sources);
  counted_.source_events += counted_.synaptic_events - before.synaptic_events;
  counted_.source_cell_events += counted_.cell_events - before.cell_events;
  for (std::int64_t step = window.first_step + 1; step <= window.last_step; ++step) advance(step);
}

/// A source's spikes of a step count where the step ends, as those of other sources do.
void GridPart::drive(std::int64_t step, double* sums) {
  for (const Drive& drive : drives_) {
    const std::int64_t sent_at = step - drive.delay_steps;
    if (sent_at < 1) continue;
    const std::uint64_t key = Rng(layout_.options.seed)
                                  .stream("poisson")
                                  .stream(layout_.population(drive.source).name)
                                  .stream("step", static_cast<std::uint64_t>(sent_at))
                                  .key();
    const Piece& piece = groups_[drive.group]->piece();
    const std::int64_t events =
        add_poisson(key, drive.table, piece.begin, piece.size(), drive.weight, sums + drive.place);
    counted_.synaptic_events += events;
    counted_.cell_events += events;
    counted_.source_events += events;
    counted_.source_cell_events += events;
  }
}

void GridPart::deliver_tiles(std::int64_t step, double* sums) {
  travelling_.arrivals(step, arrivals_);
  for (TiledPlaces& tile : tiles_) {
    const TileStore::Counts counts = tile.store.deliver(arrivals_, sums + tile.first_place);
    counted_.synaptic_events += counts.events;
    counted_.cell_events += counts.events;
    counted_.source_events += counts.source_events;
    counted_.source_cell_events += counts.source_events;
  }
}

void GridPart::advance(std::int64_t step) {
  const double time = static_cast<double>(step) * layout_.dt_ms;
  Slot& arriving = slot(step);
  if (!drives_.empty()) drive(step, arriving.sums.data());
  if (!tiles_.empty()) deliver_tiles(step, arriving.sums.data());
  const auto arriving_at = [&](std::size_t index) {
    double* sums = arriving.sums.empty() ? nullptr : arriving.sums.data() + first_place_[index];
    return Arriving{sums, arriving.kicks[index]};
  };
  if (!coupling_->empty()) coupling_->prepare(step, arriving_at);
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    GridGroup& group = *groups_[index];
    const std::int64_t count = group.advance(step, arriving_at(index), spiked_.data());
    arriving.kicks[index].clear();
    const auto copies = static_cast<std::uint32_t>(group.copies());
    const double size = 1 / static_cast<double>(copies);
    for (std::int64_t spike = 0; spike < count; ++spike) {
      const std::uint32_t cell = spiked_[static_cast<std::size_t>(spike)];
      emitted_.push_back(
          {time, step, layout_.neuron(group.piece(), cell / copies), size, cell % copies});
    }
    counted_.neuron_steps += group.cells();
  }
  step_ = step;
  if (!sampled_.empty()) sample(step);
}

void GridPart::add_recorder(Recorder* recorder) {
  const Recording& recording = recorder->recording;
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    const GridGroup& group = *groups_[index];
    if (group.piece().population != recording.population) continue;
    for (std::size_t column = 0; column < recording.neurons.size(); ++column) {
      const std::int64_t cell = recording.neurons[column] - group.piece().begin * group.copies();
      if (cell < 0 || cell >= group.cells()) continue;
      sampled_.push_back({recorder, index, cell, column});
    }
  }
}

void GridPart::sample(std::int64_t step) {
  for (const Sampled& sampled : sampled_) {
    if (step % sampled.recorder->interval_steps != 0) continue;
    sampled.recorder->put(step / sampled.recorder->interval_steps, sampled.column,
                          groups_[sampled.group]->value(sampled.cell, sampled.recorder->variable));
  }
}

void GridPart::save(State& state) const {
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    GridGroup& group = *groups_[index];
    const Piece& piece = group.piece();
    const Population& population = layout_.population(piece.population);
    for (const GridGroup::Row& row : group.rows()) {
      auto& array = state.arrays[population.name + "/" + row.name];
      array.resize(static_cast<std::size_t>(population.cells()));
      std::copy_n(row.values, group.cells(), array.begin() + piece.begin * group.copies());
    }
    save_arriving(state, index);
  }
}

/// Saves a group's future input, in its order: steps from now, receptor, neuron, weight.
void GridPart::save_arriving(State& state, std::size_t index) const {
  const GridGroup& group = *groups_[index];
  const Piece& piece = group.piece();
  auto& array = state.arrays[layout_.population(piece.population).name + "/arriving"];
  const auto add = [&](std::size_t ahead, std::int64_t place, double weight) {
    array.insert(array.end(),
                 {static_cast<double>(ahead), static_cast<double>(place / group.places()),
                  static_cast<double>(piece.begin + place % group.places()), weight});
  };
  for (std::size_t ahead = 1; ahead <= ring_.size(); ++ahead) {
    const Slot& later = ring_[(static_cast<std::size_t>(step_) + ahead) % ring_.size()];
    for (const Kick& kick : later.kicks[index]) add(ahead, kick.place, kick.weight);
    if (later.sums.empty()) continue;
    for (std::int64_t place = 0; place < group.receptors() * group.places(); ++place) {
      const double sum = later.sums[static_cast<std::size_t>(first_place_[index] + place)];
      if (sum != 0) add(ahead, place, sum);
    }
  }
}

std::span<const double> GridPart::saved_arriving(const State& state, const GridGroup& group) const {
  const Population& population = layout_.population(group.piece().population);
  return saved_rows(state, population.name + "/arriving", 4, [&](const double* row) {
    return is_index(row[0], 1, static_cast<double>(ring_.size() + 1)) &&
           is_index(row[1], 0, static_cast<double>(group.receptors())) &&
           is_index(row[2], 0, static_cast<double>(population.size)) && std::isfinite(row[3]);
  });
}

void GridPart::check(const State& state) const {
  for (const auto& group : groups_) {
    const Population& population = layout_.population(group->piece().population);
    for (const GridGroup::Row& row : group->rows()) {
      saved_array(state, population.name + "/" + row.name,
                  static_cast<std::size_t>(population.cells()));
    }
    saved_arriving(state, *group);
  }
}

void GridPart::restore_arriving(const State& state, std::size_t index) {
  const GridGroup& group = *groups_[index];
  const Piece& piece = group.piece();
  const std::span<const double> rows = saved_arriving(state, group);
  for (std::size_t at = 0; at < rows.size(); at += 4) {
    const double* row = rows.data() + at;
    const double ahead = row[0], receptor = row[1], neuron = row[2];
    const std::int64_t local = static_cast<std::int64_t>(neuron) - piece.begin;
    if (local < 0 || local >= piece.size()) continue;
    Slot& later = slot(step_ + static_cast<std::int64_t>(ahead));
    const std::int64_t place = static_cast<std::int64_t>(receptor) * group.places() + local;
    if (later.sums.empty()) {
      later.kicks[index].push_back({static_cast<std::uint32_t>(place), row[3]});
    } else {
      later.sums[static_cast<std::size_t>(first_place_[index] + place)] = row[3];
    }
  }
}

void GridPart::restore(const State& state) {
  reset();
  step_ = static_cast<std::int64_t>(saved_array(state, "step", 1)[0]);
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    GridGroup& group = *groups_[index];
    const Piece& piece = group.piece();
    const Population& population = layout_.population(piece.population);
    const auto cells = static_cast<std::size_t>(population.cells());
    for (const GridGroup::Row& row : group.rows()) {
      const auto& array = saved_array(state, population.name + "/" + row.name, cells);
      std::copy_n(array.begin() + piece.begin * group.copies(), group.cells(), row.values);
    }
    group.restored(state.time_ms);
    restore_arriving(state, index);
  }
}

}  // namespace afterspike::spiking
