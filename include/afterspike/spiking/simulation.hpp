#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/spiking/network.hpp"

/// Simulation of spiking networks (docs/simulation.md).
namespace afterspike::spiking {

/// How a population is computed.
enum class Engine {
  grid,   ///< In steps of dt; NEST's rules. Every model.
  exact,  ///< From event to event in closed form, spikes at their exact times. Models with a closed
          ///< form.
};

struct Options {
  std::uint64_t seed;  ///< Seed of Poisson sources, noise currents and escaping thresholds.
  Engine engine = Engine::grid;
  std::map<std::string, Engine> engines = {};  ///< Populations that are computed otherwise.
  double dt_ms = 0;                            ///< Step of the grid; 0: the network's.
  ElectricalCoupling coupling = ElectricalCoupling::previous_step;
  int threads = 1;  ///< Results are the same for any number.
  /// Rounds weights to float32, 8 bytes a synapse. Without, they are kept as they are: in 8 bytes
  /// where each is a float32 already, else in 12.
  bool float32_weights = false;
};

struct Spike {
  double time_ms;
  std::int64_t population, neuron;  ///< Copies counted (Population::copies).

  bool operator==(const Spike&) const = default;
};

/// Samples at interval_ms, 2 interval_ms, ...: the state after all that happened until then.
struct Recording {
  std::int64_t population = 0;
  std::string variable;  ///< A name in Model::variables.
  double interval_ms = 0;
  std::vector<std::int64_t> neurons;
  std::vector<double> times_ms;
  std::vector<double> values;  ///< [times, neurons]
};

/// Counts since the beginning or the last reset().
struct Statistics {
  std::int64_t spikes = 0;           ///< Spikes of neurons; sources do not count.
  std::int64_t synaptic_events = 0;  ///< Arrivals at neurons, those from sources included; at all
                                     ///< copies of a neuron together one.
  std::int64_t source_events = 0;    ///< Arrivals from sources alone.
  std::int64_t cell_events = 0;      ///< synaptic_events with one for each copy of the target.
  std::int64_t source_cell_events = 0;  ///< source_events with one for each copy of the target.
  std::int64_t neuron_steps = 0;        ///< Steps of neurons on the grid.

  Statistics& operator+=(const Statistics& other);
};

/// Everything that decides the future: restored into a simulation of the same network, options (but
/// the number of threads) and sources, it goes on with the same spikes.
struct State {
  double time_ms = 0;
  std::map<std::string, std::vector<double>> arrays;

  bool operator==(const State&) const = default;
};

/// The version of the file of a state (docs/simulation.md) that is written, and the only one read:
/// states serve to go on with the same program.
inline constexpr std::int64_t kStateVersion = 2;

void write_state(const std::filesystem::path& path, const State& state);
/// Throws Error(data) that names the file and what is wrong in it.
State read_state(const std::filesystem::path& path);

/// A network that runs. Not thread-safe; it uses threads of its own.
///
/// Time goes on in windows of the smallest delay between neurons, within which neurons do not
/// depend on each other.
class Simulation {
 public:
  /// Takes a valid network and frees its lists of synapses once they are stored for simulation.
  /// Throws Error(data) if the network is not valid, and Error(config) if an engine cannot compute
  /// a population, if delays or the time step do not fit the grid, or if a delay exceeds a million
  /// steps of the grid or a million windows of the smallest delay between neurons.
  Simulation(Network&& network, const Options& options);
  /// Copies the network, for callers that still need it.
  Simulation(const Network& network, const Options& options);
  ~Simulation();
  Simulation(Simulation&&) noexcept;
  Simulation& operator=(Simulation&&) noexcept;

  /// The spikes of a spike_source from now on, instead of the network's. Throws Error(data).
  void set_trains(std::string_view population, const SpikeTrains& trains);

  /// The values of an analog_source, [steps, size], a row for each time step of the network,
  /// whatever that of the grid: row t reaches the targets at t time_step_ms + delay, times the
  /// weight. 0 afterwards. Throws Error(data).
  void set_signal(std::string_view population, std::span<const double> values);

  /// Records a variable of the population's model ("V", "w", ...; `afterspike list models` names
  /// them) from now on; returns the index for recording(). Empty `neurons`: all; copies counted.
  /// The interval must be whole steps for a population on the grid. Throws Error(config), or
  /// Error(usage) that lists the model's variables.
  std::size_t record(std::string_view population, std::string_view variable, double interval_ms,
                     std::vector<std::int64_t> neurons = {});

  /// Runs until this time, a whole number of steps where a population is on the grid. Throws
  /// Error(config) for a time before now, off the grid, or above 1e12 ms or 2^48 windows or
  /// intervals of a noise current, and then has not run; Error(numeric) for a neuron that would
  /// fire without end at one time.
  void run_until(double time_ms);

  double now_ms() const;

  /// The network that runs, without the synapses of its projections.
  const Network& network() const;

  /// The spikes of all populations but sources since the last clear_spikes(), by time, population
  /// and neuron.
  const std::vector<Spike>& spikes() const;
  void clear_spikes();

  const Recording& recording(std::size_t index) const;
  Statistics statistics() const;

  /// Back to time 0 and the initial state; trains and signals stay, recordings and spikes are
  /// emptied.
  void reset();
  /// The same with another seed.
  void reset(std::uint64_t seed);

  State save() const;
  /// Throws Error(data) for a state of another network or a damaged one; then nothing has changed.
  void restore(const State& state);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::spiking
