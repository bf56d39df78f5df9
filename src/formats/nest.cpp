#include "nest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::formats {
namespace {

struct Flag {
  const char* name;
  bool spiking::LeakyMechanisms::*mechanism;
};
constexpr std::array kFlags = {
    Flag{"spike_dependent_threshold", &spiking::LeakyMechanisms::spike_threshold},
    Flag{"after_spike_currents", &spiking::LeakyMechanisms::after_spike_currents},
    Flag{"adapting_threshold", &spiking::LeakyMechanisms::voltage_threshold}};

constexpr const char* kConstantCurrent = "constant_current";

/// State that NEST may start from, and our neurons from 0 only. "asc_init", of which it takes no
/// notice, may say anything.
struct StateMember {
  const char *name, *unit;
};
constexpr std::array kState = {StateMember{"ASCurrents", "pA"},
                               StateMember{"threshold_spike", "mV"},
                               StateMember{"threshold_voltage", "mV"}};

/// NEST's defaults by name of parameter (models/glif_psc.cpp).
constexpr std::array<std::pair<std::string_view, double>, 12> kGlifDefaults = {
    {{"C_m", 58.72},
     {"g", 9.43},
     {"E_L", -78.85},
     {"V_th", -51.68},
     {"V_reset", -78.85},
     {"t_ref", 3.75},
     {"th_spike_add", 0.37},
     {"th_spike_decay", 0.009},
     {"voltage_reset_fraction", 0.20},
     {"voltage_reset_add", 18.51},
     {"th_voltage_index", 0.005},
     {"th_voltage_decay", 0.09}}};

/// The same of iaf_psc_alpha, iaf_psc_exp and iaf_psc_delta.
constexpr std::array<std::pair<std::string_view, double>, 9> kIafDefaults = {{{"C_m", 250},
                                                                              {"tau_m", 10},
                                                                              {"E_L", -70},
                                                                              {"V_th", -55},
                                                                              {"V_reset", -70},
                                                                              {"t_ref", 2},
                                                                              {"I_e", 0},
                                                                              {"tau_syn_ex", 2},
                                                                              {"tau_syn_in", 2}}};

template <typename T>
T member_or(const io::Json& parameters, std::string_view name, T fallback,
            const std::string& where) {
  if (!parameters.contains(name)) return fallback;
  return io::member<T>(parameters, name, where, ErrorKind::data);
}

/// A parameter of a neuron, or its default. V_m defaults to E_L.
double value_or_default(const io::Json& parameters, std::string_view name,
                        std::span<const std::pair<std::string_view, double>> defaults,
                        const std::string& where) {
  if (name == "V_m" && !parameters.contains(name)) name = "E_L";
  const auto found = std::find_if(defaults.begin(), defaults.end(),
                                  [&](const auto& each) { return each.first == name; });
  return member_or<double>(parameters, name, found == defaults.end() ? 0 : found->second, where);
}

/// A list of values, one for each after-spike current, or its default.
std::vector<double> current_values(const io::Json& parameters, std::string_view name,
                                   std::size_t currents, const std::string& where) {
  using List = std::vector<double>;
  const List fallback = name == "asc_decay"  ? List{0.003, 0.1}
                        : name == "asc_amps" ? List{-9.18, -198.94}
                                             : List(currents, 1.0);
  return member_or<List>(parameters, name, fallback, where);
}

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

io::Json nest_parameters(const spiking::Population& population, std::int64_t neuron) {
  const spiking::Model& model = spiking::model(population.model);
  io::Json parameters = io::Json::object();
  const auto value = [&](const std::vector<double>& values, std::int64_t row) {
    return values[static_cast<std::size_t>(row * population.size + neuron)];
  };
  for (const spiking::Parameter& column : model.parameters) {
    if (column.name == kConstantCurrent) continue;
    const std::vector<double>& values = population.columns.at(std::string(column.name));
    io::Json& entry = parameters[std::string(column.symbol)];
    if (column.extent == spiking::Extent::neuron) {
      entry = value(values, 0);
      continue;
    }
    entry = io::Json::array();
    for (std::int64_t j = 0; j < population.currents(); ++j) entry.push_back(value(values, j));
  }
  for (const Flag& flag : kFlags) parameters[flag.name] = (*model.leaky).*flag.mechanism;
  if (model.leaky->after_spike_currents) {
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
    const spiking::Model& model = spiking::model(level);
    bool same = true;
    for (const Flag& flag : kFlags) {
      same =
          same && member_or(parameters, flag.name, false, where) == (*model.leaky).*flag.mechanism;
    }
    if (same) return level;
  }
  fail(ErrorKind::data, "{}: its three flags are none of GLIF1 to GLIF5", where);
}

void append_nest_neuron(spiking::Population& population, const io::Json& parameters,
                        const std::string& where) {
  using List = std::vector<double>;
  const spiking::Model& model = spiking::model(population.model);
  std::size_t currents = 0;
  if (model.leaky->after_spike_currents) {
    currents = current_values(parameters, "asc_decay", 0, where).size();
    const auto first = static_cast<std::size_t>(population.currents());
    require(population.size == 0 || currents == first, ErrorKind::data,
            "{}: member 'asc_decay': found {} values, expected {}, as the first has", where,
            currents, first);
  }
  require_state_of_zero(parameters, where);
  for (const spiking::Parameter& column : model.parameters) {
    List& values = population.columns[std::string(column.name)];
    if (column.name == kConstantCurrent) {
      values.push_back(0);
    } else if (column.extent == spiking::Extent::neuron) {
      values.push_back(value_or_default(parameters, column.symbol, kGlifDefaults, where));
    } else {
      const List own = current_values(parameters, column.symbol, currents, where);
      require(own.size() == currents, ErrorKind::data,
              "{}: member '{}': found {} values, expected {}", where, column.symbol, own.size(),
              currents);
      values.insert(values.end(), own.begin(), own.end());
    }
  }
  const List synapses = member_or<List>(parameters, "tau_syn", {2}, where);
  if (population.size == 0) population.receptors = static_cast<std::int64_t>(synapses.size());
  require(static_cast<std::int64_t>(synapses.size()) == population.receptors, ErrorKind::data,
          "{}: member 'tau_syn': found {} values, expected {}, as the first has", where,
          synapses.size(), population.receptors);
  population.synapse_time_constants_ms.insert(population.synapse_time_constants_ms.end(),
                                              synapses.begin(), synapses.end());
  population.synapse = spiking::SynapseShape::alpha;
  ++population.size;
}

bool is_iaf(std::string_view model) {
  return model == "iaf_psc_alpha" || model == "iaf_psc_exp" || model == "iaf_psc_delta";
}

void append_iaf_neuron(spiking::Population& population, std::string_view model,
                       const io::Json& parameters, const std::string& where) {
  const auto refuse = [&](const char* name, bool is_set) {
    require(!is_set, ErrorKind::data, "{}: member '{}': found {}, which model lif does not have",
            where, name, is_set ? parameters.at(name).dump() : "");
  };
  refuse("V_min", parameters.contains("V_min") && !parameters.at("V_min").is_null());
  refuse("delta", member_or(parameters, "delta", 0.0, where) != 0);
  refuse("refractory_input", member_or(parameters, "refractory_input", false, where));
  const auto value = [&](std::string_view name) {
    return value_or_default(parameters, name, kIafDefaults, where);
  };
  for (const spiking::Parameter& column : spiking::model(population.model).parameters) {
    population.columns[std::string(column.name)].push_back(value(column.symbol));
  }
  ++population.size;
  population.receptors = 1;
  population.synapse = spiking::SynapseShape::delta;
  if (model == "iaf_psc_delta") return;
  population.receptors = 2;
  population.synapse =
      model == "iaf_psc_exp" ? spiking::SynapseShape::exponential : spiking::SynapseShape::alpha;
  for (const char* name : {"tau_syn_ex", "tau_syn_in"}) {
    population.synapse_time_constants_ms.push_back(value(name));
  }
}

void finish_nest_population(spiking::Population& population) {
  transpose(population.synapse_time_constants_ms, population.size);
  for (const spiking::Parameter& column : spiking::model(population.model).parameters) {
    auto& values = population.columns.at(std::string(column.name));
    if (column.extent == spiking::Extent::current && !values.empty())
      transpose(values, population.size);
  }
}

}  // namespace afterspike::formats
