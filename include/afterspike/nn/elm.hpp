#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/nn/neuron_layer.hpp"

namespace afterspike::nn {

/// Nonlinearity between the linear maps of a dendritic MLP.
enum class Activation { relu, silu, relu_squared };

/// Timescales of memory units: initial values and, if they are learned, bounds.
struct MemoryTimescales {
  enum class Scale { logarithmic, linear };

  double min_ms = 1;
  double max_ms = 1000;
  /// Learned timescales lie between min / widening and max * sqrt(widening), so that none starts
  /// where its gradient vanishes.
  double widening = 10;
  /// Scale of learning: the logarithm, so that all move alike, or the value itself.
  Scale scale = Scale::logarithmic;

  void describe(options::Section section);
};

/// Settings of an ELM neuron; the defaults are those of the authors' code.
struct ElmOptions {
  /// v1: a trace per synapse; the input of memory is scaled by lambda (1 - kappa). v2: a trace per
  /// branch; lambda shortens the timescale of the input.
  enum class Version { v1, v2 };
  /// Input of each synapse. none: one synapse per input. random: any input, with replacement.
  /// neuronio: alternately excitatory and inhibitory inputs, branches as overlapping windows.
  enum class Routing { none, random, neuronio };

  Version version = Version::v2;
  double lambda = 5;
  MemoryTimescales memory_tau;
  double synapse_tau_ms = 5;
  std::int64_t mlp_layers = 1;
  std::int64_t mlp_width = 0;  ///< 0: twice the memory units.
  Activation mlp_activation = Activation::relu;
  std::int64_t branches = 0;  ///< 0: a branch per input.
  std::int64_t synapses_per_branch = 1;
  Routing routing = Routing::none;
  std::int64_t routing_seed = 1;
  Initial synapse_weight = Initial::constant(0.5);
  bool rectify_synapses = true;  ///< w_s = max(0, raw): weights at 0 or below learn no more.
  std::string learn = "none";    ///< Trained ones of memory_tau and synapse_tau: "all", "none" or
                                 ///< names.
  double time_step_ms = 0;       ///< dt of the equations; 0: dt of the task.
  double input_dropout = 0, dropout = 0, recurrent_dropout = 0;

  void describe(options::Section section);
};

/// Inputs of the synapses.
struct Routing {
  std::vector<std::int64_t> source;  ///< [synapses]
  std::vector<bool> valid;           ///< [synapses]; invalid ones contribute nothing.

  /// Returns the number of inputs without a synapse.
  std::int64_t unconnected(std::int64_t inputs) const;
};

/// One expressive leaky memory neuron (Spieler et al. 2023, arXiv 2306.16922); a memory unit is a
/// "neuron" of LayerShape, and its output is its memory m. Equations: docs/numerics.md.
///
/// With S synapses on n branches (contiguous blocks of synapses), M memory units and an MLP of
/// width H, the parameters are synapse_weight [S], synapse_tau [S] (v1) or [n] (v2), memory_tau [M]
/// (ms), and of the MLP input_weight [n, H] from the branches, recurrent_weight [M, H] from memory,
/// bias [H], hidden_weight [layers - 1, H, H], hidden_bias [layers - 1, H], output_weight [H, M],
/// output_bias [M]. Without hidden layers H is M and there is no output_weight.
class Elm final : public NeuronLayer {
 public:
  /// `routing` replaces the routing of the options. Throws Error(config) naming a setting out of
  /// range.
  Elm(const LayerShape& shape, const ElmOptions& options,
      const std::optional<Routing>& routing = std::nullopt);

  /// Returns the state: "memory" and "emitted" [batch, M], "trace" [batch, S] (v1) or [batch, n]
  /// (v2).
  NamedTensors initial_state(std::int64_t batch) const override;

  /// Traces for LayerPass::trace: "routed" [steps, batch, S], "trace", "branch" [steps, batch, n],
  /// "delta", "memory" [steps, batch, M].
  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override;

  at::Tensor emissions(const at::Tensor& input, const LayerPass& pass) const override;
  std::optional<Workspace> workspace(std::int64_t steps, std::int64_t rows, Precision precision,
                                     std::size_t limit) const override;

  std::string remark() const override;

  const ElmOptions& options() const noexcept { return options_; }
  const Routing& routing() const noexcept { return routing_; }

 private:
  at::Tensor memory_keep() const;  ///< kappa_m, [M]
  at::Tensor memory_gain() const;  ///< Factor of the output of the MLP, [M].
  at::Tensor route(const at::Tensor& input) const;
  at::Tensor branch_sum(const at::Tensor& synapses) const;
  at::Tensor mlp(const at::Tensor& first) const;
  /// Returns whether all traces have the same fixed timescale.
  bool has_one_trace_keep() const;
  /// Returns the inputs of the MLP from the branches, [steps, batch, n].
  at::Tensor branches(const at::Tensor& input) const;
  /// Returns the traces after the last step, without gradient; `input` after its dropout.
  at::Tensor final_trace(const at::Tensor& input) const;
  /// Returns synapses, branches and the first map of the MLP as one map of the inputs, [inputs, H].
  at::Tensor folded_input_weight() const;

  ElmOptions options_;
  double dt_ms_;
  Routing routing_;
  at::Tensor source_;  ///< [S], int64.
  at::Tensor valid_;   ///< [S] of 0 and 1, float32.
};

}  // namespace afterspike::nn
