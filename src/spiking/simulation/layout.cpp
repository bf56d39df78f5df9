#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "connect/block_rows.hpp"
#include "simulation/layout.hpp"
#include "simulation/sources.hpp"
#include "simulation/steps.hpp"

namespace afterspike::spiking {
namespace {

/// A window where no delay between neurons sets one.
constexpr double kFreeWindow_ms = 1;

/// Max number of windows, and of grid steps, for which spikes on their way are stored.
constexpr double kMostAhead = 1e6;

constexpr double kLatest_ms = 1e12;  // Thirty years.

void check_population(const Layout& layout, std::int64_t index) {
  const Population& population = layout.population(index);
  const Model& model = spiking::model(population.model);
  require(
      engine_of(layout, index) == Engine::grid || model.make_exact != nullptr || model.is_source(),
      ErrorKind::config,
      "population '{}': the exact engine has no model '{}', {}; expected the grid engine{}",
      population.name, population.model, model.no_exact,
      model.has_own_grid ? ", or a conversion to glif3" : "");
  if (!model.has_own_grid) return;
  require(std::abs(layout.dt_ms / layout.network->time_step_ms - 1) < 1e-9, ErrorKind::config,
          "population '{}': found a step of {} ms, expected {} ms: neurons of model"
          " '{}' exist on their own grid only",
          population.name, layout.dt_ms, layout.network->time_step_ms, population.model);
}

/// Delays onto the grid are whole steps. Where there is a grid, those between neurons are at least
/// one: windows are steps.
void check_delays(const Layout& layout, const Projection& projection) {
  if (!has_grid(layout)) return;
  const bool grid = engine_of(layout, projection.target) == Engine::grid;
  const Population& source = layout.population(projection.source);
  const std::string what = fmt::format("delay from '{}' to '{}'", source.name,
                                       layout.population(projection.target).name);
  const bool neurons = !model(source.model).is_source();
  for (const double delay : projection.delays_ms) {
    require(delay / layout.dt_ms <= kMostAhead, ErrorKind::config,
            "{}: found {} ms, expected at most {} steps of {} ms", what, delay, kMostAhead,
            layout.dt_ms);
    if (grid) whole_steps(delay, layout.dt_ms, what);
    require(steps_over(delay, layout.dt_ms) > 0 || !neurons, ErrorKind::config,
            "{}: found {} ms, expected at least a step of {} ms", what, delay, layout.dt_ms);
  }
}

/// Whether lists of what arrives are shorter than the arrays that would hold it, at a rate that
/// networks seldom exceed. It decides in which order sums are formed, so it is a question of the
/// network, not of how it is cut into parts.
bool expect_few_arrivals(const Layout& layout) {
  constexpr double kRate = 0.01;  // Spikes in a ms.
  double arriving = 0, receptors = 0;
  for (const Projection& projection : layout.network->projections) {
    const Population& source = layout.population(projection.source);
    const bool analog = model(source.model).source_input == SourceInput::signal;
    arriving += (analog ? 1 : kRate * layout.dt_ms) * static_cast<double>(projection.synapses());
  }
  for (const Population& population : layout.network->populations) {
    receptors += static_cast<double>(population.receptors * population.size);
  }
  if (!layout.network->rule_projections.empty()) return false;
  constexpr double kWorthwhile = 0.1;
  return arriving < kWorthwhile * receptors;
}

/// The grid would hold some values for longer than others, and the variance of V would change.
void check_interval(const Layout& layout, const std::string& what, std::int64_t population,
                    double interval_ms) {
  if (engine_of(layout, population) == Engine::exact) return;
  const double step = layout.dt_ms, steps = interval_ms / step;
  const double below = std::floor(steps) * step, above = (std::floor(steps) + 1) * step;
  const std::string remedy =
      below > 0 ? fmt::format("{:g} or {:g} ms", below, above) : fmt::format("{:g} ms", above);
  require(
      is_at_step(interval_ms, step) && std::round(steps) > 0, ErrorKind::config,
      "{} into population '{}': an interval of {} ms is not a whole number of grid steps of {}"
      " ms, which would change the variance. Set the interval to {}, change the step, or use the"
      " exact engine.",
      what, layout.population(population).name, interval_ms, step, remedy);
}

void check_intervals(const Layout& layout) {
  const auto& noise = layout.network->noise_currents;
  for (std::size_t index = 0; index < noise.size(); ++index) {
    check_interval(layout, fmt::format("noise current {}", index), noise[index].population,
                   noise[index].interval_ms);
  }
  const auto& processes = layout.network->ornstein_uhlenbeck_currents;
  for (std::size_t index = 0; index < processes.size(); ++index) {
    check_interval(layout, fmt::format("Ornstein-Uhlenbeck current {}", index),
                   processes[index].population, processes[index].interval_ms);
  }
}

void set_coupled(Layout& layout) {
  layout.is_coupled.assign(layout.network->populations.size(), false);
  for (const ElectricalSynapses& synapses : layout.network->electrical_synapses) {
    for (const std::int64_t population : {synapses.first, synapses.second}) {
      require(engine_of(layout, population) == Engine::grid, ErrorKind::config,
              "population '{}': the exact engine has no electrical synapses, which couple neurons"
              " between events; expected the grid engine",
              layout.population(population).name);
      layout.is_coupled[static_cast<std::size_t>(population)] = true;
    }
  }
}

void check_sinusoids(const Layout& layout) {
  for (const SinusoidCurrent& current : layout.network->sinusoid_currents) {
    require(engine_of(layout, current.population) == Engine::grid, ErrorKind::config,
            "population '{}': the exact engine has no sinusoid currents, which are not constant"
            " between events; expected the grid engine",
            layout.population(current.population).name);
  }
}

/// Delays of rules. Returns the shortest between neurons, ms; infinite if there is none.
double set_rule_delays(Layout& layout) {
  const Network& network = *layout.network;
  double shortest = std::numeric_limits<double>::infinity();
  if (network.rule_projections.empty()) return shortest;
  layout.rule_stride = whole_steps(network.time_step_ms, layout.dt_ms, "time step of the network");
  for (const RuleProjection& rule : network.rule_projections) {
    layout.rule_delays.emplace_back();
    if (!is_in_tiles(rule)) continue;
    layout.rule_delays.back() =
        std::make_shared<DelayTable>(rule.connection.delay, network.time_step_ms);
    if (model(layout.population(rule.source).model).is_source()) continue;
    shortest = std::min(shortest, layout.rule_delays.back()->min() * network.time_step_ms);
  }
  return shortest;
}

/// Windows of the smallest delay between neurons, on the grid of whole steps.
void set_windows(Layout& layout) {
  double shortest = set_rule_delays(layout);
  for (const Projection& projection : layout.network->projections) {
    check_delays(layout, projection);
    if (projection.targets.empty()) continue;
    const auto [least, most] =
        std::minmax_element(projection.delays_ms.begin(), projection.delays_ms.end());
    layout.longest_ms = std::max(layout.longest_ms, *most);
    const bool source = model(layout.population(projection.source).model).is_source();
    if (!source) shortest = std::min(shortest, *least);
  }
  layout.window_ms = std::isinf(shortest) ? kFreeWindow_ms : shortest;
  require(layout.longest_ms / layout.window_ms <= kMostAhead, ErrorKind::config,
          "delays: found {} ms, expected at most {} windows of {} ms (of the smallest delay between"
          " neurons)",
          layout.longest_ms, kMostAhead, layout.window_ms);
  if (has_grid(layout)) {
    layout.window_steps = static_cast<std::int64_t>(
        std::clamp(steps_over(layout.window_ms, layout.dt_ms), 1.0, kMostAhead));
    layout.longest_steps = static_cast<std::int64_t>(steps_until(layout.longest_ms, layout.dt_ms));
    layout.window_ms = static_cast<double>(layout.window_steps) * layout.dt_ms;
  }
  // Windows and intervals of noise are counted.
  layout.latest_ms = std::min(kLatest_ms, kMostSteps * layout.window_ms);
  for (const NoiseCurrent& current : layout.network->noise_currents) {
    layout.latest_ms = std::min(layout.latest_ms, kMostSteps * current.interval_ms);
  }
  for (const OrnsteinUhlenbeckCurrent& current : layout.network->ornstein_uhlenbeck_currents) {
    layout.latest_ms = std::min(layout.latest_ms, kMostSteps * current.interval_ms);
  }
}

/// Every spike of a source is drawn and delivered.
void check_poisson(const Layout& layout) {
  constexpr double kMostInWindow = 1e8;
  for (const Population& population : layout.network->populations) {
    const double expected = highest_rate(population) * layout.window_ms;
    require(expected <= kMostInWindow, ErrorKind::config,
            "population '{}': the rates amount to {:g} spikes in each {:g} ms, the window between"
            " exchanges of spikes, of which {:g} can be computed. Lower the rates.",
            population.name, expected, layout.window_ms, kMostInWindow);
  }
}

}  // namespace

Engine engine_of(const Layout& layout, std::int64_t population) {
  const auto found = layout.options.engines.find(layout.population(population).name);
  return found == layout.options.engines.end() ? layout.options.engine : found->second;
}

bool has_grid(const Layout& layout) {
  for (std::size_t index = 0; index < layout.network->populations.size(); ++index) {
    const Model& kind = model(layout.network->populations[index].model);
    if (kind.source_input == SourceInput::signal) return true;
    if (kind.is_source()) continue;
    if (engine_of(layout, static_cast<std::int64_t>(index)) == Engine::grid) return true;
  }
  return false;
}

Layout make_layout(const Network& network, const Options& options) {
  validate(network);
  Layout layout{&network, options, 0, {}, 0, 0, 0, 0, 0, false};
  for (const auto& [name, engine] : options.engines) network.population(name);
  require(options.threads >= 1, ErrorKind::config, "threads: found {}, expected at least 1",
          options.threads);
  require(std::isfinite(options.dt_ms) && options.dt_ms >= 0, ErrorKind::config,
          "time step: found {} ms, expected above 0, or 0 for the network's", options.dt_ms);
  layout.dt_ms = options.dt_ms > 0 ? options.dt_ms : network.time_step_ms;
  std::int64_t neurons = 0;
  for (std::size_t index = 0; index < network.populations.size(); ++index) {
    layout.first_neuron.push_back(neurons);
    neurons += network.populations[index].size;
    check_population(layout, static_cast<std::int64_t>(index));
  }
  layout.first_neuron.push_back(neurons);
  require(neurons <= std::numeric_limits<std::uint32_t>::max(), ErrorKind::config,
          "found {} neurons, expected less than 2^32", neurons);
  check_sinusoids(layout);
  check_intervals(layout);
  set_coupled(layout);
  layout.few_arrivals = expect_few_arrivals(layout);
  set_windows(layout);
  check_poisson(layout);
  return layout;
}

}  // namespace afterspike::spiking
