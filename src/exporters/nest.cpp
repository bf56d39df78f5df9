#include "nest.hpp"

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::exporters {
namespace {

struct Flag {
  const char* name;
  bool glifnet::Model::*mechanism;
};
constexpr std::array kFlags = {Flag{"spike_dependent_threshold", &glifnet::Model::spike_threshold},
                               Flag{"after_spike_currents", &glifnet::Model::after_spike_currents},
                               Flag{"adapting_threshold", &glifnet::Model::voltage_threshold}};

constexpr const char* kConstantCurrent = "constant_current";

/// State that NEST may start from, and our neurons from 0 only. "asc_init", of which it takes no
/// notice, may say anything.
struct StateMember {
  const char *name, *unit;
};
constexpr std::array kState = {StateMember{"ASCurrents", "pA"},
                               StateMember{"threshold_spike", "mV"},
                               StateMember{"threshold_voltage", "mV"}};

/// [values, size] from [size, values].
void transpose(std::vector<double>& values, std::int64_t size) {
  const auto rows = static_cast<std::size_t>(size), columns = values.size() / rows;
  std::vector<double> turned(values.size());
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      turned[column * rows + row] = values[row * columns + column];
    }
  }
  values = std::move(turned);
}

void require_state_of_zero(const io::Json& parameters, const std::string& where) {
  for (const StateMember& member : kState) {
    if (!parameters.contains(member.name)) continue;
    const io::Json& found = parameters.at(member.name);
    const io::Json all = found.is_array() ? found : io::Json::array({found});
    for (const io::Json& value : all) {
      require(value.is_number() && value.get<double>() == 0, ErrorKind::data,
              "{}: member '{}': found {} {}, expected 0: neurons start without it here", where,
              member.name, value.dump(), member.unit);
    }
  }
}

}  // namespace

io::Json nest_parameters(const glifnet::Population& population, std::int64_t neuron) {
  const glifnet::Model& model = glifnet::model(population.model);
  io::Json parameters = io::Json::object();
  const auto value = [&](const std::vector<double>& values, std::int64_t row) {
    return values[static_cast<std::size_t>(row * population.size + neuron)];
  };
  for (const glifnet::Column& column : model.columns) {
    if (column.name == kConstantCurrent) continue;
    const std::vector<double>& values = population.columns.at(std::string(column.name));
    io::Json& entry = parameters[std::string(column.symbol)];
    if (!column.per_current) {
      entry = value(values, 0);
      continue;
    }
    entry = io::Json::array();
    for (std::int64_t j = 0; j < population.currents(); ++j) entry.push_back(value(values, j));
  }
  for (const Flag& flag : kFlags) parameters[flag.name] = model.*flag.mechanism;
  if (model.after_spike_currents) {
    // Without them NEST has two, and refuses other lists of another length.
    const std::vector<double> none(static_cast<std::size_t>(population.currents()));
    for (const char* name : {"asc_init", "ASCurrents"}) parameters[name] = none;
  }
  io::Json& synapses = parameters["tau_syn"] = io::Json::array();
  for (std::int64_t receptor = 0; receptor < population.receptors; ++receptor) {
    synapses.push_back(value(population.synapse_time_constants_ms, receptor));
  }
  return parameters;
}

std::string nest_level(const io::Json& parameters, const std::string& where) {
  for (const char* level : {"glif1", "glif2", "glif3", "glif4", "glif5"}) {
    const glifnet::Model& model = glifnet::model(level);
    bool same = true;
    for (const Flag& flag : kFlags) {
      same = same && io::member<bool>(parameters, flag.name, where, ErrorKind::data) ==
                         model.*flag.mechanism;
    }
    if (same) return level;
  }
  fail(ErrorKind::data, "{}: its three flags are none of GLIF1 to GLIF5", where);
}

void append_nest_neuron(glifnet::Population& population, const io::Json& parameters,
                        const std::string& where) {
  using List = std::vector<double>;
  const glifnet::Model& model = glifnet::model(population.model);
  std::size_t currents = 0;
  if (model.after_spike_currents) {
    currents = io::member<List>(parameters, "asc_decay", where, ErrorKind::data).size();
    const auto first = static_cast<std::size_t>(population.currents());
    require(population.size == 0 || currents == first, ErrorKind::data,
            "{}: member 'asc_decay': found {} values, expected {}, as the first has", where,
            currents, first);
  }
  require_state_of_zero(parameters, where);
  for (const glifnet::Column& column : model.columns) {
    List& values = population.columns[std::string(column.name)];
    if (column.name == kConstantCurrent) {
      values.push_back(0);
    } else if (!column.per_current) {
      // A neuron that is not said to start elsewhere starts from rest.
      const bool start = column.name == "initial_potential" && !parameters.contains("V_m");
      values.push_back(
          io::member<double>(parameters, start ? "E_L" : column.symbol, where, ErrorKind::data));
    } else {
      const List own = io::member<List>(parameters, column.symbol, where, ErrorKind::data);
      require(own.size() == currents, ErrorKind::data,
              "{}: member '{}': found {} values, expected {}", where, column.symbol, own.size(),
              currents);
      values.insert(values.end(), own.begin(), own.end());
    }
  }
  const List synapses = io::member<List>(parameters, "tau_syn", where, ErrorKind::data);
  if (population.size == 0) population.receptors = static_cast<std::int64_t>(synapses.size());
  require(static_cast<std::int64_t>(synapses.size()) == population.receptors, ErrorKind::data,
          "{}: member 'tau_syn': found {} values, expected {}, as the first has", where,
          synapses.size(), population.receptors);
  population.synapse_time_constants_ms.insert(population.synapse_time_constants_ms.end(),
                                              synapses.begin(), synapses.end());
  population.synapse = glifnet::SynapseShape::alpha;
  ++population.size;
}

void finish_nest_population(glifnet::Population& population) {
  transpose(population.synapse_time_constants_ms, population.size);
  for (const glifnet::Column& column : glifnet::model(population.model).columns) {
    auto& values = population.columns.at(std::string(column.name));
    if (column.per_current && !values.empty()) transpose(values, population.size);
  }
}

}  // namespace afterspike::exporters
