#include "afterspike/spiking/network.hpp"

#include <algorithm>
#include <cstddef>

#include "afterspike/base/registry.hpp"

namespace afterspike::spiking {

std::string_view name_of(SynapseShape shape) {
  switch (shape) {
    case SynapseShape::alpha:
      return "alpha";
    case SynapseShape::exponential:
      return "exponential";
    case SynapseShape::model:
      return "model";
    default:
      return "delta";
  }
}

std::string_view name_of(ElectricalCoupling coupling) {
  switch (coupling) {
    case ElectricalCoupling::iterated:
      return "iterated";
    case ElectricalCoupling::previous_partner:
      return "previous_partner";
    default:
      return "previous_step";
  }
}

ElectricalCoupling electrical_coupling(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto coupling : {ElectricalCoupling::previous_step,
                              ElectricalCoupling::previous_partner, ElectricalCoupling::iterated}) {
    if (name_of(coupling) == name) return coupling;
    names.push_back(name_of(coupling));
  }
  fail(ErrorKind::config, "no coupling called '{}'{}; there are: {}", name,
       did_you_mean(name, names), fmt::join(names, ", "));
}

std::string_view Population::weight_unit(std::int64_t receptor) const {
  if (synapse == SynapseShape::model) {
    return spiking::model(model).receptors[static_cast<std::size_t>(receptor)].unit;
  }
  return synapse == SynapseShape::delta ? "mV" : "pA";
}

std::int64_t Population::currents() const {
  const auto decay = columns.find("after_spike_decay");
  if (decay == columns.end() || size == 0) return 0;
  return static_cast<std::int64_t>(decay->second.size()) / size;
}

std::span<const double> Population::column(std::string_view column_name) const {
  const auto found = columns.find(std::string(column_name));
  require(found != columns.end(), ErrorKind::internal, "population '{}': no column '{}'", name,
          column_name);
  return found->second;
}

std::int64_t Network::synapses() const {
  std::int64_t count = 0;
  for (const Projection& projection : projections) count += projection.synapses();
  for (const RuleProjection& rule : rule_projections) count += synapses(rule);
  return count;
}

std::int64_t Network::synapses(const RuleProjection& rule) const {
  return rule.connection.rule == ConnectionRule::one_to_one
             ? populations[static_cast<std::size_t>(rule.source)].size
             : rule.connection.count;
}

bool Network::has_currents() const {
  return !step_currents.empty() || !noise_currents.empty() || !sinusoid_currents.empty() ||
         !ornstein_uhlenbeck_currents.empty();
}

std::int64_t Network::population(std::string_view population_name) const {
  std::vector<std::string_view> names;
  for (const Population& population : populations) {
    if (population.name == population_name) return static_cast<std::int64_t>(names.size());
    names.push_back(population.name);
  }
  fail(ErrorKind::usage, "no population called '{}'{}; there are: {}", population_name,
       did_you_mean(population_name, names), fmt::join(names, ", "));
}

namespace {

/// One value where all are the same.
template <typename T>
void keep_once(std::vector<T>& values) {
  const bool same = std::all_of(values.begin(), values.end(),
                                [&](const T& value) { return value == values.front(); });
  if (values.empty()) values.push_back(T());
  if (same) values.resize(1);
}

}  // namespace

Projection make_projection(const std::vector<Population>& populations, std::int64_t source,
                           std::int64_t target, std::span<const Synapse> synapses) {
  const auto& from = populations.at(static_cast<std::size_t>(source));
  const auto& to = populations.at(static_cast<std::size_t>(target));
  Projection result{source, target, {}, {}, {}, {}, {}};
  result.offsets.assign(static_cast<std::size_t>(from.size) + 1, 0);
  for (const Synapse& synapse : synapses) {
    require(synapse.source >= 0 && synapse.source < from.size && synapse.target >= 0 &&
                synapse.target < to.size,
            ErrorKind::data,
            "projection '{}' to '{}': found a synapse from {} to {}, expected less"
            " than {} and {}",
            from.name, to.name, synapse.source, synapse.target, from.size, to.size);
    ++result.offsets[static_cast<std::size_t>(synapse.source) + 1];
  }
  for (std::size_t row = 1; row < result.offsets.size(); ++row) {
    result.offsets[row] += result.offsets[row - 1];
  }
  std::vector<std::int64_t> place(result.offsets.begin(), result.offsets.end() - 1);
  result.targets.resize(synapses.size());
  result.weights.resize(synapses.size());
  result.delays_ms.resize(synapses.size());
  result.receptors.resize(synapses.size());
  for (const Synapse& synapse : synapses) {
    const auto at = static_cast<std::size_t>(place[static_cast<std::size_t>(synapse.source)]++);
    result.targets[at] = static_cast<std::uint32_t>(synapse.target);
    result.weights[at] = synapse.weight;
    result.delays_ms[at] = synapse.delay_ms;
    result.receptors[at] = synapse.receptor;
  }
  keep_once(result.delays_ms);
  keep_once(result.receptors);
  return result;
}

std::vector<double> read_out(const Readout& readout, std::span<const double> spikes) {
  std::vector<double> outputs = readout.bias;
  for (std::size_t output = 0; output < outputs.size(); ++output) {
    double sum = 0;
    for (std::size_t neuron = 0; neuron < spikes.size(); ++neuron) {
      sum += readout.weights[output * spikes.size() + neuron] * spikes[neuron];
    }
    outputs[output] += readout.scale * sum;
  }
  return outputs;
}

}  // namespace afterspike::spiking
