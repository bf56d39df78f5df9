// PyNEST: arrays, and a script that builds and runs the network in NEST.

#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/conversion.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/hdf5.hpp"
#include "nest.hpp"
#include "pynest_script.hpp"
#include "rules.hpp"
#include "step_currents.hpp"

namespace afterspike::formats {
namespace {

using spiking::Network;
using spiking::Population;

/// Synapses as columns of a table, with numbers of neurons among all of their kind.
struct Columns {
  std::vector<std::int64_t> source, target, port;
  std::vector<double> weight, delay;
};

/// The files list neurons, sources of spikes and sources of signals apart.
enum class Kind { neurons, spikes, signals };

Kind kind_of(const Population& population) {
  const spiking::Model& model = spiking::model(population.model);
  if (!model.is_source()) return Kind::neurons;
  return model.source_input == spiking::SourceInput::signal ? Kind::signals : Kind::spikes;
}

class Writer {
 public:
  Writer(const Conversion& conversion, const std::filesystem::path& path)
      : network_(conversion.network),
        resolution_ms_(conversion.resolution_ms),
        file_(path, io::Hdf5File::Mode::create) {
    std::map<Kind, std::int64_t> counts;
    for (const Population& population : network_.populations) {
      std::int64_t& count = counts[kind_of(population)];
      first_.push_back(count);
      count += population.size;
    }
  }

  void run();

 private:
  Kind kind(std::int64_t population) const {
    return kind_of(network_.populations[static_cast<std::size_t>(population)]);
  }
  Columns synapses_from(Kind source) const;
  void write(const std::string& prefix, const Columns& columns);
  void write_neurons();
  void write_trains();
  void write_currents();

  template <typename T>
  void array(const std::string& name, const std::vector<T>& values) {
    file_.write_values(name, values);
  }
  void number(const char* name, double value) {
    file_.write_attribute<double>("/", name, {{}, {value}});
  }

  const Network& network_;
  double resolution_ms_;
  io::Hdf5File file_;
  std::vector<std::int64_t> first_;  ///< First neuron of each population, among all of its kind.
};

Columns Writer::synapses_from(Kind source) const {
  Columns columns;
  for (const spiking::Projection& projection : network_.projections) {
    if (kind(projection.source) != source) continue;
    const auto from = first_[static_cast<std::size_t>(projection.source)];
    const auto to = first_[static_cast<std::size_t>(projection.target)];
    for (std::size_t row = 0; row + 1 < projection.offsets.size(); ++row) {
      for (auto at = projection.offsets[row]; at < projection.offsets[row + 1]; ++at) {
        const auto synapse = static_cast<std::size_t>(at);
        columns.source.push_back(from + static_cast<std::int64_t>(row));
        columns.target.push_back(to + projection.targets[synapse]);
        columns.weight.push_back(projection.weights[synapse]);
        columns.delay.push_back(projection.delay_ms(at));
        columns.port.push_back(projection.receptor(at) + 1);
      }
    }
  }
  return columns;
}

void Writer::write(const std::string& prefix, const Columns& columns) {
  array("/" + prefix + "src", columns.source);
  array("/" + prefix + "tgt", columns.target);
  array("/" + prefix + "weight", columns.weight);
  array("/" + prefix + "delay", columns.delay);
  array("/" + prefix + "port", columns.port);
}

/// A dictionary for each neuron, as one JSON text.
void Writer::write_neurons() {
  io::Json parameters = io::Json::array();
  std::vector<double> currents;
  for (const Population& population : network_.populations) {
    if (kind_of(population) != Kind::neurons) continue;
    for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
      parameters.push_back(nest_parameters(population, neuron));
    }
    const auto own = population.column("constant_current");
    currents.insert(currents.end(), own.begin(), own.end());
  }
  file_.write_text_attribute("/", "params", parameters.dump());
  array("/I_e", currents);
}

void Writer::write_trains() {
  std::int64_t number = 0;
  file_.make_group("/in_times");
  for (const Population& population : network_.populations) {
    if (kind_of(population) != Kind::spikes) continue;
    const spiking::SpikeTrains& trains = population.trains;
    for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
      std::vector<double> own;
      if (!trains.offsets.empty()) {
        const auto at = static_cast<std::size_t>(neuron);
        own.assign(trains.times_ms.begin() + trains.offsets[at],
                   trains.times_ms.begin() + trains.offsets[at + 1]);
      }
      array("/in_times/" + std::to_string(number++), own);
    }
  }
}

/// A value of an analog source is a current for the step that it stands for, of the charge that the
/// alpha synapse of its weight would bring.
void Writer::write_currents() {
  Columns columns = synapses_from(Kind::signals);
  for (std::size_t index = 0; index < network_.populations.size(); ++index) {
    const Population& target = network_.populations[index];
    if (kind(static_cast<std::int64_t>(index)) != Kind::neurons) continue;
    const auto first = first_[index];
    for (std::size_t at = 0; at < columns.weight.size(); ++at) {
      const std::int64_t neuron = columns.target[at] - first;
      if (neuron < 0 || neuron >= target.size) continue;
      const auto place = static_cast<std::size_t>((columns.port[at] - 1) * target.size + neuron);
      columns.weight[at] = step_current(columns.weight[at], target.synapse_time_constants_ms[place],
                                        network_.time_step_ms);
    }
  }
  write("current_", columns);
  number("input_step", network_.time_step_ms);
}

void Writer::run() {
  file_.write_text_attribute("/", "format", "afterspike-pynest");
  file_.write_attribute<std::int64_t>("/", "version", {{}, {kPynestVersion}});
  number("dt", resolution_ms_);
  write_neurons();
  write("", synapses_from(Kind::neurons));
  write("in_", synapses_from(Kind::spikes));
  write_trains();
  write_currents();
}

/// A step current changes between two steps of the simulator.
void require_whole_steps(double input_step_ms, double resolution_ms) {
  constexpr double kNoise = 1e-6;
  const double steps = input_step_ms / resolution_ms;
  require(steps > 0.5 && std::abs(steps - std::round(steps)) <= kNoise, ErrorKind::config,
          "resolution: found {} ms, expected {} ms, the step of the network's input, or a whole"
          " fraction of it",
          resolution_ms, input_step_ms);
}

/// NEST's generators begin at the end of the first step, and what they send comes a step later.
void list_constant_currents(Conversion& conversion) {
  for (Population& population : conversion.network.populations) {
    change_column(
        population, "constant_current", "a constant current",
        fmt::format("one that begins at {} ms of NEST's clock", 2 * conversion.resolution_ms),
        [](double& value, std::size_t) { return value != 0; }, conversion.deviations);
  }
}

/// NEST's generators give no values at once, and none at 0: all waits a step for the first of them.
/// Says whether there are any.
bool list_step_currents(Conversion& conversion) {
  const Network& network = conversion.network;
  bool any = false;
  for (std::size_t index = 0; index < network.populations.size(); ++index) {
    const Population& source = network.populations[index];
    if (spiking::model(source.model).source_input != spiking::SourceInput::signal) continue;
    require_whole_steps(network.time_step_ms, conversion.resolution_ms);
    any = true;
    Concerned channels(source.size);
    for (const spiking::Projection& projection : network.projections) {
      if (projection.source == static_cast<std::int64_t>(index)) channels.add_sources(projection);
    }
    channels.list("values of an analog source, each at once", "step currents of the same charge",
                  source.name, conversion.deviations);
  }
  return any;
}

/// In the step before the first value neurons that are not at rest go on.
void list_restless(Conversion& conversion) {
  for (Population& population : conversion.network.populations) {
    if (spiking::model(population.model).is_source()) continue;
    const std::vector<double>&rest = population.columns.at("resting_potential"),
          &threshold = population.columns.at("threshold");
    change_column(
        population, "initial_potential", "a start that is not at rest, or above the threshold",
        fmt::format("the same, {} ms before the input", conversion.resolution_ms),
        [&](double& value, std::size_t n) { return value != rest[n] || value > threshold[n]; },
        conversion.deviations);
  }
}

Conversion convert(const Network& network, const Options& options) {
  require_no_poisson(network, "pynest");
  require_no_currents(network, "pynest");
  Conversion conversion = as_nest(network, options);
  list_constant_currents(conversion);
  if (list_step_currents(conversion)) {
    list_restless(conversion);
    conversion.shown = with_step_currents(conversion.network, conversion.resolution_ms);
  }
  list_readout(network, conversion.deviations);
  conversion.network.readout = {};
  return conversion;
}

void write(const Conversion& conversion, const std::filesystem::path& path) {
  io::AtomicDirectory directory(path);
  Writer(conversion, directory.staging() / "net.h5").run();
  io::write_file(directory.staging() / "run_nest.py", kPynestScript);
  directory.commit();
}

}  // namespace

ExporterEntry entry_pynest() {
  return {"pynest",
          "a directory of arrays and a script that runs them in NEST",
          convert,
          write,
          /*has_steps=*/true,
          "",
          "net.h5 run_nest.py"};
}

}  // namespace afterspike::formats
