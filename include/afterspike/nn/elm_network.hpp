#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "afterspike/kernels/elm_network.hpp"
#include "afterspike/nn/elm.hpp"

namespace afterspike::nn {

/// Settings of a recurrent layer of ELM neurons; the defaults are those of the authors' code if it
/// has any. Sizes of 0 follow from `memory`, the memory units of a neuron.
struct ElmNetworkOptions {
  /// Activity from a neuron's readout.
  enum class Output { relu, identity };

  std::int64_t memory = 5;
  std::int64_t mlp_layers = 1;
  std::int64_t mlp_width = 0;  ///< 0: twice the memory units.
  Activation mlp_activation = Activation::relu_squared;
  std::int64_t branches = 0;             ///< 0: twice the width.
  std::int64_t synapses_per_branch = 0;  ///< 0: as many as branches.
  double input_scale = 1;                ///< Factor of the sum of a branch.
  double lambda = 5;
  bool lambda_as_timescale = true;  ///< As in v2 of ElmOptions; false: as in v1.
  MemoryTimescales memory_tau;
  double branch_tau_ms = 0;     ///< Timescale of branches; 0: none.
  double high_pass_tau_ms = 0;  ///< Timescale of the mean subtracted from a readout; 0: none.
  Output output = Output::relu;
  double recurrent_fraction = -1;  ///< Probability of a recurrent synapse; -1: from the numbers of
                                   ///< inputs and neurons.
  std::int64_t connectome_seed = 1;
  std::optional<Initial> synapse_weight;  ///< nullopt: uniform(-1, 1) / sqrt(synapses_per_branch).
  std::string learn = "none";             ///< Trained timescales: "all", "none" or "memory_tau".
  double time_step_ms = 0;                ///< dt of the equations; 0: dt of the task.
  double input_dropout = 0, dropout = 0, recurrent_dropout = 0;
  bool variational = true;      ///< One mask of input and recurrence for a whole sequence.
  double memory_penalty = 0;    ///< Factor of the mean over neurons of (mean |MLP output|)^2.
  double activity_penalty = 0;  ///< Factor of the mean |activity|.
  bool readout_neurons = true;  ///< A layer of ELM neurons, one per output, before the readout.
  std::int64_t readout_memory = 3, readout_mlp_layers = 0;

  void describe(options::Section section);
};

/// A recurrent layer of ELM neurons (Spieler, Martius, Levina 2026, arXiv 2605.12049): each with
/// its own synapses, MLP and timescales, on a fixed random connectome. Equations: docs/numerics.md.
///
/// With N neurons of S synapses on n branches, M memory units and an MLP of width H, the parameters
/// are memory_tau [N, M] (ms), synapse_weight [N, S], and of the MLPs input_weight [N, n, H],
/// recurrent_weight [N, M, H], bias [N, H], hidden_weight [layers - 1, N, H, H], hidden_bias
/// [layers - 1, N, H], output_weight [N, H, M], output_bias [N, M]; memory_weight [N, M] reads out
/// a neuron's memory, to which threshold [N] is added.
class ElmNetwork final : public NeuronLayer {
 public:
  /// `connectome`, [N, S] of input indices, or input_size plus neuron indices, replaces the random
  /// one. Throws Error(config) naming a setting out of range.
  ElmNetwork(const LayerShape& shape, const ElmNetworkOptions& options,
             const at::Tensor& connectome = {});

  /// Returns the state: "memory" [batch, N, M], "branch" [batch, N, n], "low_pass" and "emitted"
  /// [batch, N].
  NamedTensors initial_state(std::int64_t batch) const override;

  /// Traces for LayerPass::trace, [steps, batch, N, ...]: "branch", "mlp", "memory", "readout",
  /// "low_pass", "activity".
  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override;

  at::Tensor emissions(const at::Tensor& input, const LayerPass& pass) const override;
  std::optional<Workspace> workspace(std::int64_t steps, std::int64_t rows, Precision precision,
                                     std::size_t limit) const override;

  std::string remark() const override;
  bool has_penalty() const override;

  const ElmNetworkOptions& options() const noexcept { return options_; }
  const at::Tensor& connectome() const noexcept { return connectome_; }

 private:
  at::Tensor memory_keep() const;  ///< kappa_m, [N, M]
  at::Tensor memory_gain() const;  ///< Factor of the output of the MLPs, [N, M].
  double branch_keep() const;
  double low_pass_keep() const;
  at::Tensor mlp(const at::Tensor& first) const;
  kernels::ElmNetworkShape kernel_shape(std::int64_t steps, std::int64_t rows) const;
  bool penalised(const LayerPass& pass) const;  ///< Returns whether a penalty is requested and set.
  /// Adds the penalty from the mean over time of |MLP output|, [batch, N], and of |activity|,
  /// [batch].
  void add_penalty(const LayerPass& pass, const at::Tensor& magnitude,
                   const at::Tensor& activity) const;

  ElmNetworkOptions options_;
  double dt_ms_;
  at::Tensor connectome_;  ///< [N, S], int64.
};

}  // namespace afterspike::nn
