#include "rules.hpp"

#include <algorithm>
#include <utility>

#include "afterspike/base/error.hpp"

namespace afterspike::formats {

using spiking::Population;

void Concerned::add_targets(const spiking::Projection& projection) {
  for (const std::uint32_t target : projection.targets) add(target);
}

void Concerned::add_sources(const spiking::Projection& projection) {
  for (std::size_t row = 0; row + 1 < projection.offsets.size(); ++row) {
    for (auto at = projection.offsets[row]; at < projection.offsets[row + 1]; ++at) {
      add(static_cast<std::int64_t>(row));
    }
  }
}

void Concerned::list(const std::string& what, const std::string& replacement,
                     const std::string& population, std::vector<Deviation>& deviations) const {
  if (values_ == 0) return;
  Deviation deviation{what, replacement, population, {}, values_};
  for (std::size_t neuron = 0; neuron < is_in_.size(); ++neuron) {
    if (is_in_[neuron]) deviation.neurons.push_back(static_cast<std::int64_t>(neuron));
  }
  deviations.push_back(std::move(deviation));
}

void change_column(Population& population, const char* column, const std::string& what,
                   const std::string& replacement,
                   const std::function<bool(double&, std::size_t)>& change,
                   std::vector<Deviation>& deviations) {
  const auto found = population.columns.find(column);
  if (found == population.columns.end()) return;
  Concerned changed(population.size);
  for (std::size_t at = 0; at < found->second.size(); ++at) {
    if (change(found->second[at], at)) {
      changed.add(static_cast<std::int64_t>(at) % population.size);
    }
  }
  changed.list(what, replacement, population.name, deviations);
}

void name_without_currents(Population& population) {
  const spiking::Model& model = spiking::model(population.model);
  if (!model.leaky) return;
  if (!model.leaky->after_spike_currents || model.leaky->voltage_threshold ||
      population.currents() > 0)
    return;
  population.model = model.leaky->spike_threshold ? "glif2" : "glif1";
  for (const spiking::Parameter& column : model.parameters) {
    if (column.extent == spiking::Extent::current)
      population.columns.erase(std::string(column.name));
  }
}

void drop_constant_current(Population& population, std::vector<Deviation>& deviations) {
  change_column(
      population, "constant_current", "a constant current", "none",
      [](double& value, std::size_t) { return std::exchange(value, 0.0) != 0; }, deviations);
}

void list_readout(const spiking::Network& network, std::vector<Deviation>& deviations) {
  const std::int64_t read = network.readout.population;
  if (read < 0) return;
  deviations.push_back({"the readout",
                        "none: spikes alone",
                        network.populations[static_cast<std::size_t>(read)].name,
                        {},
                        0});
}

void require_deterministic(const Population& population) {
  const auto softness = population.column("softness");
  const bool hard = std::all_of(softness.begin(), softness.end(), [](double s) { return s == 0; });
  require(hard && population.copies == 1, ErrorKind::config,
          "population '{}': found {}, expected a network exported with --mode threshold: neurons of"
          " other simulators do not escape",
          population.name, hard ? "copies" : "a soft threshold");
}

void require_decays(const Population& population, double dt_ms) {
  const auto membrane = population.column("membrane_decay"),
             resistance = population.column("resistance"),
             current = population.column("after_spike_decay");
  for (std::size_t neuron = 0; neuron < membrane.size(); ++neuron) {
    const double k = membrane[neuron], R = resistance[neuron];
    require(k > 0 && dt_ms * k < 1 && R > 0, ErrorKind::config,
            "population '{}': neuron {}: found a membrane decay of {} 1/ms and a resistance of {}"
            " GOhm, expected above 0 and, times the step, below 1",
            population.name, neuron, k, R);
  }
  for (std::size_t at = 0; at < current.size(); ++at) {
    const double k = current[at];
    require(k > 0 && dt_ms * k < 1, ErrorKind::config,
            "population '{}': neuron {}: found an after-spike decay of {} 1/ms, expected above 0"
            " and, times the step, below 1",
            population.name, static_cast<std::int64_t>(at) % population.size, k);
  }
}

void require_no_poisson(const spiking::Network& network, std::string_view format) {
  for (const Population& population : network.populations) {
    require(population.model.find("poisson_source") == std::string::npos, ErrorKind::config,
            "population '{}': format '{}' has no Poisson sources", population.name, format);
  }
}

void require_no_currents(const spiking::Network& network, std::string_view format) {
  require(!network.has_currents(), ErrorKind::config,
          "network: format '{}' has no injected currents, expected none", format);
  require(network.electrical_synapses.empty(), ErrorKind::config,
          "network: format '{}' has no electrical synapses, expected none", format);
}

}  // namespace afterspike::formats
