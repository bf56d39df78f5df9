#include "cell_layer.hpp"

#include <cmath>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "kernel_pass.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {

void CellOptions::describe(options::Section section) {
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input of each layer.");
  describe_dropout(section, "dropout", dropout, "Dropout of what units emit, towards everything.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of what units emit, towards the recurrent weights only.");
}

void GatedOptions::describe(options::Section section) {
  section.duration(
      "chrono", chrono,
      "Gates begin with timescales up to this, such as 1000steps; 0 steps: as PyTorch's.");
  cell.describe(section);
}

CellLayer::CellLayer(const LayerShape& shape, std::vector<ParameterSpec> specs,
                     kernels::RnnCell cell, const CellOptions& options, std::int64_t delay)
    : NeuronLayer(shape, std::move(specs)), cell_(cell), options_(options), delay_(delay) {}

at::Tensor CellLayer::emissions(const at::Tensor& input, const LayerPass& pass) const {
  if (!takes_kernel(input, pass)) return NeuronLayer::emissions(input, pass);
  const at::Tensor arriving = dropout(input, options_.input_dropout, pass);
  NamedTensors parameters;
  for (const ParameterSpec& spec : specs()) {
    parameters[spec.name == "bias" ? "input_bias" : spec.name] = raw(spec.name);
  }
  const std::int64_t steps = input.size(0), rows = input.size(1), units = shape().neurons;
  const KernelCall<kernels::Rnn> call{{cell_, steps, rows, input.size(2), units, delay_},
                                      {},
                                      std::move(parameters),
                                      PassMasks(pass, steps, rows, units, options_.dropout,
                                                options_.recurrent_dropout, input.scalar_type()),
                                      pass.first,
                                      Precision::float32,
                                      {},
                                      allocate_final_state(pass, rows)};
  return run_kernel(arriving, call,
                    beside_dropped_input(pass.execution, options_.input_dropout, input))[0];
}

std::optional<NeuronLayer::Workspace> CellLayer::workspace(std::int64_t steps, std::int64_t rows,
                                                           Precision precision,
                                                           std::size_t limit) const {
  return kernel_workspace<kernels::Rnn>(
      {cell_, steps, rows, shape().input_size, shape().neurons, delay_},
      {options_.input_dropout, options_.dropout, options_.recurrent_dropout}, precision, limit);
}

GatedLayer::GatedLayer(const LayerShape& shape, kernels::RnnCell cell, const GatedOptions& options)
    : CellLayer(shape, gated_specs(shape, cell), cell, options.cell),
      chrono_steps_(options.chrono.in_steps(shape.dt_ms, "chrono")) {
  require(chrono_steps_ == 0 || chrono_steps_ >= 3, ErrorKind::config,
          "chrono is {} steps of {} ms, expected 0, or 3 or more", chrono_steps_, shape.dt_ms);
}

void GatedLayer::initialize(const Rng& rng) {
  NeuronLayer::initialize(rng);
  if (chrono_steps_ == 0) return;
  const std::int64_t units = shape().neurons;
  Rng stream = rng.stream("chrono");
  at::Tensor bias = at::empty({units}, at::kDouble);
  for (std::int64_t unit = 0; unit < units; ++unit) {
    bias.data_ptr<double>()[unit] =
        std::log(stream.uniform(1, static_cast<double>(chrono_steps_ - 1)));
  }
  const at::NoGradGuard no_grad;
  const auto begin = [&](std::int64_t gate, const at::Tensor& values) {
    raw("input_bias").narrow(0, gate * units, units).copy_(values);
    raw("recurrent_bias").narrow(0, gate * units, units).zero_();
  };
  begin(1, bias);  // f of an LSTM, z of a GRU.
  if (cell() == kernels::RnnCell::lstm) begin(0, -bias);
}

std::vector<ParameterSpec> gated_specs(const LayerShape& shape, kernels::RnnCell cell) {
  const double bound = 1 / std::sqrt(static_cast<double>(shape.neurons));
  const Initial initial = Initial::uniform(-bound, bound);
  const std::int64_t width = kernels::rnn_gates(cell) * shape.neurons;
  return {{"input_weight", "W_i", "1", {shape.input_size, width}, {}, initial},
          {"recurrent_weight", "W_h", "1", {shape.neurons, width}, {}, initial},
          {"input_bias", "b_i", "1", {width}, {}, initial, ParameterGroup::bias},
          {"recurrent_bias", "b_h", "1", {width}, {}, initial, ParameterGroup::bias}};
}

}  // namespace afterspike::nn
