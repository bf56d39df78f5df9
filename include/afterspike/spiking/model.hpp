#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace afterspike::spiking {

/// How a population comes to emit.
enum class Dynamics {
  leaky,           ///< A leaky membrane that spikes at a threshold: GLIF1 to GLIF5, LIF.
  glifr,           ///< The discrete map of GLIFR, with a hard or an escaping threshold.
  spike_source,    ///< Recorded spikes.
  poisson_source,  ///< Random spikes at a rate.
  analog_source,   ///< One number for each step, which reaches its targets times the weight.
};

enum class Range { any, positive, not_negative };

/// A parameter of a model: the one statement of it. Files, checks and listings are derived.
struct Column {
  std::string_view name;    ///< "capacitance": the key in Population::columns and in files.
  std::string_view symbol;  ///< As in NEST: "C_m".
  std::string_view unit;    ///< "pF"; "1" where there is none.
  Range range = Range::any;
  bool per_current = false;  ///< One value for each after-spike current and neuron.
};

/// A neuron model or source. Which mechanisms a leaky one has decides its rule
/// (docs/simulation.md).
struct Model {
  Dynamics dynamics = Dynamics::leaky;
  bool spike_threshold = false;       ///< Threshold jumps, and the voltage is reset by a rule.
  bool after_spike_currents = false;  ///< Currents that a spike adds to.
  bool voltage_threshold = false;     ///< The threshold follows the voltage.
  bool reached_is_crossed = false;    ///< On a grid: a spike where V = threshold, not only above.
  std::vector<Column> columns;

  bool is_source() const { return dynamics > Dynamics::glifr; }
};

struct ModelEntry {
  std::string_view name, summary;
  Model model;
};

/// All models, in the order of src/spiking/models/CMakeLists.txt.
std::span<const ModelEntry> models();

/// The model called `name`. Throws Error(usage) that lists the names.
const Model& model(std::string_view name);

}  // namespace afterspike::spiking
