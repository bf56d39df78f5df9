#include "afterspike/spiking/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <tuple>
#include <utility>

#include "afterspike/base/denormals.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "connect/block_rows.hpp"
#include "exact/exact_part.hpp"
#include "grid/grid_part.hpp"
#include "simulation/layout.hpp"
#include "simulation/rules.hpp"
#include "simulation/simulation_impl.hpp"
#include "simulation/steps.hpp"

namespace afterspike::spiking {
namespace {

bool earlier(const Emission& one, const Emission& other) {
  return std::tie(one.time_ms, one.neuron, one.copy) <
         std::tie(other.time_ms, other.neuron, other.copy);
}

/// Neurons of a part: those of a tile, or of blocks that no rule reaches.
std::vector<Piece> pieces_of(const Layout& layout, Engine engine,
                             const std::function<Piece(std::int64_t population)>& share) {
  std::vector<Piece> pieces;
  for (std::size_t index = 0; index < layout.network->populations.size(); ++index) {
    const auto population = static_cast<std::int64_t>(index);
    const Population& own = layout.network->populations[index];
    if (model(own.model).is_source() || engine_of(layout, population) != engine) continue;
    const Piece piece = share(population);
    if (piece.size() > 0) pieces.push_back(piece);
  }
  return pieces;
}

/// Share `part` of `parts` of every population with this engine.
std::vector<Piece> pieces_of(const Layout& layout, Engine engine, int part, int parts) {
  return pieces_of(layout, engine, [&](std::int64_t population) -> Piece {
    const std::int64_t size = layout.population(population).size;
    if (layout.is_coupled[static_cast<std::size_t>(population)]) {
      return {population, 0, part == 0 ? size : 0};
    }
    return {population, size * part / parts, size * (part + 1) / parts};
  });
}

bool has_tiles(const Layout& layout) {
  const auto& rules = layout.network->rule_projections;
  return std::any_of(rules.begin(), rules.end(), is_in_tiles);
}

GridShare tile_of(const Layout& layout, std::int64_t first_block, std::int64_t last_block) {
  const auto share = [&](std::int64_t population) -> Piece {
    if (layout.is_coupled[static_cast<std::size_t>(population)]) return {population, 0, 0};
    const std::int64_t size = layout.population(population).size;
    return {population, block_begin(size, first_block), block_begin(size, last_block)};
  };
  return {Tile{first_block, last_block}, pieces_of(layout, Engine::grid, share)};
}

/// The tiles of a part: as few as hold its places.
std::vector<GridShare> tiles_of(const Layout& layout, int part, int parts) {
  const std::int64_t first = kBlocks * part / parts, last = kBlocks * (part + 1) / parts;
  std::vector<GridShare> tiles;
  for (std::int64_t count = 1; count <= last - first; ++count) {
    tiles.clear();
    bool fits = true;
    for (std::int64_t tile = 0; tile < count; ++tile) {
      tiles.push_back(tile_of(layout, first + (last - first) * tile / count,
                              first + (last - first) * (tile + 1) / count));
      fits = fits && places_of(layout, tiles.back().pieces) <= kMostInTile;
    }
    if (fits) return tiles;
  }
  require(first == last, ErrorKind::config,
          "network: found more than {} receptors of neurons in each of {} blocks. Rules of"
          " projections reach at most so many; list the synapses instead.",
          kMostInTile, kBlocks);
  return {};
}

/// Shares of a part on the grid: tiles, then populations with electrical synapses.
std::vector<GridShare> grid_shares(const Layout& layout, int part, int parts) {
  if (!has_tiles(layout)) return {{{}, pieces_of(layout, Engine::grid, part, parts)}};
  std::vector<GridShare> shares = tiles_of(layout, part, parts);
  if (part > 0) return shares;
  const auto coupled = [&](std::int64_t population) -> Piece {
    const bool is_coupled = layout.is_coupled[static_cast<std::size_t>(population)];
    return {population, 0, is_coupled ? layout.population(population).size : 0};
  };
  shares.push_back({{}, pieces_of(layout, Engine::grid, coupled)});
  return shares;
}

Network resolved(Network network, const Options& options) {
  resolve_rules(network, options);
  return network;
}

}  // namespace

Simulation::Impl::Impl(Network&& given, const Options& options)
    : network(resolved(std::move(given), options)),
      layout(make_layout(network, options)),
      team(options.threads),
      travelling(layout) {
  make_parts();
  make_sources();
  // The parts have stored the synapses in the form that they need.
  for (Projection& projection : network.projections) projection = {};
}

/// Parts are made at the same time: drawing synapses takes most of it.
void Simulation::Impl::make_parts() {
  const int threads = layout.options.threads;
  std::vector<std::unique_ptr<Part>> grid(static_cast<std::size_t>(threads));
  std::vector<std::unique_ptr<Part>> exact(static_cast<std::size_t>(threads));
  team.run(threads, [&](std::int64_t task) {
    const int part = static_cast<int>(task);
    const auto at = static_cast<std::size_t>(task);
    auto shares = grid_shares(layout, part, threads);
    std::erase_if(shares, [](const GridShare& share) { return share.pieces.empty(); });
    if (!shares.empty()) grid[at] = std::make_unique<GridPart>(layout, shares, travelling);
    auto pieces = pieces_of(layout, Engine::exact, part, threads);
    if (!pieces.empty()) exact[at] = std::make_unique<ExactPart>(layout, std::move(pieces));
  });
  for (std::size_t at = 0; at < grid.size(); ++at) {
    if (grid[at] != nullptr) parts.push_back(std::move(grid[at]));
    if (exact[at] != nullptr) parts.push_back(std::move(exact[at]));
  }
}

/// A source that only drives neurons on the grid draws nothing itself.
void Simulation::Impl::make_sources() {
  sources.resize(network.populations.size());
  for (std::size_t index = 0; index < sources.size(); ++index) {
    const auto population = static_cast<std::int64_t>(index);
    const auto& rules = network.rule_projections;
    const bool is_drive = std::any_of(rules.begin(), rules.end(), [&](const RuleProjection& rule) {
      return rule.source == population && rule.connection.rule == ConnectionRule::one_to_one;
    });
    const auto make_source = model(network.populations[index].model).make_source;
    if (make_source && !is_drive) sources[index] = make_source(layout, population);
  }
}

Source& Simulation::Impl::source(std::string_view population) {
  const std::int64_t index = network.population(population);
  const auto& found = sources[static_cast<std::size_t>(index)];
  require(found != nullptr, ErrorKind::data, "population '{}' is not a source", population);
  return *found;
}

Simulation::Simulation(Network&& network, const Options& options)
    : impl_(std::make_unique<Impl>(std::move(network), options)) {}
Simulation::Simulation(const Network& network, const Options& options)
    : Simulation(Network(network), options) {}
Simulation::~Simulation() = default;
Simulation::Simulation(Simulation&&) noexcept = default;
Simulation& Simulation::operator=(Simulation&&) noexcept = default;

void Simulation::set_trains(std::string_view population, const SpikeTrains& trains) {
  impl_->source(population).set_trains(trains);
}

void Simulation::set_signal(std::string_view population, std::span<const double> values) {
  impl_->source(population).set_signal(values);
}

namespace {

std::size_t variable_of(const Population& population, std::string_view name) {
  try {
    return model(population.model).variable(name);
  } catch (const Error& error) {
    // Another model may have it: then the request does not fit the network.
    const bool known = std::any_of(models().begin(), models().end(), [&](const ModelEntry& entry) {
      const auto& variables = entry.model.variables;
      return std::any_of(variables.begin(), variables.end(),
                         [&](const Variable& each) { return each.name == name; });
    });
    throw Error(known ? ErrorKind::config : ErrorKind::usage,
                fmt::format("population '{}' of model '{}': {}", population.name, population.model,
                            error.what()));
  }
}

/// A recorder of nothing yet. On the grid samples lie at steps, whatever the interval was rounded
/// to when it was written.
Recorder make_recorder(const Layout& layout, std::int64_t population, double interval_ms) {
  constexpr const char* kWhat = "interval of samples";
  require(std::isfinite(interval_ms) && interval_ms > 0, ErrorKind::config,
          "{}: found {} ms, expected above 0", kWhat, interval_ms);
  Recorder recorder;
  recorder.recording.population = population;
  recorder.recording.interval_ms = interval_ms;
  if (engine_of(layout, population) == Engine::exact) return recorder;
  recorder.dt_ms = layout.dt_ms;
  recorder.interval_steps = whole_steps(interval_ms, layout.dt_ms, kWhat);
  require(recorder.interval_steps > 0, ErrorKind::config,
          "{}: found {} ms, expected at least a step of {} ms", kWhat, interval_ms, layout.dt_ms);
  recorder.recording.interval_ms = recorder.time_of(1);
  return recorder;
}

}  // namespace

std::size_t Simulation::record(std::string_view population, std::string_view variable,
                               double interval_ms, std::vector<std::int64_t> neurons) {
  const std::int64_t index = impl_->network.population(population);
  const Population& own = impl_->layout.population(index);
  const Model& model = spiking::model(own.model);
  require(!model.is_source(), ErrorKind::config, "population '{}' is a source: it has no state",
          own.name);
  if (neurons.empty()) {
    for (std::int64_t neuron = 0; neuron < own.cells(); ++neuron) neurons.push_back(neuron);
  }
  for (const std::int64_t neuron : neurons) {
    require(neuron >= 0 && neuron < own.cells(), ErrorKind::config,
            "population '{}': found neuron {} to be recorded, expected 0 to {}", own.name, neuron,
            own.cells() - 1);
  }
  Recorder recorder = make_recorder(impl_->layout, index, interval_ms);
  recorder.variable = variable_of(own, variable);
  recorder.recording.variable = model.variables[recorder.variable].name;
  recorder.recording.neurons = std::move(neurons);
  recorder.first_sample = recorder.samples_until(impl_->now_ms, impl_->step) + 1;
  impl_->recorders.push_back(std::move(recorder));
  for (const auto& part : impl_->parts) part->add_recorder(&impl_->recorders.back());
  return impl_->recorders.size() - 1;
}

/// The rest of the present window, or what of it lies before the end of the run.
Window Simulation::Impl::next_window(double until_ms, std::int64_t until_step) const {
  if (layout.window_steps > 0) {
    const std::int64_t whole = (window + 1) * layout.window_steps;
    const std::int64_t last = std::min(whole, until_step);
    return {window, last == whole, now_ms, static_cast<double>(last) * layout.dt_ms, step, last};
  }
  const double whole = static_cast<double>(window + 1) * layout.window_ms;
  const double end = std::min(whole, until_ms);
  return {window, end == whole, now_ms, end, 0, 0};
}

/// Rows for the samples of the window.
void Simulation::Impl::open_recorders(const Window& next) {
  for (Recorder& recorder : recorders) {
    Recording& recording = recorder.recording;
    const std::int64_t last = recorder.samples_until(next.end_ms, next.last_step);
    for (auto sample = recorder.first_sample + static_cast<std::int64_t>(recording.times_ms.size());
         sample <= last; ++sample) {
      recording.times_ms.push_back(recorder.time_of(sample));
    }
    recording.values.resize(recording.times_ms.size() * recording.neurons.size());
  }
}

bool Simulation::Impl::window_begins() const {
  return layout.window_steps > 0 ? step == window * layout.window_steps
                                 : now_ms == static_cast<double>(window) * layout.window_ms;
}

/// In the order of time, so that in pieces of a window they come in the order of the whole. At a
/// step counts as its time: rounding must not carry a spike past one of another source.
void Simulation::Impl::emit_sources(const Window& next) {
  of_sources.clear();
  for (const auto& source : sources) {
    if (source != nullptr) source->emit(next, of_sources);
  }
  const auto key = [&](const Emission& emission) {
    const bool at_step = layout.window_steps > 0 && emission.step >= 0;
    const double time =
        at_step ? static_cast<double>(emission.step) * layout.dt_ms : emission.time_ms;
    return std::tuple(time, emission.neuron);
  };
  const auto before = [&](const Emission& one, const Emission& other) {
    return key(one) < key(other);
  };
  if (!std::is_sorted(of_sources.begin(), of_sources.end(), before)) {
    std::stable_sort(of_sources.begin(), of_sources.end(), before);
  }
}

/// Spikes are delivered at the end of their window (no delay is shorter), so the order of summation
/// does not depend on where runs stop.
void Simulation::Impl::run(const Window& next) {
  const bool begins = window_begins();
  open_recorders(next);
  emit_sources(next);
  travelling.open(next.first_step, next.last_step);
  for (const Emission& emission : of_sources) travelling.add(emission);
  const std::span<const Emission> due =
      begins ? std::span<const Emission>(of_neurons) : std::span<const Emission>();
  const auto advance = [&](std::int64_t part) {
    // Currents of silent synapses fade into numbers that are not normal, and stay there.
    const DenormalsFlushed flushed;
    parts[static_cast<std::size_t>(part)]->advance(next, due, of_sources);
  };
  if (parts.size() == 1) {
    advance(0);  // Without the price of a pool, which short windows would pay often.
  } else {
    team.run(static_cast<std::int64_t>(parts.size()), advance);
  }
  if (begins) of_neurons.clear();
  gather();
  now_ms = next.end_ms;
  step = next.last_step;
  if (next.is_last_piece) ++window;
}

/// Puts the spikes of all parts into one order.
void Simulation::Impl::gather() {
  const auto first = static_cast<std::ptrdiff_t>(of_neurons.size());
  for (const auto& part : parts) {
    of_neurons.insert(of_neurons.end(), part->emitted().begin(), part->emitted().end());
    part->emitted().clear();
  }
  const auto begin = of_neurons.begin() + first;
  if (!std::is_sorted(begin, of_neurons.end(), earlier)) {
    std::sort(begin, of_neurons.end(), earlier);
  }
  spike_count += of_neurons.end() - begin;
  std::for_each(begin, of_neurons.end(), [&](const Emission& emission) {
    travelling.add(emission);
    keep(emission);
  });
}

void Simulation::Impl::keep(const Emission& emission) {
  const std::int64_t population = layout.population_of(emission.neuron);
  const std::int64_t neuron =
      emission.neuron - layout.first_neuron[static_cast<std::size_t>(population)];
  spikes.push_back({emission.time_ms, population,
                    neuron * layout.population(population).copies + emission.copy});
}

void Simulation::run_until(double time_ms) {
  Impl& impl = *impl_;
  const double dt = impl.layout.dt_ms;
  const bool grid = impl.layout.window_steps > 0;
  const double slack = grid ? slack_of(impl.now_ms / dt) * dt : 0;
  require(time_ms >= impl.now_ms - slack && time_ms <= impl.layout.latest_ms, ErrorKind::config,
          "end of the run: found {} ms, expected a time from {} to {} ms", time_ms, impl.now_ms,
          impl.layout.latest_ms);
  const std::int64_t last = grid ? whole_steps(time_ms, dt, "end of the run") : 0;
  while (grid ? impl.step < last : impl.now_ms < time_ms) impl.run(impl.next_window(time_ms, last));
}

double Simulation::now_ms() const {
  return impl_->now_ms;
}
const Network& Simulation::network() const {
  return impl_->network;
}
const std::vector<Spike>& Simulation::spikes() const {
  return impl_->spikes;
}
void Simulation::clear_spikes() {
  impl_->spikes.clear();
}

const Recording& Simulation::recording(std::size_t index) const {
  require(index < impl_->recorders.size(), ErrorKind::internal, "found recording {} of {}", index,
          impl_->recorders.size());
  return impl_->recorders[index].recording;
}

Statistics& Statistics::operator+=(const Statistics& other) {
  spikes += other.spikes;
  synaptic_events += other.synaptic_events;
  source_events += other.source_events;
  cell_events += other.cell_events;
  source_cell_events += other.source_cell_events;
  neuron_steps += other.neuron_steps;
  return *this;
}

Statistics Simulation::statistics() const {
  Statistics statistics;
  statistics.spikes = impl_->spike_count;
  for (const auto& part : impl_->parts) {
    statistics += part->counted();
  }
  return statistics;
}

void Simulation::reset(std::uint64_t seed) {
  impl_->layout.options.seed = seed;
  reset();
}

void Simulation::reset() {
  Impl& impl = *impl_;
  impl.now_ms = 0;
  impl.step = impl.window = impl.spike_count = 0;
  impl.of_neurons.clear();
  impl.travelling.clear();
  impl.spikes.clear();
  for (const auto& part : impl.parts) {
    part->reset();
    part->forget_counts();
  }
  for (const auto& source : impl.sources) {
    if (source != nullptr) source->go_to(0);
  }
  for (Recorder& recorder : impl.recorders) {
    recorder.first_sample = 1;
    recorder.recording.times_ms.clear();
    recorder.recording.values.clear();
  }
}

}  // namespace afterspike::spiking
