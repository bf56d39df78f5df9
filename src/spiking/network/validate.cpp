#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>

#include "afterspike/base/registry.hpp"
#include "afterspike/spiking/connect.hpp"
#include "connect/delay_table.hpp"
#include "network/within.hpp"

namespace afterspike::spiking {
namespace {

void check_length(std::string_view name, std::size_t found, std::int64_t expected) {
  require(static_cast<std::int64_t>(found) == expected, ErrorKind::data,
          "{}: found {} values, expected {}", name, found, expected);
}

std::string_view words(Range range) {
  switch (range) {
    case Range::positive:
      return "above 0";
    case Range::not_negative:
      return "0 or above";
    case Range::fraction:
      return "0 to 1";
    default:
      return "a finite number";
  }
}

bool is_inside(double value, Range range) {
  if (!std::isfinite(value)) return false;
  switch (range) {
    case Range::positive:
      return value > 0;
    case Range::not_negative:
      return value >= 0;
    case Range::fraction:
      return value >= 0 && value <= 1;
    default:
      return true;
  }
}

void check_range(std::string_view name, std::span<const double> values, Range range,
                 std::string_view unit) {
  for (std::size_t index = 0; index < values.size(); ++index) {
    const double value = values[index];
    require(is_inside(value, range), ErrorKind::data, "{}: value {}: found {} {}, expected {}",
            name, index, value, unit, words(range));
  }
}

void check_columns(const Population& population, const Model& kind) {
  std::vector<std::string_view> names;
  const std::int64_t currents = population.currents();
  for (const Parameter& column : kind.parameters) {
    names.push_back(column.name);
    const auto found = population.columns.find(std::string(column.name));
    require(found != population.columns.end(), ErrorKind::data, "{}: missing", column.name);
    check_length(column.name, found->second.size(),
                 column.extent == Extent::current ? currents * population.size : population.size);
    check_range(column.name, found->second, column.range, column.unit);
  }
  for (const auto& [name, values] : population.columns) {
    require(std::find(names.begin(), names.end(), name) != names.end(), ErrorKind::data,
            "model '{}' has no parameter '{}'{}; it has: {}", population.model, name,
            did_you_mean(name, names), fmt::join(names, ", "));
  }
}

/// Offsets of rows into an array: none may lead out of it.
void check_offsets(std::string_view name, const std::vector<std::int64_t>& offsets,
                   std::int64_t rows, std::size_t entries) {
  check_length(name, offsets.size(), rows + 1);
  require(offsets.front() == 0 && offsets.back() == static_cast<std::int64_t>(entries),
          ErrorKind::data, "{}: found {} to {}, expected 0 to {}", name, offsets.front(),
          offsets.back(), entries);
  for (std::size_t row = 1; row < offsets.size(); ++row) {
    require(offsets[row - 1] <= offsets[row], ErrorKind::data,
            "{}: found {} after {}, expected no decrease", name, offsets[row], offsets[row - 1]);
  }
}

void check_trains(const Population& population) {
  const SpikeTrains& trains = population.trains;
  if (trains.offsets.empty() && trains.times_ms.empty()) return;
  check_offsets("offsets of spike trains", trains.offsets, population.size, trains.times_ms.size());
  for (std::size_t train = 0; train + 1 < trains.offsets.size(); ++train) {
    double before = 0;
    for (auto spike = static_cast<std::size_t>(trains.offsets[train]);
         spike < static_cast<std::size_t>(trains.offsets[train + 1]); ++spike) {
      const double time = trains.times_ms[spike];
      require(std::isfinite(time) && time >= before, ErrorKind::data,
              "spike train {}: found {} ms after {} ms, expected ascending times", train, time,
              before);
      before = time;
    }
  }
}

void check_ascending(std::string_view name, std::span<const double> times) {
  for (std::size_t index = 1; index < times.size(); ++index) {
    require(times[index - 1] < times[index], ErrorKind::data,
            "{}: found {} ms after {} ms, expected ascending times", name, times[index],
            times[index - 1]);
  }
}

void check_rates(const Population& population, const Model& kind) {
  const RateSteps& rates = population.rates;
  require(rates.times_ms.empty() || kind.source_input == SourceInput::rates, ErrorKind::data,
          "found times of rates, which model '{}' does not take", population.model);
  check_length("rates", rates.rates_hz.size(), static_cast<std::int64_t>(rates.times_ms.size()));
  check_range("times of rates", rates.times_ms, Range::not_negative, "ms");
  check_range("rates", rates.rates_hz, Range::not_negative, "spikes/s");
  check_ascending("times of rates", rates.times_ms);
}

void check_receptors(const Population& population, const Model& kind) {
  const auto fixed = static_cast<std::int64_t>(kind.receptors.size());
  const std::int64_t least = fixed > 0 ? fixed : std::min<std::int64_t>(kind.max_receptors, 1);
  const std::int64_t most = fixed > 0 ? fixed : kind.max_receptors;
  require(population.receptors >= least && population.receptors <= most, ErrorKind::data,
          "found {} receptors, expected {} to {}", population.receptors, least, most);
  if (kind.is_source()) return;
  std::vector<SynapseShape> shapes = kind.shapes;
  if (fixed > 0) shapes = {SynapseShape::model};
  std::vector<std::string_view> names;
  for (const SynapseShape shape : shapes) names.push_back(name_of(shape));
  require(std::find(shapes.begin(), shapes.end(), population.synapse) != shapes.end(),
          ErrorKind::data, "found {} synapses, expected {}: model '{}' has no others",
          name_of(population.synapse), fmt::join(names, ", "), population.model);
}

void check_population(const Population& population) {
  const Model& kind = model(population.model);
  require(population.size > 0 && population.size <= std::numeric_limits<std::uint32_t>::max(),
          ErrorKind::data, "found {} neurons, expected at least 1 and less than 2^32",
          population.size);
  // Each copy has a state of its own: more would be a way for a small file to take all memory.
  constexpr std::int64_t kMaxCopies = 1'000'000;
  const std::int64_t most_copies =
      kind.has_copies
          ? std::min(kMaxCopies, std::numeric_limits<std::uint32_t>::max() / population.size)
          : 1;
  require(population.copies > 0 && population.copies <= most_copies, ErrorKind::data,
          "found {} copies of each of {} neurons of model '{}', expected 1 to {}",
          population.copies, population.size, population.model, most_copies);
  check_receptors(population, kind);
  check_columns(population, kind);
  const bool times =
      population.synapse != SynapseShape::delta && population.synapse != SynapseShape::model;
  check_length("synapse_time_constants_ms", population.synapse_time_constants_ms.size(),
               times ? population.receptors * population.size : 0);
  check_range("synapse_time_constants_ms", population.synapse_time_constants_ms, Range::positive,
              "ms");
  check_trains(population);
  check_rates(population, kind);
}

const Population& at(const Network& network, std::int64_t index, std::string_view role) {
  const auto count = static_cast<std::int64_t>(network.populations.size());
  require(index >= 0 && index < count, ErrorKind::data, "{}: found population {}, expected 0 to {}",
          role, index, count - 1);
  return network.populations[static_cast<std::size_t>(index)];
}

/// Weights of receptors that are conductances are not negative: their sign is the reversal's.
void check_conductances(const Population& target, const Projection& projection) {
  const auto& receptors = model(target.model).receptors;
  const auto is_conductance = [](const Receptor& receptor) { return receptor.unit == "nS"; };
  if (std::none_of(receptors.begin(), receptors.end(), is_conductance)) return;
  for (std::int64_t synapse = 0; synapse < projection.synapses(); ++synapse) {
    const Receptor& receptor = receptors[projection.receptor(synapse)];
    const double weight = projection.weights[static_cast<std::size_t>(synapse)];
    require(weight >= 0 || !is_conductance(receptor), ErrorKind::data,
            "weights: value {}: found {} nS at receptor '{}', expected 0 or above", synapse, weight,
            receptor.name);
  }
}

void check_projection(const Network& network, const Projection& projection) {
  const Population& source = at(network, projection.source, "source");
  const Population& target = at(network, projection.target, "target");
  const std::int64_t count = projection.synapses();
  require(!model(target.model).is_source(), ErrorKind::data,
          "target '{}' is a source: it takes no spikes", target.name);
  check_offsets("offsets", projection.offsets, source.size, projection.targets.size());
  check_length("weights", projection.weights.size(), count);
  check_length("delays_ms", projection.delays_ms.size(),
               projection.delays_ms.size() == 1 ? 1 : count);
  check_length("receptors", projection.receptors.size(),
               projection.receptors.size() == 1 ? 1 : count);
  check_range("weights", projection.weights, Range::any, "");
  check_range("delays_ms", projection.delays_ms,
              model(source.model).is_source() ? Range::not_negative : Range::positive, "ms");
  for (const std::uint32_t neuron : projection.targets) {
    require(neuron < target.size, ErrorKind::data, "targets: found {}, expected less than {}",
            neuron, target.size);
  }
  for (const std::uint8_t receptor : projection.receptors) {
    require(receptor < target.receptors, ErrorKind::data,
            "receptors: found {}, expected less than {}", receptor, target.receptors);
  }
  check_conductances(target, projection);
}

bool has_negative_values(const Distribution& distribution) {
  switch (distribution.kind) {
    case Distribution::Kind::lognormal:
      return false;
    case Distribution::Kind::normal:
      return distribution.min < 0;
    default:
      return distribution.first < 0 && distribution.min < 0;
  }
}

void check_rule(const Network& network, const RuleProjection& rule) {
  const Population& target = at(network, rule.target, "target");
  const Connection& connection = rule.connection;
  at(network, rule.source, "source");
  require(!model(target.model).is_source(), ErrorKind::data,
          "target '{}' is a source: it takes no spikes", target.name);
  require(can_stay_rule(network.populations, rule.source, rule.target, connection), ErrorKind::data,
          "rule '{}' cannot stay a rule. List its synapses.", name_of(connection.rule));
  require(connection.receptor < target.receptors, ErrorKind::data,
          "receptor: found {}, expected less than {}", connection.receptor, target.receptors);
  const bool is_conductance =
      connection.receptor >= 0 && target.weight_unit(connection.receptor) == "nS";
  require(!is_conductance || !has_negative_values(connection.weight), ErrorKind::data,
          "weights: found values below 0 nS, expected none. Set min = 0.");
  check_range("weight", {&connection.weight.first, 1}, Range::any, "");
  check_range("delay", {&connection.delay.first, 1}, Range::any, "ms");
  if (connection.rule == ConnectionRule::one_to_one) {
    check_range("delay", {&connection.delay.first, 1}, Range::not_negative, "ms");
    return;
  }
  const DelayTable delays(connection.delay, network.time_step_ms);  // Throws for impossible ones.
}

void check_neurons(const Population& population, const std::vector<std::int64_t>& neurons) {
  for (const std::int64_t neuron : neurons) {
    require(neuron >= 0 && neuron < population.size, ErrorKind::data,
            "neurons: found {}, expected 0 to {}", neuron, population.size - 1);
  }
}

void check_electrical(const Network& network, const ElectricalSynapses& synapses) {
  const auto count = static_cast<std::int64_t>(synapses.conductances_ns.size());
  check_length("first_neurons", synapses.first_neurons.size(), count);
  check_length("second_neurons", synapses.second_neurons.size(), count);
  const Population& first = at(network, synapses.first, "first");
  const Population& second = at(network, synapses.second, "second");
  for (const Population* population : {&first, &second}) {
    const std::string_view unit = model(population->model).current_unit;
    require(unit == "pA" || unit == "1", ErrorKind::data,
            "population '{}': model '{}' has no electrical synapses, which are currents in pA, or"
            " without unit in dimensionless models",
            population->name, population->model);
  }
  require(model(first.model).current_unit == model(second.model).current_unit, ErrorKind::data,
          "populations '{}' and '{}': found currents in {} and {}, expected one unit", first.name,
          second.name, model(first.model).current_unit, model(second.model).current_unit);
  check_neurons(first, synapses.first_neurons);
  check_neurons(second, synapses.second_neurons);
  check_range("conductances", synapses.conductances_ns, Range::not_negative, "nS");
  for (std::size_t index = 0; index < synapses.first_neurons.size(); ++index) {
    require(synapses.first != synapses.second ||
                synapses.first_neurons[index] != synapses.second_neurons[index],
            ErrorKind::data, "synapse {}: found neuron {} coupled with itself, expected another",
            index, synapses.first_neurons[index]);
  }
}

const Population& check_takes_currents(const Network& network, std::int64_t index) {
  const Population& population = at(network, index, "population");
  require(!model(population.model).current_unit.empty(), ErrorKind::data,
          "population '{}' takes no currents: it is of model '{}'", population.name,
          population.model);
  return population;
}

void check_step_current(const Network& network, const StepCurrent& current) {
  const Population& population = check_takes_currents(network, current.population);
  check_length("amplitudes", current.amplitudes_pa.size(),
               static_cast<std::int64_t>(current.times_ms.size()));
  check_range("times", current.times_ms, Range::not_negative, "ms");
  check_range("amplitudes", current.amplitudes_pa, Range::any, "pA");
  check_ascending("times", current.times_ms);
  check_neurons(population, current.neurons);
}

void check_sinusoid(const Network& network, const SinusoidCurrent& current) {
  check_neurons(check_takes_currents(network, current.population), current.neurons);
  check_range("offset", {&current.offset_pa, 1}, Range::any, "pA");
  check_range("amplitude", {&current.amplitude_pa, 1}, Range::any, "pA");
  check_range("frequency", {&current.frequency_hz, 1}, Range::not_negative, "Hz");
  check_range("phase", {&current.phase_deg, 1}, Range::any, "degrees");
  check_range("start", {&current.start_ms, 1}, Range::not_negative, "ms");
  check_range("stop", {&current.stop_ms, 1}, Range::not_negative, "ms");
  require(current.start_ms < current.stop_ms, ErrorKind::data,
          "stop: found {} ms, expected a time after the start at {} ms", current.stop_ms,
          current.start_ms);
}

void check_ornstein_uhlenbeck(const Network& network, const OrnsteinUhlenbeckCurrent& current) {
  check_takes_currents(network, current.population);
  check_range("mean", {&current.mean_pa, 1}, Range::any, "pA");
  check_range("standard deviation", {&current.standard_deviation_pa, 1}, Range::not_negative, "pA");
  check_range("tau", {&current.tau_ms, 1}, Range::positive, "ms");
  check_range("interval", {&current.interval_ms, 1}, Range::positive, "ms");
}

void check_noise_current(const Network& network, const NoiseCurrent& current) {
  check_takes_currents(network, current.population);
  check_range("mean", {&current.mean_pa, 1}, Range::any, "pA");
  check_range("standard deviation", {&current.standard_deviation_pa, 1}, Range::not_negative, "pA");
  check_range("interval", {&current.interval_ms, 1}, Range::positive, "ms");
}

void check_readout(const Network& network) {
  const Readout& readout = network.readout;
  if (readout.population == -1) return;
  const Population& population = at(network, readout.population, "population");
  check_length("weights", readout.weights.size(),
               static_cast<std::int64_t>(readout.bias.size()) * population.size);
  check_range("weights", readout.weights, Range::any, "");
  check_range("bias", readout.bias, Range::any, "");
  check_range("window", {&readout.window_ms, 1}, Range::positive, "ms");
  check_range("scale", {&readout.scale, 1}, Range::positive, "");
}

}  // namespace

void validate(const Network& network) {
  check_range("time step", {&network.time_step_ms, 1}, Range::positive, "ms");
  std::set<std::string> names;
  for (const Population& population : network.populations) {
    within(fmt::format("population '{}'", population.name), ErrorKind::data, [&] {
      require(!population.name.empty() && names.insert(population.name).second, ErrorKind::data,
              "expected a name that no other has");
      check_population(population);
    });
  }
  for (std::size_t index = 0; index < network.projections.size(); ++index) {
    within(fmt::format("projection {}", index), ErrorKind::data,
           [&] { check_projection(network, network.projections[index]); });
  }
  for (std::size_t index = 0; index < network.rule_projections.size(); ++index) {
    within(fmt::format("rule projection {}", index), ErrorKind::data,
           [&] { check_rule(network, network.rule_projections[index]); });
  }
  for (std::size_t index = 0; index < network.electrical_synapses.size(); ++index) {
    within(fmt::format("electrical synapses {}", index), ErrorKind::data,
           [&] { check_electrical(network, network.electrical_synapses[index]); });
  }
  for (std::size_t index = 0; index < network.step_currents.size(); ++index) {
    within(fmt::format("step current {}", index), ErrorKind::data,
           [&] { check_step_current(network, network.step_currents[index]); });
  }
  for (std::size_t index = 0; index < network.noise_currents.size(); ++index) {
    within(fmt::format("noise current {}", index), ErrorKind::data,
           [&] { check_noise_current(network, network.noise_currents[index]); });
  }
  for (std::size_t index = 0; index < network.sinusoid_currents.size(); ++index) {
    within(fmt::format("sinusoid current {}", index), ErrorKind::data,
           [&] { check_sinusoid(network, network.sinusoid_currents[index]); });
  }
  for (std::size_t index = 0; index < network.ornstein_uhlenbeck_currents.size(); ++index) {
    within(fmt::format("Ornstein-Uhlenbeck current {}", index), ErrorKind::data,
           [&] { check_ornstein_uhlenbeck(network, network.ornstein_uhlenbeck_currents[index]); });
  }
  within("readout", ErrorKind::data, [&] { check_readout(network); });
}

}  // namespace afterspike::spiking
