#include "afterspike/single_neuron/neuron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/spiking/dynamics.hpp"
#include "afterspike/spiking/network_description.hpp"

namespace afterspike::single_neuron {
namespace {

using spiking::Extent;
using spiking::Model;
using spiking::Parameter;
using spiking::Population;

constexpr double kStep_ms = 0.1;
constexpr double kDiscreteStep_ms = 1;
constexpr double kStrongest = 1e9, kMostCurrents = 1000;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    parts.push_back(text.substr(0, text.find(separator)));
    if (parts.back().size() == text.size()) return parts;
    text.remove_prefix(parts.back().size() + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Reads a number in `unit`, or with a unit of the same kind.
double quantity(std::string_view text, std::string_view unit, std::string_view what) {
  const std::string_view plain = trimmed(text);
  double value = 0;
  const std::size_t sign = plain.starts_with('+') && !plain.starts_with("+-") ? 1 : 0;
  const auto [end, error] =
      std::from_chars(plain.data() + sign, plain.data() + plain.size(), value);
  const std::string_view found =
      trimmed(plain.substr(static_cast<std::size_t>(end - plain.data())));
  require(error == std::errc() && (found.empty() || std::isfinite(value)), ErrorKind::config,
          "{}: '{}' is not a number. Give one in {}, such as 1", what, text,
          unit == "1" ? "no unit" : unit);
  require(std::isfinite(value), ErrorKind::config, "{}: '{}' is not finite. Give a finite number",
          what, text);
  if (found.empty() || found == unit) return value;
  constexpr std::array<std::string_view, 6> kConvertible = {"ms", "mV", "pA", "1/ms", "pF", "nS"};
  const bool known =
      std::find(kConvertible.begin(), kConvertible.end(), unit) != kConvertible.end();
  require(known, ErrorKind::config, "{}: '{}' has the unit '{}'. Give a number {}", what, text,
          found, unit == "1" ? "without a unit" : fmt::format("in {}", unit));
  return units::parse(plain, unit, what);
}

const Parameter& parameter_named(const Population& population, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Parameter& each : spiking::model(population.model).parameters) {
    if (each.symbol == name || each.name == name) return each;
    names.push_back(each.symbol);
  }
  fail(ErrorKind::usage, "--set: model '{}' has no parameter '{}'{}; it has: {}", population.model,
       name, did_you_mean(name, names), fmt::join(names, ", "));
}

std::vector<double> values_of(const Setting& setting, const Parameter& parameter) {
  const std::string what = fmt::format("--set {}", setting.parameter);
  std::vector<double> values;
  for (const std::string_view word : split(setting.value, ',')) {
    values.push_back(quantity(word, parameter.unit, what));
  }
  require(parameter.extent == Extent::current || values.size() == 1, ErrorKind::config,
          "{}: found {} values in '{}'. Give one", what, values.size(), setting.value);
  return values;
}

void apply(const std::vector<Setting>& settings, Population& population) {
  bool rests = false, starts = false;
  for (const Setting& setting : settings) {
    const Parameter& parameter = parameter_named(population, setting.parameter);
    population.columns[std::string(parameter.name)] = values_of(setting, parameter);
    rests = rests || parameter.name == "resting_potential";
    starts = starts || parameter.name == "initial_potential";
  }
  const auto rest = population.columns.find("resting_potential");
  const auto initial = population.columns.find("initial_potential");
  if (rests && !starts && initial != population.columns.end()) initial->second = rest->second;
}

void require_neuron(std::string_view name, const Model& model) {
  require(!model.is_source(), ErrorKind::usage,
          "neuron: '{}' is a source of spikes. Choose a model of neurons; `afterspike list models`"
          " has all",
          name);
  require(!model.current_unit.empty(), ErrorKind::usage,
          "neuron: model '{}' takes no injected current. Choose another one; `afterspike inspect`"
          " shows neurons of trained networks",
          name);
}

/// Throws Error(config) for parameters out of range.
void check(const Neuron& neuron) {
  spiking::Network network;
  network.time_step_ms = neuron.dt_ms;
  network.populations = {neuron.population};
  try {
    spiking::validate(network);
  } catch (const Error& error) {
    throw Error(ErrorKind::config, error.what());
  }
}

}  // namespace

const Model& Neuron::model() const {
  return spiking::model(population.model);
}

Neuron make_neuron(std::string_view name, std::string_view preset,
                   const std::vector<Setting>& settings, double dt_ms) {
  const auto& entry = find_entry(spiking::models(), name, "model of spiking neurons");
  require_neuron(entry.name, entry.model);
  const double usual = entry.model.has_own_grid ? kDiscreteStep_ms : kStep_ms;
  Neuron neuron{{}, std::string(preset), dt_ms > 0 ? dt_ms : usual, false};
  Population& population = neuron.population;
  population.name = "neuron";
  population.model = entry.name;
  population.size = 1;
  // Synapses are silent. Delta ones need no time constants.
  const bool fixed = !entry.model.receptors.empty();
  population.synapse = fixed ? spiking::SynapseShape::model : spiking::SynapseShape::delta;
  population.receptors = fixed ? static_cast<std::int64_t>(entry.model.receptors.size()) : 1;
  spiking::set_defaults(population, preset);
  apply(settings, population);
  check(neuron);
  neuron.is_random = spiking::Dynamics(population, neuron.dt_ms).is_random();
  return neuron;
}

double parse_current(const Neuron& neuron, std::string_view text, std::string_view what) {
  const double current = quantity(text, neuron.current_unit(), what);
  require(std::abs(current) <= kStrongest, ErrorKind::config,
          "{}: '{}' is too large. Give {} to {}", what, text, -kStrongest, kStrongest);
  return current;
}

std::vector<double> parse_currents(const Neuron& neuron, std::string_view text,
                                   std::string_view what) {
  std::vector<double> currents;
  const std::vector<std::string_view> range = split(text, ':');
  if (range.size() == 1) {
    for (const std::string_view word : split(text, ',')) {
      currents.push_back(parse_current(neuron, word, what));
    }
    return currents;
  }
  require(range.size() == 3, ErrorKind::config,
          "{}: '{}' is no range. Give LOW:HIGH:COUNT, such as 0:500:26", what, text);
  const double low = parse_current(neuron, range[0], what);
  const double high = parse_current(neuron, range[1], what);
  const double count = quantity(range[2], "1", what);
  require(count >= 2 && count <= kMostCurrents && count == std::floor(count), ErrorKind::config,
          "{}: '{}' has {} currents. Give 2 to {}", what, text, range[2], kMostCurrents);
  for (double at = 0; at < count; ++at) {
    currents.push_back(low + (high - low) * at / (count - 1));
  }
  return currents;
}

}  // namespace afterspike::single_neuron
