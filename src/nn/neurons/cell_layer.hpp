#pragma once

#include "afterspike/base/units.hpp"
#include "afterspike/kernels/rnn.hpp"
#include "afterspike/nn/neuron_layer.hpp"

/// Shared parts of the recurrent units of machine learning: rnn, gru and lstm.
namespace afterspike::nn {

struct CellOptions {
  double input_dropout = 0;
  double dropout = 0;
  double recurrent_dropout = 0;

  void describe(options::Section section);
};

/// Options of units with gates.
struct GatedOptions {
  CellOptions cell;
  /// The longest time that gates begin to keep memory for; 0: gates begin as all else does.
  units::Duration chrono = units::Duration::steps(0);

  void describe(options::Section section);
};

/// A layer whose emissions() a whole-sequence kernel gives. Its parameters are input_weight,
/// recurrent_weight, and input_bias and recurrent_bias; vanilla units have one `bias` instead.
class CellLayer : public NeuronLayer {
 public:
  std::int64_t delay_steps() const override { return delay_; }
  at::Tensor emissions(const at::Tensor& input, const LayerPass& pass) const override;
  std::optional<Workspace> workspace(std::int64_t steps, std::int64_t rows, Precision precision,
                                     std::size_t limit) const override;

 protected:
  /// `delay`: steps after which emissions come back; 1 but for vanilla units.
  CellLayer(const LayerShape& shape, std::vector<ParameterSpec> specs, kernels::RnnCell cell,
            const CellOptions& options, std::int64_t delay = 1);

  kernels::RnnCell cell() const noexcept { return cell_; }
  const CellOptions& options() const noexcept { return options_; }

 private:
  kernels::RnnCell cell_;
  CellOptions options_;
  std::int64_t delay_;
};

/// Weights and the two biases of a cell with gates, initially uniform(-1, 1) / sqrt(units) as in
/// PyTorch: input_weight [I, gates H], recurrent_weight [H, gates H], input_bias and recurrent_bias
/// [gates H].
std::vector<ParameterSpec> gated_specs(const LayerShape& shape, kernels::RnnCell cell);

/// A layer of units with gates.
class GatedLayer : public CellLayer {
 public:
  /// Where chrono is T steps, biases of what memory keeps are log(U), U uniform from 1 to T - 1 for
  /// each unit, those of what an LSTM takes up their negatives: timescales of 2 to T steps (Tallec
  /// and Ollivier 2018). Their specifications say what all else begins with.
  void initialize(const Rng& rng) override;

 protected:
  /// Throws Error(config) where chrono is not 0 and below 3 steps.
  GatedLayer(const LayerShape& shape, kernels::RnnCell cell, const GatedOptions& options);

 private:
  std::int64_t chrono_steps_;
};

/// A neuron model with gates: its options, and layers of type Layer(shape, options) of the cell
/// Layer::kCell.
template <typename Layer>
class GatedModel final : public NeuronModel {
 public:
  void describe(options::Section section) override { options_.describe(section); }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    return gated_specs(shape, Layer::kCell);
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    return std::make_shared<Layer>(shape, options_);
  }

 private:
  GatedOptions options_;
};

}  // namespace afterspike::nn
