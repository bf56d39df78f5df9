#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/spiking/connection.hpp"
#include "afterspike/spiking/model.hpp"

/// A network of spiking neurons in physical units, as plain structs: what a trained network is
/// lowered to, and what simulators and file formats start from. Times are in ms, voltages in mV,
/// currents in pA, capacitances in pF, conductances in nS, resistances in GOhm.
namespace afterspike::spiking {

/// "alpha", "exponential", "delta", "model".
std::string_view name_of(SynapseShape shape);

/// Trains of spikes: those of neuron n are times_ms[offsets[n]] to times_ms[offsets[n + 1] - 1], in
/// ascending order, not negative.
struct SpikeTrains {
  std::vector<std::int64_t> offsets;
  std::vector<double> times_ms;

  bool operator==(const SpikeTrains&) const = default;
};

/// The rate of the neurons of an inhomogeneous Poisson source: 0 before times_ms[0], rates_hz[i]
/// spikes/s from times_ms[i] on.
struct RateSteps {
  std::vector<double> times_ms;  ///< Ascending.
  std::vector<double> rates_hz;  ///< 0 or above.

  bool operator==(const RateSteps&) const = default;
};

/// Neurons of one model.
struct Population {
  std::string name;   ///< Unique in its network.
  std::string model;  ///< A name in models().
  std::int64_t size = 0;

  /// Shape of all synapses, each receptor with its own time constants; `model` for a model that
  /// states its receptors.
  SynapseShape synapse = SynapseShape::exponential;
  std::int64_t receptors = 1;                     ///< 1 to 255; 1 for glifr, 0 for sources.
  std::vector<double> synapse_time_constants_ms;  ///< [receptors, size]; empty: delta, model.

  /// Values by name of column (Model::parameters): [size], or [currents, size] for those of
  /// after-spike currents.
  std::map<std::string, std::vector<double>> columns;

  SpikeTrains trains;  ///< Spikes of a spike_source; may be empty, to be given to the simulator.

  /// Each neuron stands for so many of its kind, which all receive what it does and differ by
  /// chance alone; a spike of one counts 1 / copies at synapses and readout. Other than 1 for GLIFR
  /// neurons only. Copy c of neuron n is number n * copies + c wherever spikes are listed.
  std::int64_t copies = 1;

  RateSteps rates = {};  ///< For an inhomogeneous_poisson_source; empty: it is silent.

  bool operator==(const Population&) const = default;

  /// Neurons, each copy counted.
  std::int64_t cells() const { return size * copies; }
  /// Unit of the weights of a receptor: "pA", "mV" or "nS". REQUIRES: 0 <= receptor < receptors.
  std::string_view weight_unit(std::int64_t receptor = 0) const;
  /// Number of after-spike currents.
  std::int64_t currents() const;
  /// Values of a column. Throws Error(internal) where the model has none of that name.
  std::span<const double> column(std::string_view column_name) const;
};

/// Synapses between two populations, in rows by source neuron: those of neuron n are offsets[n] to
/// offsets[n + 1] - 1.
struct Projection {
  std::int64_t source = 0, target = 0;  ///< Indices of populations.
  std::vector<std::int64_t> offsets;
  std::vector<std::uint32_t> targets;
  std::vector<double> weights;          ///< pA, or mV where the target's synapses are delta.
  std::vector<double> delays_ms;        ///< One for each synapse, or one for all.
  std::vector<std::uint8_t> receptors;  ///< From 0; one for each synapse, or one for all.

  bool operator==(const Projection&) const = default;

  std::int64_t synapses() const { return static_cast<std::int64_t>(targets.size()); }
  double delay_ms(std::int64_t synapse) const {
    return delays_ms[delays_ms.size() == 1 ? 0 : static_cast<std::size_t>(synapse)];
  }
  std::uint8_t receptor(std::int64_t synapse) const {
    return receptors[receptors.size() == 1 ? 0 : static_cast<std::size_t>(synapse)];
  }
};

/// Synapses between two populations that are stated by a rule and drawn when a simulation is built,
/// where they take 6 bytes each. connect.hpp lists the rules and draws them as explicit synapses.
struct RuleProjection {
  std::int64_t source = 0, target = 0;  ///< Indices of populations.
  Connection connection;
  std::uint64_t key = 0;  ///< Key of the random stream that draws them (Rng::key()).

  bool operator==(const RuleProjection&) const = default;
};

/// One synapse of a list.
struct Synapse {
  std::int64_t source = 0, target = 0;  ///< Neurons within their populations.
  double weight = 0, delay_ms = 0;
  std::uint8_t receptor = 0;
};

/// A list of synapses as a projection; those of a source keep their order. Delays and receptors
/// that are the same for all are kept once. Throws Error(data) for a neuron that is not there.
Projection make_projection(const std::vector<Population>& populations, std::int64_t source,
                           std::int64_t target, std::span<const Synapse> synapses);

/// A current that is 0 before times_ms[0], amplitudes_pa[i] from times_ms[i] on, into the neurons
/// of the list (all where it is empty) of a population.
struct StepCurrent {
  std::int64_t population = 0;
  std::vector<std::int64_t> neurons;
  std::vector<double> times_ms;  ///< Ascending.
  std::vector<double> amplitudes_pa;

  bool operator==(const StepCurrent&) const = default;
};

/// A current that is drawn anew from a normal distribution at every multiple of interval_ms, for
/// each neuron of the population.
struct NoiseCurrent {
  std::int64_t population = 0;
  double mean_pa = 0, standard_deviation_pa = 0, interval_ms = 0;

  bool operator==(const NoiseCurrent&) const = default;
};

/// A current offset + amplitude sin(2 pi f t + phase) from start to stop, 0 elsewhere, into the
/// neurons of the list (all if it is empty). On a grid it is constant within a step, with its value
/// at the step's begin. t is the time of the simulation, as in NEST's ac_generator.
struct SinusoidCurrent {
  std::int64_t population = 0;
  std::vector<std::int64_t> neurons;
  double offset_pa = 0, amplitude_pa = 0, frequency_hz = 0, phase_deg = 0;
  double start_ms = 0;
  double stop_ms = 0;  ///< After start.

  bool operator==(const SinusoidCurrent&) const = default;
};

/// An Ornstein-Uhlenbeck current with this stationary mean and standard deviation and a correlation
/// time of tau, drawn exactly at multiples of interval_ms and constant between them, independent
/// for each neuron of the population. It starts from its stationary distribution.
struct OrnsteinUhlenbeckCurrent {
  std::int64_t population = 0;
  double mean_pa = 0, standard_deviation_pa = 0, tau_ms = 0, interval_ms = 0;

  bool operator==(const OrnsteinUhlenbeckCurrent&) const = default;
};

/// Electrical synapses between neurons of two populations, or of one: entry n couples neuron
/// first_neurons[n] with second_neurons[n] by a conductance. A current g (V_second - V_first) flows
/// into the first neuron and its negative into the second.
struct ElectricalSynapses {
  std::int64_t first = 0, second = 0;  ///< Indices of populations.
  std::vector<std::int64_t> first_neurons, second_neurons;
  std::vector<double> conductances_ns;  ///< 0 or above.

  bool operator==(const ElectricalSynapses&) const = default;
};

/// The voltages from which currents of electrical synapses follow
/// (docs/simulation.md#electrical-synapses).
enum class ElectricalCoupling {
  previous_step,     ///< Both voltages at the begin of the step: order 1.
  previous_partner,  ///< The partner's voltage at the begin of the step, the neuron's own as it is
                     ///< within the step: order 1, stable for any conductance. NEST without
                     ///< use_wfr.
  iterated,  ///< A step is repeated until the voltages of all partners agree (waveform relaxation):
             ///< of higher order, about eight times as slow. NEST with use_wfr.
};

/// "previous_step", "previous_partner", "iterated".
std::string_view name_of(ElectricalCoupling coupling);
/// The coupling of this name. Throws Error(config) that lists the names.
ElectricalCoupling electrical_coupling(std::string_view name);

/// Outputs = weight (scale * spikes of each neuron in the last window_ms) + bias, where a spike of
/// one of several copies counts 1 / copies.
struct Readout {
  std::int64_t population = -1;  ///< -1: the network has no readout.
  double window_ms = 0;
  double scale = 1;             ///< 1 / steps of the window: outputs from the mean of the spikes.
  std::vector<double> weights;  ///< [outputs, size]
  std::vector<double> bias;     ///< [outputs]

  bool operator==(const Readout&) const = default;
};

struct Network {
  /// The time that a step of the rate network stands for, and the grid's step unless another is
  /// asked for. GLIFR neurons exist on this grid only.
  double time_step_ms = 0.1;
  std::vector<Population> populations;
  std::vector<Projection> projections;
  std::vector<RuleProjection> rule_projections;
  std::vector<ElectricalSynapses> electrical_synapses;
  std::vector<StepCurrent> step_currents;
  std::vector<NoiseCurrent> noise_currents;
  std::vector<SinusoidCurrent> sinusoid_currents;
  std::vector<OrnsteinUhlenbeckCurrent> ornstein_uhlenbeck_currents;
  Readout readout;
  std::map<std::string, std::string> provenance;  ///< Checkpoint, task, options, versions.

  bool operator==(const Network&) const = default;

  /// Number of synapses of all projections together, those of rules included.
  std::int64_t synapses() const;
  /// Number of synapses of a rule.
  std::int64_t synapses(const RuleProjection& rule) const;
  /// Whether anything injects currents.
  bool has_currents() const;
  /// Index of a population. Throws Error(usage) that lists the names.
  std::int64_t population(std::string_view population_name) const;
};

/// Checks everything that the comments above promise. Throws Error(data) that names the part, the
/// value found and what was expected.
void validate(const Network& network);

/// The readout's outputs for the numbers of spikes of its population's neurons in the window.
std::vector<double> read_out(const Readout& readout, std::span<const double> spikes);

}  // namespace afterspike::spiking
