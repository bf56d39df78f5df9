// NIR, the neuromorphic intermediate representation: what its primitives say of a network.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/formats/conversion.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/hdf5.hpp"
#include "rules.hpp"

namespace afterspike::formats {
namespace {

using spiking::Network;
using spiking::Population;
using spiking::Projection;
using spiking::SynapseShape;

constexpr double kSeconds = 1e-3;  // In a ms: every reader takes seconds.

constexpr const char* kKept = "none; it is in the metadata";

/// Removes columns of a population and counts their values.
void leave_out(Population& population, const char* what, const char* replacement,
               const std::vector<std::string>& columns, std::vector<Deviation>& deviations) {
  Deviation deviation{what, replacement, population.name, {}, 0};
  for (const std::string& column : columns) {
    deviation.values += static_cast<std::int64_t>(population.columns.at(column).size());
    population.columns.erase(column);
  }
  if (deviation.values > 0) deviations.push_back(std::move(deviation));
}

/// Reduces neurons to leaky membranes with a fixed threshold and reset.
void leave_out_mechanisms(Population& population, std::vector<Deviation>& deviations) {
  const spiking::Model& model = spiking::model(population.model);
  require(model.leaky && model.receptors.empty(), ErrorKind::config,
          "population '{}': NIR has no model '{}'; expected lif, glif1 to glif5 or glifr",
          population.name, population.model);
  if (model.leaky->after_spike_currents) {
    leave_out(population, "after-spike currents", "none; they are in the metadata",
              {"after_spike_decay", "after_spike_amplitude", "after_spike_multiplier"}, deviations);
  }
  if (model.leaky->spike_threshold) {
    leave_out(population, "a threshold that spikes move, and a reset that depends on the voltage",
              "V_reset; they are in the metadata",
              {"threshold_spike_add", "threshold_spike_decay", "reset_fraction", "reset_add"},
              deviations);
  }
  if (model.leaky->voltage_threshold) {
    leave_out(population, "a threshold that follows the voltage", kKept,
              {"threshold_voltage_index", "threshold_voltage_decay"}, deviations);
  }
  if (population.model != "lif") population.model = "glif1";
  change_column(
      population, "refractory", "a refractory period", kKept,
      [](double& value, std::size_t) { return std::exchange(value, 0.0) != 0; }, deviations);
  const std::vector<double> rest = population.columns.at("resting_potential");
  change_column(
      population, "initial_potential", "a start from elsewhere than the resting potential",
      "that; it is in the metadata",
      [&](double& value, std::size_t at) { return std::exchange(value, rest[at]) != rest[at]; },
      deviations);
}

/// An input of a graph has a size and nothing else.
void make_input(Population& source, std::vector<Deviation>& deviations) {
  constexpr const char* kGiven = "none: whoever runs the graph gives its input";
  const auto add = [&](const char* what, const char* replacement, std::int64_t values) {
    deviations.push_back({what, replacement, source.name, {}, values});
  };
  if (spiking::model(source.model).source_input == spiking::SourceInput::signal) {
    return add("values of an analog source, each at once",
               "impulses: whoever runs the graph gives a value v over dt s as v / dt", 0);
  }
  const auto spikes = static_cast<std::int64_t>(source.trains.times_ms.size());
  if (spikes > 0) add("recorded spikes", kGiven, spikes);
  source.trains = {};
  if (!source.columns.empty() || !source.rates.times_ms.empty()) {
    add("rates of Poisson spikes", kGiven, source.size);
  }
  source.columns.clear();
  source.rates = {};
  source.model = "spike_source";
}

/// CubaLIF has one exponential current for each neuron.
void make_one_exponential(Population& population, std::vector<Projection*> onto,
                          std::vector<Deviation>& deviations) {
  Concerned targets(population.size);
  for (const Projection* projection : onto) targets.add_targets(*projection);
  if (population.synapse == SynapseShape::alpha) {
    targets.list("alpha synapses", "exponential ones of the same charge", population.name,
                 deviations);
    for (Projection* projection : onto) {
      for (double& weight : projection->weights) weight *= std::numbers::e;
    }
    population.synapse = SynapseShape::exponential;
  }
  if (population.receptors == 1) return;
  if (population.synapse == SynapseShape::exponential) {
    targets.list(fmt::format("{} receptors", population.receptors), "the first, by charge",
                 population.name, deviations);
    const auto& tau = population.synapse_time_constants_ms;
    for (Projection* projection : onto) {
      for (std::int64_t at = 0; at < projection->synapses(); ++at) {
        const auto synapse = static_cast<std::size_t>(at);
        const std::size_t own =
            projection->targets[synapse] + static_cast<std::size_t>(projection->receptor(at)) *
                                               static_cast<std::size_t>(population.size);
        projection->weights[synapse] *= tau[own] / tau[projection->targets[synapse]];
      }
    }
    population.synapse_time_constants_ms.resize(static_cast<std::size_t>(population.size));
  }
  for (Projection* projection : onto) projection->receptors = {0};
  population.receptors = 1;
}

/// NIR delays channels, not synapses: all of a source neuron wait alike.
void share_delays(const Network& network, Projection& projection,
                  std::vector<Deviation>& deviations) {
  const auto& source = network.populations[static_cast<std::size_t>(projection.source)];
  std::vector<double> delays(projection.targets.size());
  Concerned changed(source.size);
  for (std::size_t row = 0; row + 1 < projection.offsets.size(); ++row) {
    const auto begin = projection.offsets[row], end = projection.offsets[row + 1];
    double sum = 0;
    bool same = true;
    for (auto at = begin; at < end; ++at) {
      sum += projection.delay_ms(at);
      same = same && projection.delay_ms(at) == projection.delay_ms(begin);
    }
    const double mean = end == begin ? 0 : sum / static_cast<double>(end - begin);
    for (auto at = begin; at < end; ++at) {
      const double own = same ? projection.delay_ms(begin) : mean;
      if (own != projection.delay_ms(at)) changed.add(static_cast<std::int64_t>(row));
      delays[static_cast<std::size_t>(at)] = own;
    }
  }
  if (changed.none()) return;
  projection.delays_ms = std::move(delays);
  changed.list("different delays of the synapses of a neuron", "their mean", source.name,
               deviations);
}

/// A node of a graph is applied in every step, to the spikes of that step.
void list_window(const Network& network, std::vector<Deviation>& deviations) {
  const spiking::Readout& readout = network.readout;
  constexpr double kNoise = 1e-6;
  if (readout.population < 0) return;
  if (std::abs(readout.window_ms / network.time_step_ms - 1) <= kNoise) return;
  deviations.push_back(
      {fmt::format("a readout of the spikes of the last {:.6g} ms", readout.window_ms),
       "one of each step's; the window is in the metadata",
       network.populations[static_cast<std::size_t>(readout.population)].name,
       {},
       0});
}

Conversion convert(const Network& network, const Options&) {
  require_no_currents(network, "nir");
  Conversion conversion = as_glif3(network);
  std::vector<Deviation>& deviations = conversion.deviations;
  auto& populations = conversion.network.populations;
  for (std::size_t index = 0; index < populations.size(); ++index) {
    auto& forms = conversion.metadata.emplace_back();
    forms.push_back(network.populations[index]);
    if (populations[index].model != forms.front().model) forms.push_back(populations[index]);
  }
  for (std::size_t index = 0; index < populations.size(); ++index) {
    Population& population = populations[index];
    if (spiking::model(population.model).is_source()) {
      make_input(population, deviations);
      continue;
    }
    leave_out_mechanisms(population, deviations);
    std::vector<Projection*> onto;
    for (Projection& projection : conversion.network.projections) {
      if (projection.target == static_cast<std::int64_t>(index)) onto.push_back(&projection);
    }
    make_one_exponential(population, onto, deviations);
  }
  for (Projection& projection : conversion.network.projections) {
    share_delays(conversion.network, projection, deviations);
  }
  list_window(network, deviations);
  return conversion;
}

class Writer {
 public:
  Writer(const Conversion& conversion, const std::filesystem::path& path)
      : network_(conversion.network),
        metadata_(conversion.metadata),
        file_(path, io::Hdf5File::Mode::create) {}

  void run();

 private:
  using Values = std::vector<double>;

  static std::string node(const std::string& name) { return "/node/nodes/" + name; }
  void text(const std::string& dataset, const std::string& value) {
    file_.write_texts(dataset, {{}, {value}});
  }
  void array(const std::string& dataset, const Values& values,
             std::vector<std::int64_t> shape = {}) {
    file_.write_values(dataset, values, std::move(shape));
  }
  void edge(const std::string& from, const std::string& to) {
    edges_.insert(edges_.end(), {from, to});
  }
  void write_ports(const std::string& name, const char* type, std::int64_t size);
  void write_neurons(const Population& population);
  void write_metadata(const Population& form);
  void write_projection(const Projection& projection, std::size_t number);
  void write_readout();

  const Network& network_;
  const std::vector<std::vector<Population>>& metadata_;
  io::Hdf5File file_;
  std::vector<std::string> edges_;
};

void Writer::write_ports(const std::string& name, const char* type, std::int64_t size) {
  text(node(name) + "/type", type);
  file_.write<std::int64_t>(node(name) + "/shape", {{1}, {size}});
}

void Writer::write_neurons(const Population& population) {
  const std::string at = node(population.name);
  const bool jumps = population.synapse == SynapseShape::delta;
  const std::size_t size = static_cast<std::size_t>(population.size);
  const auto value = [&](const char* column, std::size_t n) {
    return population.column(column)[n];
  };
  const bool lif = population.columns.contains("membrane_time_constant");
  Values tau, r, leak, threshold, reset, input;
  for (std::size_t n = 0; n < size; ++n) {
    const double C = value("capacitance", n);
    const double tau_ms = lif ? value("membrane_time_constant", n) : C / value("conductance", n);
    tau.push_back(tau_ms * kSeconds);
    // A spike is an impulse of area 1 s: it moves V by r w / tau.
    r.push_back(jumps ? tau.back() : tau_ms / C);
    leak.push_back(value("resting_potential", n) + tau_ms / C * value("constant_current", n));
    threshold.push_back(value("threshold", n));
    reset.push_back(value("reset", n));
  }
  text(at + "/type", jumps ? "LIF" : "CubaLIF");
  if (!jumps) {
    for (const double synapse : population.synapse_time_constants_ms) {
      input.push_back(synapse * kSeconds);
    }
    array(at + "/tau_syn", input);
    array(at + "/w_in", input);
  }
  array(at + (jumps ? "/tau" : "/tau_mem"), tau);
  array(at + "/r", r);
  array(at + "/v_leak", leak);
  array(at + "/v_threshold", threshold);
  array(at + "/v_reset", reset);
}

/// All that is known of the neurons, in our terms: as they were trained, and in continuous time.
void Writer::write_metadata(const Population& form) {
  const bool trained = form.model == "glifr";
  const std::string at = node(form.name) + "/metadata/", group = trained ? "glifr" : "glif";
  if (!trained) text(at + "model", form.model);
  for (const spiking::Parameter& column : spiking::model(form.model).parameters) {
    const Values& values = form.columns.at(std::string(column.name));
    if (values.empty()) continue;
    array(fmt::format("{}{}/{}", at, group, column.name), values);
    text(fmt::format("{}{}_units/{}", at, group, column.name), std::string(column.unit));
  }
  const Values& taus = form.synapse_time_constants_ms;
  text(at + group + "/synapse", std::string(name_of(form.synapse)));
  if (!taus.empty()) array(at + group + "/synapse_time_constants_ms", taus);
}

/// A Delay of the source's channels, then a dense matrix [targets, sources].
void Writer::write_projection(const Projection& projection, std::size_t number) {
  const auto& source = network_.populations[static_cast<std::size_t>(projection.source)];
  const auto& target = network_.populations[static_cast<std::size_t>(projection.target)];
  const std::string delay = fmt::format("delay_{}", number),
                    weight = fmt::format("linear_{}", number);
  Values delays(static_cast<std::size_t>(source.size)),
      matrix(static_cast<std::size_t>(source.size * target.size));
  for (std::size_t row = 0; row < delays.size(); ++row) {
    for (auto at = projection.offsets[row]; at < projection.offsets[row + 1]; ++at) {
      delays[row] = projection.delay_ms(at) * kSeconds;
      const auto synapse = static_cast<std::size_t>(at);
      matrix[projection.targets[synapse] * delays.size() + row] += projection.weights[synapse];
    }
  }
  text(node(delay) + "/type", "Delay");
  array(node(delay) + "/delay", delays);
  text(node(weight) + "/type", "Linear");
  array(node(weight) + "/weight", matrix, {target.size, source.size});
  edge(source.name, delay);
  edge(delay, weight);
  edge(weight, target.name);
}

void Writer::write_readout() {
  const spiking::Readout& readout = network_.readout;
  if (readout.population < 0) {
    for (const Population& population : network_.populations) {
      if (spiking::model(population.model).is_source()) continue;
      write_ports("output", "Output", population.size);
      edge(population.name, "output");
      return;
    }
    return;
  }
  const auto& read = network_.populations[static_cast<std::size_t>(readout.population)];
  const auto outputs = static_cast<std::int64_t>(readout.bias.size());
  Values weights = readout.weights;
  for (double& weight : weights) weight *= readout.scale;
  text(node("readout") + "/type", "Affine");
  array(node("readout") + "/weight", weights, {outputs, read.size});
  array(node("readout") + "/bias", readout.bias);
  text(node("readout") + "/metadata/applies_to",
       fmt::format("numbers of spikes in the last {} ms", readout.window_ms));
  write_ports("output", "Output", outputs);
  edge(read.name, "readout");
  edge("readout", "output");
}

void Writer::run() {
  text("/version", "1.0.8");
  text("/node/type", "NIRGraph");
  for (std::size_t index = 0; index < network_.populations.size(); ++index) {
    const Population& population = network_.populations[index];
    if (spiking::model(population.model).is_source()) {
      write_ports(population.name, "Input", population.size);
    } else {
      write_neurons(population);
      text(node(population.name) + "/metadata/units",
           "tau s, voltages mV, weights mV (LIF) or pA (CubaLIF); glif, glifr: as named");
      for (const Population& form : metadata_[index]) write_metadata(form);
    }
  }
  for (std::size_t index = 0; index < network_.projections.size(); ++index) {
    write_projection(network_.projections[index], index);
  }
  write_readout();
  text("/node/metadata/units", "s, mV, pA");
  text("/node/metadata/time_step_ms", fmt::format("{}", network_.time_step_ms));
  const auto count = static_cast<std::int64_t>(edges_.size()) / 2;
  file_.write_texts("/node/edges", {{count, 2}, edges_});
}

void write(const Conversion& conversion, const std::filesystem::path& path) {
  io::AtomicFile file(path);
  Writer(conversion, file.staging()).run();
  file.commit();
}

}  // namespace

ExporterEntry entry_nir() {
  return {"nir", "NIR: LIF and CubaLIF neurons, everything else in metadata", convert, write};
}

}  // namespace afterspike::formats
