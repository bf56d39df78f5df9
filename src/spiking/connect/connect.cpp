#include "afterspike/spiking/connect.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numbers>
#include <unordered_set>

#include "afterspike/base/registry.hpp"
#include "connect/block_rows.hpp"
#include "connect/draw.hpp"

namespace afterspike::spiking {
namespace {

struct RuleName {
  std::string_view name;
  ConnectionRule rule;
};
constexpr std::array kRules = {RuleName{"one_to_one", ConnectionRule::one_to_one},
                               RuleName{"all_to_all", ConnectionRule::all_to_all},
                               RuleName{"fixed_indegree", ConnectionRule::fixed_indegree},
                               RuleName{"fixed_outdegree", ConnectionRule::fixed_outdegree},
                               RuleName{"fixed_total_number", ConnectionRule::fixed_total_number},
                               RuleName{"pairwise_bernoulli", ConnectionRule::pairwise_bernoulli}};

/// Pairs of source and target in the order in which a rule draws them.
class Pairs {
 public:
  Pairs(const Population& source, const Population& target, bool same, const Connection& connection,
        const Rng& rng)
      : sources_(source.size),
        targets_(target.size),
        no_autapses_(same && !connection.allow_autapses),
        connection_(connection),
        rng_(rng) {}

  using Visit = std::function<void(std::int64_t source, std::int64_t target)>;
  void visit(const Visit& visit) const;

 private:
  void one_to_one(const Visit& visit) const;
  void all_to_all(const Visit& visit) const;
  void fixed_degree(const Visit& visit, bool in) const;
  void fixed_total_number(const Visit& visit) const;
  void pairwise_bernoulli(const Visit& visit) const;
  void near(const Visit& visit, double probability) const;
  bool is_allowed(std::int64_t source, std::int64_t target) const {
    return !no_autapses_ || source != target;
  }
  void require_count() const {
    require(connection_.count >= 0, ErrorKind::config,
            "rule '{}': found {} synapses, expected 0 or more", name_of(connection_.rule),
            connection_.count);
  }

  void require_probability() const {
    const double p = connection_.probability;
    require(p >= 0 && p <= 1, ErrorKind::config,
            "rule 'pairwise_bernoulli': found p = {}, expected 0 to 1", p);
  }

  std::int64_t sources_, targets_;
  bool no_autapses_;
  const Connection& connection_;
  const Rng& rng_;
};

void Pairs::visit(const Visit& visit) const {
  if (std::isfinite(connection_.radius)) {
    const bool all = connection_.rule == ConnectionRule::all_to_all;
    require(all || connection_.rule == ConnectionRule::pairwise_bernoulli, ErrorKind::config,
            "rule '{}': found a radius, which it does not take. Use all_to_all or"
            " pairwise_bernoulli",
            name_of(connection_.rule));
    return near(visit, all ? 1 : connection_.probability);
  }
  switch (connection_.rule) {
    case ConnectionRule::one_to_one:
      return one_to_one(visit);
    case ConnectionRule::all_to_all:
      return all_to_all(visit);
    case ConnectionRule::fixed_indegree:
      return fixed_degree(visit, true);
    case ConnectionRule::fixed_outdegree:
      return fixed_degree(visit, false);
    case ConnectionRule::fixed_total_number:
      return fixed_total_number(visit);
    default:
      return pairwise_bernoulli(visit);
  }
}

void Pairs::one_to_one(const Visit& visit) const {
  require(sources_ == targets_, ErrorKind::config,
          "rule 'one_to_one': found {} sources and {} targets, expected equal numbers", sources_,
          targets_);
  for (std::int64_t neuron = 0; neuron < sources_; ++neuron) {
    if (is_allowed(neuron, neuron)) visit(neuron, neuron);
  }
}

void Pairs::all_to_all(const Visit& visit) const {
  for (std::int64_t source = 0; source < sources_; ++source) {
    for (std::int64_t target = 0; target < targets_; ++target) {
      if (is_allowed(source, target)) visit(source, target);
    }
  }
}

void Pairs::fixed_degree(const Visit& visit, bool in) const {
  require_count();
  const std::int64_t ends = in ? targets_ : sources_, others = in ? sources_ : targets_;
  const std::int64_t available = others - (no_autapses_ ? 1 : 0);
  const bool possible =
      connection_.allow_multapses ? available > 0 : connection_.count <= available;
  require(possible || connection_.count == 0, ErrorKind::config,
          "rule '{}': found {} synapses per neuron, expected at most {}: there are no more partners"
          " without multapses",
          name_of(connection_.rule), connection_.count, available);
  for (std::int64_t end = 0; end < ends; ++end) {
    Rng rng = rng_.stream(in ? "target" : "source", static_cast<std::uint64_t>(end));
    std::unordered_set<std::int64_t> taken;
    for (std::int64_t drawn = 0; drawn < connection_.count;) {
      const auto other = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(others)));
      if (!is_allowed(other, end)) continue;
      if (!connection_.allow_multapses && !taken.insert(other).second) continue;
      in ? visit(other, end) : visit(end, other);
      ++drawn;
    }
  }
}

void Pairs::fixed_total_number(const Visit& visit) const {
  require_count();
  const std::int64_t available = sources_ * targets_ - (no_autapses_ ? sources_ : 0);
  const bool possible =
      connection_.allow_multapses ? available > 0 : connection_.count <= available;
  require(possible || connection_.count == 0, ErrorKind::config,
          "rule 'fixed_total_number': found {} synapses, expected at most {}: there are no more"
          " pairs without multapses",
          connection_.count, available);
  Rng rng = rng_.stream("pairs");
  std::unordered_set<std::int64_t> taken;
  for (std::int64_t drawn = 0; drawn < connection_.count;) {
    const auto source = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(sources_)));
    const auto target = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(targets_)));
    if (!is_allowed(source, target)) continue;
    if (!connection_.allow_multapses && !taken.insert(source * targets_ + target).second) continue;
    visit(source, target);
    ++drawn;
  }
}

/// Gaps between connected pairs are geometric.
void Pairs::pairwise_bernoulli(const Visit& visit) const {
  const double p = connection_.probability;
  require_probability();
  if (p == 0) return;
  for (std::int64_t source = 0; source < sources_; ++source) {
    Rng rng = rng_.stream("source", static_cast<std::uint64_t>(source));
    for (std::int64_t target = -1;;) {
      const double gap = p == 1 ? 0 : std::floor(std::log1p(-rng.uniform()) / std::log1p(-p));
      if (gap >= static_cast<double>(targets_ - target)) break;
      target += 1 + static_cast<std::int64_t>(gap);
      if (target >= targets_) break;
      if (is_allowed(source, target)) visit(source, target);
    }
  }
}

/// Pairs within the radius, each with a probability.
void Pairs::near(const Visit& visit, double probability) const {
  const Grid &from = connection_.source_grid, &to = connection_.target_grid;
  require(from.columns * from.rows == sources_ && to.columns * to.rows == targets_,
          ErrorKind::config, "radius: expected both populations on grids");
  require(from.edge_wrap == to.edge_wrap &&
              (!from.edge_wrap || (from.width() == to.width() && from.height() == to.height())),
          ErrorKind::config,
          "radius: expected grids of one extent, found {} x {} and {} x {}, or edge_wrap of one"
          " population",
          from.width(), from.height(), to.width(), to.height());
  require_probability();
  for (std::int64_t source = 0; source < sources_; ++source) {
    Rng rng = rng_.stream("source", static_cast<std::uint64_t>(source));
    const double x = (static_cast<double>(source % from.columns) + 0.5) * from.spacing;
    const double y = (static_cast<double>(source / from.columns) + 0.5) * from.spacing;
    for (const std::int64_t target : neurons_within(to, x, y, connection_.radius)) {
      const bool drawn = probability == 1 || rng.uniform() < probability;
      if (drawn && is_allowed(source, target)) visit(source, target);
    }
  }
}

/// An index on an axis of a grid and its distance from a point.
struct Place {
  std::int64_t index;
  double distance;
};

/// Places on an axis of `count` neurons within `radius` of a point, by index.
std::vector<Place> places_within(std::int64_t count, double spacing, bool wraps, double at,
                                 double radius) {
  std::vector<Place> places;
  const double extent = static_cast<double>(count) * spacing;
  for (std::int64_t index = 0; index < count; ++index) {
    double distance = std::abs((static_cast<double>(index) + 0.5) * spacing - at);
    if (wraps) distance = std::min(distance, extent - distance);
    if (distance <= radius * (1 + 1e-12)) places.push_back({index, distance});
  }
  return places;
}

}  // namespace

std::vector<std::int64_t> neurons_within(const Grid& grid, double x, double y, double radius) {
  std::vector<std::int64_t> neurons;
  const auto columns = places_within(grid.columns, grid.spacing, grid.edge_wrap, x, radius);
  const double square = radius * radius * (1 + 1e-12);
  for (const Place& row : places_within(grid.rows, grid.spacing, grid.edge_wrap, y, radius)) {
    for (const Place& column : columns) {
      if (column.distance * column.distance + row.distance * row.distance <= square) {
        neurons.push_back(row.index * grid.columns + column.index);
      }
    }
  }
  return neurons;
}

double draw(const Distribution& distribution, Rng& rng) {
  return draw_with(distribution, rng);
}

std::string_view name_of(ConnectionRule rule) {
  for (const RuleName& each : kRules) {
    if (each.rule == rule) return each.name;
  }
  return "";
}

ConnectionRule connection_rule(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RuleName& each : kRules) {
    if (each.name == name) return each.rule;
    names.push_back(each.name);
  }
  fail(ErrorKind::config, "no rule called '{}'{}; there are: {}", name, did_you_mean(name, names),
       fmt::join(names, ", "));
}

double expected_synapses(const Connection& connection, std::int64_t sources, std::int64_t targets) {
  const auto from = static_cast<double>(sources), to = static_cast<double>(targets);
  const auto count = static_cast<double>(std::max<std::int64_t>(connection.count, 0));
  double near = 1;  // Fraction of pairs within the radius.
  if (std::isfinite(connection.radius)) {
    const double area = connection.target_grid.width() * connection.target_grid.height();
    near = std::min(1.0, std::numbers::pi * connection.radius * connection.radius / area);
  }
  switch (connection.rule) {
    case ConnectionRule::one_to_one:
      return std::min(from, to);
    case ConnectionRule::fixed_indegree:
      return count * to;
    case ConnectionRule::fixed_outdegree:
      return count * from;
    case ConnectionRule::fixed_total_number:
      return count;
    case ConnectionRule::pairwise_bernoulli:
      return std::clamp(connection.probability, 0.0, 1.0) * near * from * to;
    default:
      return near * from * to;
  }
}

Projection connect(const std::vector<Population>& populations, std::int64_t source,
                   std::int64_t target, const Connection& connection, double time_step_ms,
                   const Rng& rng) {
  const Population& from = populations[static_cast<std::size_t>(source)];
  const Population& to = populations[static_cast<std::size_t>(target)];
  require(connection.receptor < to.receptors, ErrorKind::config,
          "receptor: found {}, expected less than {}", connection.receptor, to.receptors);
  const double least = model(from.model).is_source() ? 0 : 1;
  const RuleReceptors receptors = receptors_of(to, connection.receptor);
  Rng weights = rng.stream("weights"), delays = rng.stream("delays");
  constexpr std::int64_t kMostPairs = std::numeric_limits<std::int64_t>::max();
  require(from.size <= kMostPairs / std::max<std::int64_t>(to.size, 1), ErrorKind::config,
          "found {} sources and {} targets, expected fewer than 2^63 pairs. Lower the sizes",
          from.size, to.size);
  std::vector<Synapse> synapses;
  // Slightly more than expected: growing would take the memory twice.
  synapses.reserve(
      static_cast<std::size_t>(1.01 * expected_synapses(connection, from.size, to.size)) + 100);
  Pairs(from, to, source == target, connection, rng)
      .visit([&](std::int64_t from_neuron, std::int64_t to_neuron) {
        Synapse synapse{from_neuron, to_neuron, draw(connection.weight, weights), 0, 0};
        const double delay_ms = draw(connection.delay, delays);
        require(delay_ms >= 0, ErrorKind::config,
                "delay: found {} ms, expected 0 or above; a distribution takes min = 0", delay_ms);
        const double steps = std::round(delay_ms / time_step_ms);
        synapse.delay_ms = std::max(steps, least) * time_step_ms;
        const bool negative = synapse.weight < 0;
        synapse.receptor = negative ? receptors.negative : receptors.positive;
        if (negative && receptors.is_absolute) synapse.weight = -synapse.weight;
        synapses.push_back(synapse);
      });
  return make_projection(populations, source, target, synapses);
}

bool can_stay_rule(const std::vector<Population>& populations, std::int64_t source,
                   std::int64_t target, const Connection& connection) {
  const Population& from = populations[static_cast<std::size_t>(source)];
  const Population& to = populations[static_cast<std::size_t>(target)];
  if (std::isfinite(connection.radius)) return false;
  if (connection.rule == ConnectionRule::fixed_total_number) {
    return connection.allow_autapses && connection.allow_multapses && connection.count >= 0;
  }
  return connection.rule == ConnectionRule::one_to_one && from.model == "poisson_source" &&
         from.size == to.size && connection.weight.kind == Distribution::Kind::constant &&
         connection.delay.kind == Distribution::Kind::constant;
}

namespace {

std::vector<Synapse> draw_total_number(const Population& from, const Population& to,
                                       const RuleProjection& rule, double time_step_ms) {
  const DelayTable delays(rule.connection.delay, time_step_ms);
  const std::vector<std::int64_t> counts = block_counts(rule, to.size);
  std::vector<Synapse> synapses;
  std::vector<std::uint32_t> runs(delays.max() + 1);
  for (std::int64_t block = 0; block < kBlocks; ++block) {
    const std::int64_t begin = block_begin(to.size, block);
    BlockRows rows(rule, from, to, block, counts[static_cast<std::size_t>(block)]);
    for (std::int64_t source = 0; source < from.size; ++source) {
      std::fill(runs.begin(), runs.end(), 0);
      for (std::uint32_t at = 0; at < rows.row(source); ++at) ++runs[rows.draw_delay(delays)];
      for (std::uint32_t delay = 1; delay < runs.size(); ++delay) {
        for (; runs[delay] > 0; --runs[delay]) {
          const BlockRows::Drawn drawn = rows.draw();
          synapses.push_back(
              {source, begin + drawn.target, drawn.weight, delay * time_step_ms, drawn.receptor});
        }
      }
    }
  }
  return synapses;
}

}  // namespace

Projection expand(const std::vector<Population>& populations, const RuleProjection& rule,
                  double time_step_ms) {
  const Population& from = populations[static_cast<std::size_t>(rule.source)];
  const Population& to = populations[static_cast<std::size_t>(rule.target)];
  if (rule.connection.rule != ConnectionRule::fixed_total_number) {
    return connect(populations, rule.source, rule.target, rule.connection, time_step_ms,
                   Rng::of_key(rule.key));
  }
  return make_projection(populations, rule.source, rule.target,
                         draw_total_number(from, to, rule, time_step_ms));
}

void expand_rules(Network& network) {
  for (const RuleProjection& rule : network.rule_projections) {
    network.projections.push_back(expand(network.populations, rule, network.time_step_ms));
  }
  network.rule_projections.clear();
}

}  // namespace afterspike::spiking
