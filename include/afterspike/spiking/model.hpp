#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace afterspike::spiking {

class ExactRule;
class GridGroup;
class Source;
struct Layout;
struct Piece;
struct Population;

enum class Range {
  any,           ///< Finite.
  positive,      ///< Above 0.
  not_negative,  ///< 0 or above.
  fraction,      ///< 0 to 1.
};

/// Number of values of a parameter.
enum class Extent {
  neuron,   ///< One for each neuron: [size].
  current,  ///< One for each after-spike current and neuron: [currents, size].
};

/// A parameter of a model. Files, checks, defaults and listings are derived from it.
struct Parameter {
  std::string_view name;    ///< "capacitance": the key in Population::columns and in files.
  std::string_view symbol;  ///< As in NEST: "C_m".
  std::string_view unit;    ///< "pF"; "1" without a dimension.
  Range range = Range::any;
  Extent extent = Extent::neuron;
  /// Default: one value, or one for each after-spike current. Empty: it has none.
  std::vector<double> initial = {};
};

/// The effect of a spike of weight w on its target.
enum class SynapseShape {
  alpha,        ///< A current w (e t / tau) exp(-t / tau): its peak is w pA.
  exponential,  ///< A current w exp(-t / tau), w in pA.
  delta,        ///< The voltage jumps by w mV.
  model,        ///< Each receptor has the shape that Model::receptors states.
};

/// A receptor that every neuron of a model has.
struct Receptor {
  std::string_view name;  ///< "excitatory"
  std::string_view unit;  ///< Unit of weights: "pA", "mV" or "nS". Conductances are not negative.
  SynapseShape shape = SynapseShape::exponential;  ///< Shape of the current or the conductance.
};

/// A state variable, or a sum of some, that can be recorded.
struct Variable {
  std::string_view name;  ///< "V", "w", "g_ex"
  std::string_view unit;
};

/// A published parameter set.
struct Preset {
  std::string_view name;    ///< "bursting"
  std::string_view source;  ///< "Naud et al. 2008, table 1"
  /// By symbol; parameters that are not named keep their defaults.
  std::vector<std::pair<std::string_view, std::vector<double>>> values;
};

/// Mechanisms of a leaky membrane that is linear between spikes (GLIF1 to GLIF5, LIF).
struct LeakyMechanisms {
  bool spike_threshold = false;       ///< The threshold jumps, and a rule resets the voltage.
  bool after_spike_currents = false;  ///< Spikes add to currents.
  bool voltage_threshold = false;     ///< The threshold follows the voltage.
  bool reached_is_crossed = false;    ///< Grid: spikes if V = threshold, not only above.
};

/// Input of a source besides its parameters: Population::trains, a signal that the caller of a
/// simulation gives, or Population::rates.
enum class SourceInput { none, trains, signal, rates };

/// A neuron model or a source. Everything that the simulator knows of it stands here.
struct Model {
  std::vector<Parameter> parameters;

  /// Receptors that every neuron has. Empty: a population chooses a shape of `shapes` and up to
  /// `max_receptors` receptors with time constants of their own.
  std::vector<Receptor> receptors = {};
  std::vector<SynapseShape> shapes = {};
  std::int64_t max_receptors = 0;

  std::vector<Variable> variables = {};  ///< Can be recorded; the voltage is "V".
  std::vector<Preset> presets = {};

  std::string_view current_unit = {};  ///< Unit of injected currents; empty: the model takes none.
  bool has_own_grid = false;           ///< Exists at the network's time step only.
  bool has_copies = false;             ///< Population::copies may exceed 1.

  /// Set for leaky neurons, which both engines and the exchange formats know.
  std::optional<LeakyMechanisms> leaky = {};

  /// Computes a piece of a population in steps. Null for sources.
  std::unique_ptr<GridGroup> (*make_grid)(const Layout&, const Piece&) = nullptr;
  /// Computes a piece of a population from event to event. Null: the exact engine cannot.
  std::unique_ptr<ExactRule> (*make_exact)(const Layout&, const Piece&) = nullptr;
  /// The reason for a null `make_exact`, as the end of a sentence: "..., which is a map from step
  /// to step".
  std::string_view no_exact = {};
  /// A limit of `make_exact`, after "exact ": "without synapses at receptor `current`".
  std::string_view exact_limit = {};

  /// Emits the spikes of a source. Null for neurons.
  std::unique_ptr<Source> (*make_source)(const Layout&, std::int64_t population) = nullptr;
  SourceInput source_input = SourceInput::none;

  bool is_source() const { return make_source != nullptr; }
  /// Index of a variable; "V_m" means "V". Throws Error(usage) that lists the names.
  std::size_t variable(std::string_view variable_name) const;
};

struct ModelEntry {
  std::string_view name, summary;
  Model model;
  /// Equations in Markdown, for docs/models.md.
  std::string equations = {};
  std::string source = {};  ///< Paper that defines the model and its defaults.
};

/// All models, in the order of src/spiking/models/CMakeLists.txt.
std::span<const ModelEntry> models();

/// The model called `name`. Throws Error(usage) that lists the names.
const Model& model(std::string_view name);

}  // namespace afterspike::spiking
