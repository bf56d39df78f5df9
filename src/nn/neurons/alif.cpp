#include "afterspike/kernels/alif.hpp"

#include <cmath>
#include <deque>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "kernel_pass.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {
namespace {

/// Settings of a layer of adaptive LIF neurons. Initial values are in physical units.
struct AlifOptions {
  Initial threshold = Initial::constant(1);               ///< V_th, mV.
  Initial membrane_tau = Initial::constant(20);           ///< ms
  Initial adaptation_tau = Initial::log_spaced(30, 500);  ///< ms
  Initial adaptation_strength = Initial::constant(1);     ///< mV
  std::string learn = "all";  ///< Trained intrinsic parameters: "all", "none", or names.
  units::Duration delay = units::Duration::steps(1);
  double sigma_mV = 1;
  double input_dropout = 0, dropout = 0, recurrent_dropout = 0;
};

std::vector<ParameterSpec> alif_specs(const LayerShape& shape, const AlifOptions& options) {
  const std::vector<std::int64_t> each = {shape.neurons};
  const Transform tau = Transform::log_bounded(0.1 * shape.dt_ms, 1e5 * shape.dt_ms);
  const auto group = ParameterGroup::intrinsic;
  std::vector<ParameterSpec> specs = {
      {"threshold", "V_th", "mV", each, Transform::identity(), options.threshold, group},
      {"membrane_tau", "tau_m", "ms", each, tau, options.membrane_tau, group},
      {"adaptation_tau", "tau_a", "ms", each, tau, options.adaptation_tau, group},
      {"adaptation_strength", "beta", "mV", each, Transform::identity(),
       options.adaptation_strength, group}};
  set_trainable(specs, options.learn);
  const double bound = 1 / std::sqrt(static_cast<double>(shape.neurons));
  const Initial initial = Initial::uniform(-bound, bound);
  specs.push_back(
      {"input_weight", "W_in", "mV/step", {shape.input_size, shape.neurons}, {}, initial});
  specs.push_back(
      {"recurrent_weight", "W_rec", "mV/step", {shape.neurons, shape.neurons}, {}, initial});
  return specs;
}

/// Adaptive leaky integrate-and-fire neurons with a smooth threshold, after Bellec et al. 2018.
///
/// State: "emitted" [delay, batch, H] with the latest last, "voltage" mV and "adaptation" [batch,
/// H]. Trace: "synaptic" mV per step, "voltage" mV, "adaptation", "rate" before silencing.
class Alif final : public NeuronLayer {
 public:
  Alif(const LayerShape& shape, const AlifOptions& options)
      : NeuronLayer(shape, alif_specs(shape, options)),
        options_(options),
        dt_ms_(shape.dt_ms),
        delay_steps_(nn::delay_steps(options.delay, shape.dt_ms, "alif")) {}

  bool has_threshold_softness() const override { return true; }
  std::int64_t delay_steps() const override { return delay_steps_; }
  bool has_bfloat16() const override {
    return raw("threshold").scalar_type() == at::kFloat && has_kernel(raw("threshold")) &&
           kernels::has_bfloat16();
  }

  NamedTensors initial_state(std::int64_t batch) const override {
    const at::Tensor zeros = at::zeros({batch, shape().neurons}, tensor_options());
    return {{"emitted", at::zeros({delay_steps_, batch, shape().neurons}, tensor_options())},
            {"voltage", zeros},
            {"adaptation", zeros}};
  }

  at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                     const LayerPass& pass) const override;

  at::Tensor emissions(const at::Tensor& input, const LayerPass& pass) const override {
    if (!takes_kernel(input, pass, kernels::Alif::kBfloat16)) {
      return NeuronLayer::emissions(input, pass);
    }
    const at::Tensor arriving = nn::dropout(input, options_.input_dropout, pass);
    const std::int64_t steps = input.size(0), rows = input.size(1), neurons = shape().neurons;
    const KernelCall<kernels::Alif> call{{steps, rows, input.size(2), neurons, delay_steps_},
                                         {slope(pass)},
                                         coefficients(),
                                         PassMasks(pass, steps, rows, neurons, options_.dropout,
                                                   options_.recurrent_dropout, input.scalar_type()),
                                         pass.first,
                                         pass.execution.precision,
                                         {},
                                         allocate_final_state(pass, rows)};
    return run_kernel(arriving, call,
                      beside_dropped_input(pass.execution, options_.input_dropout, input))[0];
  }

  std::optional<Workspace> workspace(std::int64_t steps, std::int64_t rows, Precision precision,
                                     std::size_t limit) const override {
    return kernel_workspace<kernels::Alif>(
        {steps, rows, shape().input_size, shape().neurons, delay_steps_},
        {options_.input_dropout, options_.dropout, options_.recurrent_dropout}, precision, limit);
  }

 private:
  double slope(const LayerPass& pass) const {
    return 1 / pass.sigma_mV.value_or(options_.sigma_mV);
  }

  /// The coefficients of the equations by their names in kernels/alif.hpp.
  NamedTensors coefficients() const {
    return {{"threshold", physical("threshold")},
            {"strength", physical("adaptation_strength")},
            {"keep", at::exp(-dt_ms_ / physical("membrane_tau"))},
            {"adaptation_keep", at::exp(-dt_ms_ / physical("adaptation_tau"))},
            {"input_weight", raw("input_weight")},
            {"recurrent_weight", raw("recurrent_weight")}};
  }

  AlifOptions options_;
  double dt_ms_;
  std::int64_t delay_steps_;
};

at::Tensor Alif::forward(const at::Tensor& input, NamedTensors& state,
                         const LayerPass& pass) const {
  const NamedTensors c = coefficients();
  const at::Tensor &threshold = c.at("threshold"), &kept = c.at("adaptation_keep");
  const at::Tensor drive =
      at::matmul(nn::dropout(input, options_.input_dropout, pass), raw("input_weight"));
  const std::vector<at::Tensor> past = state.at("emitted").unbind(0);
  std::deque<at::Tensor> line(past.begin(), past.end());  // The last emissions, oldest first.
  at::Tensor voltage = state.at("voltage"), adaptation = state.at("adaptation");
  std::vector<at::Tensor> emissions;
  std::map<std::string, std::vector<at::Tensor>> records;
  for (const at::Tensor& step_drive : drive.unbind(0)) {
    const at::Tensor delayed = nn::dropout(line.front(), options_.recurrent_dropout, pass);
    const at::Tensor synaptic = at::addmm(step_drive, delayed, raw("recurrent_weight"));
    const at::Tensor before = line.back();
    voltage = at::addcmul(synaptic, c.at("keep"), voltage) - threshold * before;
    adaptation = at::addcmul(before, kept, adaptation - before);
    const at::Tensor above = voltage - threshold - c.at("strength") * adaptation;
    const at::Tensor rate = at::sigmoid(above * slope(pass));
    emissions.push_back(silence(nn::dropout(rate, options_.dropout, pass), pass));
    line.pop_front();
    line.push_back(emissions.back());
    if (pass.trace == nullptr) continue;
    records["synaptic"].push_back(synaptic);
    records["voltage"].push_back(voltage);
    records["adaptation"].push_back(adaptation);
    records["rate"].push_back(rate);
  }
  for (const auto& [name, steps] : records) (*pass.trace)[name] = at::stack(steps);
  state = {{"emitted", at::stack(std::vector<at::Tensor>(line.begin(), line.end()))},
           {"voltage", voltage},
           {"adaptation", adaptation}};
  return at::stack(emissions);
}

class AlifModel final : public NeuronModel {
 public:
  void describe(options::Section section) override {
    describe_initial(section, "threshold", options_.threshold, "Initial threshold, mV.");
    describe_initial(section, "membrane_tau", options_.membrane_tau,
                     "Initial time constant of the membrane, ms.");
    describe_initial(section, "adaptation_tau", options_.adaptation_tau,
                     "Initial time constant of the adaptation, ms.");
    describe_initial(section, "adaptation_strength", options_.adaptation_strength,
                     "Initial rise of the threshold per unit of adaptation, mV.");
    section.add("learn", options_.learn,
                "Trained intrinsic parameters: all, none, or names with commas.");
    section.duration("delay", options_.delay,
                     "Delay of the recurrent synapses, such as 15ms or 300steps.");
    section
        .quantity("sigma", options_.sigma_mV, "mV",
                  "Softness of the threshold; towards 0 the neuron spikes.")
        .above(0)
        .at_least(options::kSmallest)
        .bounded();
    describe_dropout(section, "input_dropout", options_.input_dropout, "Dropout of the input.");
    describe_dropout(section, "dropout", options_.dropout, "Dropout of activity.");
    describe_dropout(section, "recurrent_dropout", options_.recurrent_dropout,
                     "Dropout of activity towards the recurrent synapses only.");
  }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    return alif_specs(shape, options_);
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    require(shape.dt_ms > 0, ErrorKind::config,
            "alif: the time step is {} ms. It must be above 0 ms.", shape.dt_ms);
    return std::make_shared<Alif>(shape, options_);
  }

 private:
  AlifOptions options_;
};

}  // namespace

NeuronEntry entry_alif() {
  return {"alif", "leaky integrate-and-fire rate neurons with an adaptive threshold",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<AlifModel>()); }};
}

}  // namespace afterspike::nn
