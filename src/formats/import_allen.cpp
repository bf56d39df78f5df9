// The Allen Institute's neuron_config.json as neurons of ours.

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/importer.hpp"
#include "allen.hpp"
#include "nest.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using spiking::Population;

constexpr const char* kDynamics = "threshold_dynamics_method";

struct BmtkTemplate {
  std::string_view name, level;
};
constexpr std::array kBmtkTemplates = {BmtkTemplate{"nest:glif_lif_psc", "glif1"},
                                       BmtkTemplate{"nest:glif_lif_r_psc", "glif2"},
                                       BmtkTemplate{"nest:glif_lif_asc_psc", "glif3"},
                                       BmtkTemplate{"nest:glif_lif_r_asc_psc", "glif4"},
                                       BmtkTemplate{"nest:glif_lif_r_asc_a_psc", "glif5"}};

/// A neuron_config.json that is read.
class Config {
 public:
  explicit Config(const fs::path& path)
      : Config(fmt::format("'{}'", path.string()), io::read_json(path, ErrorKind::data)) {}
  Config(std::string where, io::Json content)
      : where_(std::move(where)), content_(std::move(content)) {}

  Population population(const std::string& name) const;
  double dt_ms() const { return get<double>("dt") * kMilli; }
  bool rests_at_reference() const { return get<double>("El") == 0; }

 private:
  template <typename T>
  T get(const char* key) const {
    return io::member<T>(content_, key, where_, ErrorKind::data);
  }
  double coefficient(const char* key) const {
    return io::member<double>(get<io::Json>("coeffs"), key, where_ + ": 'coeffs'", ErrorKind::data);
  }
  std::string method_name(const char* key) const {
    return io::member<std::string>(get<io::Json>(key), "name", where_, ErrorKind::data);
  }
  template <typename T>
  T parameter(const char* method_key, const char* key) const {
    const std::string where = fmt::format("{}: '{}'", where_, method_key);
    const auto parameters =
        io::member<io::Json>(get<io::Json>(method_key), "params", where, ErrorKind::data);
    return io::member<T>(parameters, key, where, ErrorKind::data);
  }
  std::string level() const;
  /// A reset that depends on the voltage may come with a threshold that no spike moves.
  bool threshold_moves() const { return method_name(kDynamics) != "inf"; }
  void check_rules() const;
  void put_membrane(Population& population) const;
  void put_threshold(Population& population, const spiking::Model& model) const;
  void put_currents(Population& population) const;

  std::string where_;
  io::Json content_;
};

std::string Config::level() const {
  const std::string reset = method_name("voltage_reset_method"), threshold = method_name(kDynamics),
                    currents = method_name("AScurrent_dynamics_method");
  const bool has_reset = reset == "v_before", has_currents = currents == "exp";
  const bool known =
      (has_reset || reset == "zero") && (has_currents || currents == "none") &&
      (threshold == "inf" ||
       (has_reset && (threshold == "spike_component" || threshold == "three_components_exact")));
  const bool adapts = threshold == "three_components_exact";
  require(known && (!adapts || has_currents), ErrorKind::data,
          "{}: voltage_reset_method '{}', threshold_dynamics_method '{}' and"
          " AScurrent_dynamics_method '{}' are no level of GLIF",
          where_, reset, threshold, currents);
  if (adapts) return "glif5";
  if (has_reset) return has_currents ? "glif4" : "glif2";
  return has_currents ? "glif3" : "glif1";
}

/// Rejects rules that would be read differently than AllenSDK reads them.
void Config::check_rules() const {
  const auto expect = [&](const char* key, std::initializer_list<std::string_view> names) {
    const std::string name = method_name(key);
    require(std::find(names.begin(), names.end(), name) != names.end(), ErrorKind::data,
            "{}: found {} '{}', expected {}", where_, key, name, fmt::join(names, " or "));
  };
  expect("voltage_dynamics_method", {"linear_forward_euler", "linear_exact"});
  const bool has_currents = method_name("AScurrent_dynamics_method") == "exp";
  expect("threshold_reset_method", {threshold_moves() ? "three_components" : "inf"});
  if (has_currents) expect("AScurrent_reset_method", {"sum"});
  if (threshold_moves()) {
    for (const char* key : {"a_spike", "b_spike"}) {
      const auto dynamics = parameter<double>(kDynamics, key),
                 reset = parameter<double>("threshold_reset_method", key);
      require(dynamics == reset, ErrorKind::data,
              "{}: '{}': found {} for the dynamics of the threshold and {} for its reset, expected"
              " one value",
              where_, key, dynamics, reset);
    }
  }
  for (const double current : get<std::vector<double>>("init_AScurrents")) {
    require(current == 0 || !has_currents, ErrorKind::data,
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

void Config::put_threshold(Population& population, const spiking::Model& model) const {
  if (!model.leaky->spike_threshold) return;
  const bool moves = threshold_moves();
  population.columns["threshold_spike_add"] = {
      moves ? parameter<double>(kDynamics, "a_spike") * kMilli : 0};
  population.columns["threshold_spike_decay"] = {
      moves ? parameter<double>(kDynamics, "b_spike") / kMilli : 1};
  // a and b count from El_reference, ours from the resting potential, which lies El above.
  const auto a = parameter<double>("voltage_reset_method", "a"),
             b = parameter<double>("voltage_reset_method", "b");
  population.columns["reset_fraction"] = {a};
  population.columns["reset_add"] = {(b + (a - 1) * get<double>("El")) * kMilli};
  if (!model.leaky->voltage_threshold) return;
  population.columns["threshold_voltage_index"] = {
      coefficient("a") * parameter<double>(kDynamics, "a_voltage") / kMilli};
  population.columns["threshold_voltage_decay"] = {
      coefficient("b") * parameter<double>(kDynamics, "b_voltage") / kMilli};
}

void Config::put_currents(Population& population) const {
  using List = std::vector<double>;
  const List taus = get<List>("asc_tau_array"), amps = get<List>("asc_amp_array");
  const List factors = io::member<List>(get<io::Json>("coeffs"), "asc_amp_array",
                                        where_ + ": 'coeffs'", ErrorKind::data);
  const List multipliers = parameter<List>("AScurrent_reset_method", "r");
  require(amps.size() == taus.size() && factors.size() == taus.size() &&
              multipliers.size() == taus.size(),
          ErrorKind::data,
          "{}: expected as many amplitudes, their coeffs and r as asc_tau_array has, {}", where_,
          taus.size());
  for (std::size_t j = 0; j < taus.size(); ++j) {
    population.columns["after_spike_decay"].push_back(1 / (taus[j] * kMilli));
    population.columns["after_spike_amplitude"].push_back(amps[j] * factors[j] * kPico);
    population.columns["after_spike_multiplier"].push_back(multipliers[j]);
  }
}

Population Config::population(const std::string& name) const {
  require(get<std::string>("type") == "GLIF", ErrorKind::data, "{}: found type '{}', expected GLIF",
          where_, get<std::string>("type"));
  Population population;
  population.name = name;
  population.model = level();
  check_rules();
  population.size = 1;
  give_bmtk_synapses(population);
  put_membrane(population);
  const spiking::Model& model = spiking::model(population.model);
  put_threshold(population, model);
  if (model.leaky->after_spike_currents) put_currents(population);
  return population;
}

/// "hidden_3" of "hidden_3_neuron_config.json", "cell" of "cell/neuron_config.json".
std::string cell_name(const fs::path& path) {
  const std::string file = path.filename().string(), end = "_" + std::string(kAllenConfig);
  std::string name = path.stem().string();
  if (file == kAllenConfig) {
    name = fs::absolute(path).lexically_normal().parent_path().filename().string();
  } else if (file.ends_with(end)) {
    name = file.substr(0, file.size() - end.size());
  }
  return name.empty() ? "neurons" : name;
}

/// The number of digits from `at` on.
std::size_t digits(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  return end - at;
}

/// "cell_2" before "cell_10": what are digits is compared as numbers, all else as letters.
bool comes_before(std::string_view one, std::string_view other) {
  std::size_t a = 0, b = 0;
  while (a < one.size() && b < other.size()) {
    std::size_t own = digits(one, a), its = digits(other, b);
    if (own == 0 || its == 0) {
      if (one[a] != other[b]) return one[a] < other[b];
      ++a, ++b;
      continue;
    }
    for (; own > 1 && one[a] == '0'; --own) ++a;
    for (; its > 1 && other[b] == '0'; --its) ++b;
    if (own != its) return own < its;
    const int order = one.substr(a, own).compare(other.substr(b, its));
    if (order != 0) return order < 0;
    a += own, b += its;
  }
  if (a < one.size() || b < other.size()) return b < other.size();
  return one < other;  // "1" and "01" are one number.
}

}  // namespace

std::vector<fs::path> allen_configs(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().ends_with(kAllenConfig)) files.push_back(entry->path());
  }
  require(!error, ErrorKind::data, "'{}': expected a directory that can be read: {}",
          directory.string(), error.message());
  std::sort(files.begin(), files.end(), [](const fs::path& one, const fs::path& other) {
    return comes_before(one.filename().string(), other.filename().string());
  });
  return files;
}

namespace {

/// A neuron of a file, and the name that its population should have.
struct FileCell {
  std::string name, where;
  io::Json content;
};

/// Whether an object is a neuron_config.json, or parameters of NEST's glif_psc.
bool is_allen_cell(const io::Json& content) {
  return content.is_object() && (content.contains("type") || content.contains("El_reference"));
}
bool is_nest_cell(const io::Json& content) {
  return content.is_object() && (content.contains("V_th") || content.contains("asc_decay") ||
                                 content.contains("spike_dependent_threshold"));
}

/// The neurons of a file: one, or several by id or in a list.
std::vector<FileCell> file_cells(const fs::path& path) {
  const io::Json content = io::read_json(path, ErrorKind::data);
  const std::string where = fmt::format("'{}'", path.string());
  if (is_allen_cell(content) || is_nest_cell(content)) return {{cell_name(path), where, content}};
  std::vector<FileCell> cells;
  for (const auto& [key, cell] : content.items()) {
    if (!is_allen_cell(cell) && !is_nest_cell(cell)) {
      cells.clear();
      break;
    }
    const std::string name =
        content.is_array() ? fmt::format("{}_{}", cell_name(path), cells.size()) : key;
    cells.push_back({name, fmt::format("{}: cell '{}'", where, key), cell});
  }
  require(!cells.empty(), ErrorKind::data,
          "{}: member 'type' is missing; expected a neuron_config.json of the Allen Institute, an"
          " object or list of several, or parameters of NEST's glif_psc",
          where);
  return cells;
}

/// Adds the neuron as a population. Files of NEST have no time step.
void add_cell(const FileCell& cell, spiking::Network& network, std::optional<double>& dt_ms) {
  if (!is_allen_cell(cell.content)) {
    Population population;
    population.name = cell.name;
    population.model = nest_level(cell.content, cell.where);
    append_nest_neuron(population, cell.content, cell.where);
    finish_nest_population(population);
    network.populations.push_back(std::move(population));
    return;
  }
  const Config config(cell.where, cell.content);
  network.populations.push_back(config.population(cell.name));
  if (!dt_ms) network.time_step_ms = *(dt_ms = config.dt_ms());
  require(config.dt_ms() == *dt_ms, ErrorKind::data,
          "{}: found a step (dt) of {} ms, expected {} ms, as the first file has", cell.where,
          config.dt_ms(), *dt_ms);
}

}  // namespace

spiking::Network import_allen(const std::vector<fs::path>& paths) {
  spiking::Network network;
  std::set<std::string> names;
  std::optional<double> dt_ms;
  for (const fs::path& path : paths) {
    for (FileCell cell : file_cells(path)) {
      const std::string base = cell.name;
      for (int copy = 2; !names.insert(cell.name).second; ++copy) {
        cell.name = fmt::format("{}_{}", base, copy);
      }
      add_cell(cell, network, dt_ms);
    }
  }
  network.provenance["source"] = "allen";
  validate(network);
  return network;
}

std::optional<std::string> bmtk_level(std::string_view model_template) {
  for (const BmtkTemplate& each : kBmtkTemplates) {
    if (each.name == model_template) return std::string(each.level);
  }
  return std::nullopt;
}

std::string bmtk_templates() {
  std::string list;
  for (const BmtkTemplate& each : kBmtkTemplates) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", each.name);
  }
  return list;
}

Population import_bmtk_neuron(const fs::path& path, const std::string& level) {
  const Config config(path);
  Population neuron = config.population(cell_name(path));
  require(neuron.model == level, ErrorKind::data,
          "'{}': found methods of {}, expected those of {}, by the template that the file is named"
          " with",
          path.string(), neuron.model, level);
  const bool has_rule = neuron.columns.contains("reset_fraction");
  require(!has_rule || config.rests_at_reference(), ErrorKind::data,
          "'{}': found El other than 0, expected 0: BMTK lets a reset of method v_before count from"
          " rest",
          path.string());
  if (!spiking::model(level).leaky->after_spike_currents) return neuron;
  for (const double multiplier : neuron.column("after_spike_multiplier")) {
    require(multiplier == 1, ErrorKind::data,
            "'{}': found r of AScurrent_reset_method {}, expected 1, which BMTK takes whatever the"
            " file says",
            path.string(), multiplier);
  }
  return neuron;
}

}  // namespace afterspike::formats
