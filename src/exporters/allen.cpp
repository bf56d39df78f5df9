#include "allen.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/exporters/importer.hpp"

namespace afterspike::exporters {
namespace {

namespace fs = std::filesystem;

using glifnet::Population;

constexpr ErrorKind kKind = ErrorKind::data;
constexpr std::string_view kFile = "neuron_config.json";

// What a SI unit is in ours.
constexpr double kMilli = 1e3, kPico = 1e12, kNano = 1e9, kGiga = 1e-9;

constexpr std::array kBmtkSynapses_ms = {5.5, 8.5, 2.8, 5.8};

io::Json method(const char* name, io::Json parameters = io::Json::object()) {
  return {{"name", name}, {"params", std::move(parameters)}};
}

/// A neuron's values by column.
class Values {
 public:
  Values(const Population& population, std::int64_t neuron)
      : population_(population), neuron_(neuron) {}

  double operator()(const char* column, std::int64_t current = 0) const {
    return population_.column(
        column)[static_cast<std::size_t>(current * population_.size + neuron_)];
  }
  std::int64_t currents() const { return population_.currents(); }

 private:
  const Population& population_;
  std::int64_t neuron_;
};

/// What is the same for all neurons.
io::Json frame(double dt_ms, std::int64_t currents) {
  return {{"type", "GLIF"},
          {"El", 0.0},
          {"El_reference", 0.0},
          {"dt", dt_ms / kMilli},
          {"dt_multiplier", 1},
          {"th_adapt", nullptr},
          {"init_voltage", 0.0},
          {"init_AScurrents", std::vector<double>(static_cast<std::size_t>(currents), 0.0)},
          {"extrapolation_method_name", "endpoints"},
          {"voltage_dynamics_method", method("linear_forward_euler")},
          {"coeffs",
           {{"th_inf", 1.0},
            {"C", 1.0},
            {"G", 1.0},
            {"a", 1.0},
            {"b", 1.0},
            {"asc_amp_array", std::vector<double>(static_cast<std::size_t>(currents), 1.0)}}}};
}

void put_currents(io::Json& config, const std::vector<double>& taus,
                  const std::vector<double>& amps, const std::vector<double>& multipliers) {
  const bool any = !taus.empty();
  config["asc_tau_array"] = taus;
  config["asc_amp_array"] = amps;
  config["AScurrent_dynamics_method"] = method(any ? "exp" : "none");
  config["AScurrent_reset_method"] = any ? method("sum", {{"r", multipliers}}) : method("none");
}

/// AllenSDK's voltage takes the current before it decays, and its reset acts before the leak of the
/// step: what GLIFR does in a step, in another order.
io::Json glifr_config(const Values& value, double dt) {
  io::Json config = frame(dt, value.currents());
  const double keep = 1 - dt * value("membrane_decay"), fraction = value("spike_fraction");
  config["R_input"] = value("resistance") / kGiga;
  config["C"] = 1 / (value("resistance") * value("membrane_decay")) / kPico;
  config["th_inf"] = config["init_threshold"] = value("threshold") / kMilli;
  config["spike_cut_length"] = 0;
  config["threshold_dynamics_method"] = method("inf");
  config["threshold_reset_method"] = method("inf");
  config["voltage_reset_method"] =
      method("v_before",
             {{"a", (keep - fraction) / keep}, {"b", fraction * value("reset") / keep / kMilli}});
  std::vector<double> taus, amps, multipliers;
  for (std::int64_t j = 0; j < value.currents(); ++j) {
    const double own = 1 - dt * value("after_spike_decay", j);
    taus.push_back(-dt / std::log(own) / kMilli);
    amps.push_back(fraction * value("after_spike_additive", j) / kPico);
    multipliers.push_back((own + fraction * value("after_spike_multiplicative", j)) / own);
  }
  put_currents(config, taus, amps, multipliers);
  return config;
}

io::Json glif_config(const Values& value, const glifnet::Model& model, double dt) {
  io::Json config = frame(dt, value.currents());
  // Method 'zero' resets to El_reference; 'v_before' is relative to rest.
  const double reference = model.spike_threshold ? value("resting_potential") : value("reset");
  config["El_reference"] = reference / kMilli;
  config["El"] = (value("resting_potential") - reference) / kMilli;
  config["init_voltage"] = (value("initial_potential") - reference) / kMilli;
  config["R_input"] = kNano / value("conductance");
  config["C"] = value("capacitance") / kPico;
  config["th_inf"] = config["init_threshold"] = (value("threshold") - reference) / kMilli;
  config["spike_cut_length"] = std::llround(value("refractory") / dt);
  config["voltage_reset_method"] = method("zero");
  config["threshold_dynamics_method"] = method("inf");
  config["threshold_reset_method"] = method("inf");
  if (model.spike_threshold) {
    config["voltage_reset_method"] =
        method("v_before", {{"a", value("reset_fraction")}, {"b", value("reset_add") / kMilli}});
    const double jump = value("threshold_spike_add") / kMilli,
                 decay = value("threshold_spike_decay") * kMilli;
    io::Json parameters = {{"a_spike", jump}, {"b_spike", decay}};
    config["threshold_reset_method"] = method("three_components", parameters);
    if (model.voltage_threshold) {
      parameters["a_voltage"] = value("threshold_voltage_index") * kMilli;
      parameters["b_voltage"] = value("threshold_voltage_decay") * kMilli;
    }
    config["threshold_dynamics_method"] =
        method(model.voltage_threshold ? "three_components_exact" : "spike_component", parameters);
  }
  std::vector<double> taus, amps, multipliers;
  for (std::int64_t j = 0; j < value.currents(); ++j) {
    taus.push_back(1 / value("after_spike_decay", j) / kMilli);
    amps.push_back(value("after_spike_amplitude", j) / kPico);
    multipliers.push_back(value("after_spike_multiplier", j));
  }
  put_currents(config, taus, amps, multipliers);
  return config;
}

/// A neuron_config.json that is read.
class Config {
 public:
  explicit Config(const fs::path& path)
      : where_(fmt::format("'{}'", path.string())), content_(io::read_json(path, kKind)) {}

  Population population(const std::string& name) const;
  double dt_ms() const { return get<double>("dt") * kMilli; }

 private:
  template <typename T>
  T get(const char* key) const {
    return io::member<T>(content_, key, where_, kKind);
  }
  double coefficient(const char* key) const {
    return io::member<double>(get<io::Json>("coeffs"), key, where_ + ": 'coeffs'", kKind);
  }
  std::string method_name(const char* key) const {
    return io::member<std::string>(get<io::Json>(key), "name", where_, kKind);
  }
  template <typename T>
  T parameter(const char* method_key, const char* key) const {
    const std::string where = fmt::format("{}: '{}'", where_, method_key);
    const auto parameters = io::member<io::Json>(get<io::Json>(method_key), "params", where, kKind);
    return io::member<T>(parameters, key, where, kKind);
  }
  std::string level() const;
  void check_rules() const;
  void put_membrane(Population& population) const;
  void put_threshold(Population& population, const glifnet::Model& model) const;
  void put_currents(Population& population) const;

  std::string where_;
  io::Json content_;
};

std::string Config::level() const {
  const std::string reset = method_name("voltage_reset_method"),
                    threshold = method_name("threshold_dynamics_method"),
                    currents = method_name("AScurrent_dynamics_method");
  const bool has_reset = reset == "v_before", has_currents = currents == "exp";
  const bool known =
      (has_reset || reset == "zero") && (has_currents || currents == "none") &&
      (threshold == "inf" ||
       (has_reset && (threshold == "spike_component" || threshold == "three_components_exact")));
  const bool adapts = threshold == "three_components_exact";
  require(known && (!adapts || has_currents), kKind,
          "{}: voltage_reset_method '{}', threshold_dynamics_method '{}' and"
          " AScurrent_dynamics_method '{}' are no level of GLIF",
          where_, reset, threshold, currents);
  if (adapts) return "glif5";
  if (has_reset) return has_currents ? "glif4" : "glif2";
  return has_currents ? "glif3" : "glif1";
}

/// What would be read as something else than AllenSDK makes of it.
void Config::check_rules() const {
  const auto expect = [&](const char* key, std::initializer_list<std::string_view> names) {
    const std::string name = method_name(key);
    require(std::find(names.begin(), names.end(), name) != names.end(), kKind,
            "{}: found {} '{}', expected {}", where_, key, name, fmt::join(names, " or "));
  };
  expect("voltage_dynamics_method", {"linear_forward_euler", "linear_exact"});
  const bool moves = method_name("threshold_dynamics_method") != "inf",
             has_currents = method_name("AScurrent_dynamics_method") == "exp";
  expect("threshold_reset_method", {moves ? "three_components" : "inf"});
  if (has_currents) expect("AScurrent_reset_method", {"sum"});
  if (moves) {
    for (const char* key : {"a_spike", "b_spike"}) {
      const auto dynamics = parameter<double>("threshold_dynamics_method", key),
                 reset = parameter<double>("threshold_reset_method", key);
      require(dynamics == reset, kKind,
              "{}: '{}': found {} for the dynamics of the threshold and {} for its reset, expected"
              " one value",
              where_, key, dynamics, reset);
    }
  }
  for (const double current : get<std::vector<double>>("init_AScurrents")) {
    require(current == 0 || !has_currents, kKind,
            "{}: 'init_AScurrents': found {} A, expected 0: after-spike currents start from 0 here",
            where_, current);
  }
}

void Config::put_membrane(Population& population) const {
  const double reference = get<double>("El_reference") * kMilli;
  const double rest = get<double>("El") * kMilli + reference;
  population.columns["capacitance"] = {coefficient("C") * get<double>("C") * kPico};
  population.columns["conductance"] = {coefficient("G") / get<double>("R_input") * kNano};
  population.columns["resting_potential"] = {rest};
  population.columns["threshold"] = {coefficient("th_inf") * get<double>("th_inf") * kMilli +
                                     reference};
  population.columns["reset"] = {reference};
  population.columns["refractory"] = {get<double>("spike_cut_length") * get<double>("dt") * kMilli};
  population.columns["constant_current"] = {0};
  population.columns["initial_potential"] = {get<double>("init_voltage") * kMilli + reference};
}

void Config::put_threshold(Population& population, const glifnet::Model& model) const {
  constexpr const char* kDynamics = "threshold_dynamics_method";
  if (!model.spike_threshold) return;
  // A reset that depends on the voltage may come with a threshold that no spike moves.
  const bool moves = method_name(kDynamics) != "inf";
  population.columns["threshold_spike_add"] = {
      moves ? parameter<double>(kDynamics, "a_spike") * kMilli : 0};
  population.columns["threshold_spike_decay"] = {
      moves ? parameter<double>(kDynamics, "b_spike") / kMilli : 1};
  population.columns["reset_fraction"] = {parameter<double>("voltage_reset_method", "a")};
  population.columns["reset_add"] = {parameter<double>("voltage_reset_method", "b") * kMilli};
  if (!model.voltage_threshold) return;
  population.columns["threshold_voltage_index"] = {
      coefficient("a") * parameter<double>(kDynamics, "a_voltage") / kMilli};
  population.columns["threshold_voltage_decay"] = {
      coefficient("b") * parameter<double>(kDynamics, "b_voltage") / kMilli};
}

void Config::put_currents(Population& population) const {
  using List = std::vector<double>;
  const List taus = get<List>("asc_tau_array"), amps = get<List>("asc_amp_array");
  const List factors =
      io::member<List>(get<io::Json>("coeffs"), "asc_amp_array", where_ + ": 'coeffs'", kKind);
  const List multipliers = parameter<List>("AScurrent_reset_method", "r");
  require(amps.size() == taus.size() && factors.size() == taus.size() &&
              multipliers.size() == taus.size(),
          kKind, "{}: expected as many amplitudes, their coeffs and r as asc_tau_array has, {}",
          where_, taus.size());
  for (std::size_t j = 0; j < taus.size(); ++j) {
    population.columns["after_spike_decay"].push_back(1 / (taus[j] * kMilli));
    population.columns["after_spike_amplitude"].push_back(amps[j] * factors[j] * kPico);
    population.columns["after_spike_multiplier"].push_back(multipliers[j]);
  }
}

Population Config::population(const std::string& name) const {
  require(get<std::string>("type") == "GLIF", kKind, "{}: found type '{}', expected GLIF", where_,
          get<std::string>("type"));
  Population population;
  population.name = name;
  population.model = level();
  check_rules();
  population.size = 1;
  give_bmtk_synapses(population);
  put_membrane(population);
  const glifnet::Model& model = glifnet::model(population.model);
  put_threshold(population, model);
  if (model.after_spike_currents) put_currents(population);
  return population;
}

/// "hidden_3" of "hidden_3_neuron_config.json", "cell" of "cell/neuron_config.json".
std::string cell_name(const fs::path& path) {
  const std::string stem = path.filename() == kFile
                               ? fs::absolute(path).lexically_normal().parent_path().filename()
                               : path.stem();
  constexpr std::string_view kEnd = "_neuron_config";
  const std::string name = stem.ends_with(kEnd) ? stem.substr(0, stem.size() - kEnd.size()) : stem;
  return name.empty() ? "neurons" : name;
}

}  // namespace

void give_bmtk_synapses(Population& population) {
  population.synapse = glifnet::SynapseShape::alpha;
  population.receptors = static_cast<std::int64_t>(kBmtkSynapses_ms.size());
  population.synapse_time_constants_ms.clear();
  for (const double tau : kBmtkSynapses_ms) {
    population.synapse_time_constants_ms.insert(population.synapse_time_constants_ms.end(),
                                                static_cast<std::size_t>(population.size), tau);
  }
}

io::Json allen_config(const Population& population, std::int64_t neuron, double dt_ms) {
  const glifnet::Model& model = glifnet::model(population.model);
  const Values value(population, neuron);
  if (model.dynamics == glifnet::Dynamics::glifr) return glifr_config(value, dt_ms);
  return glif_config(value, model, dt_ms);
}

std::vector<fs::path> allen_configs(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().ends_with(kFile)) files.push_back(entry.path());
  }
  // "cell_2" before "cell_10".
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    const std::string one = a.string(), other = b.string();
    return std::tuple(one.size(), one) < std::tuple(other.size(), other);
  });
  return files;
}

glifnet::Network import_allen(const std::vector<fs::path>& paths) {
  glifnet::Network network;
  std::set<std::string> names;
  for (const fs::path& path : paths) {
    std::string name = cell_name(path);
    for (int copy = 2; !names.insert(name).second; ++copy) {
      name = fmt::format("{}_{}", cell_name(path), copy);
    }
    const Config config(path);
    network.populations.push_back(config.population(name));
    if (network.populations.size() == 1) network.time_step_ms = config.dt_ms();
    require(config.dt_ms() == network.time_step_ms, kKind,
            "'{}': found a step (dt) of {} ms, expected {} ms, as the first file has",
            path.string(), config.dt_ms(), network.time_step_ms);
  }
  network.provenance["source"] = "allen";
  validate(network);
  return network;
}

}  // namespace afterspike::exporters
