#include "afterspike/nn/glif.hpp"

#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "glif_composed.hpp"
#include "kernel_pass.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {
namespace {

using kernels::GlifInput;

/// Part of a step by which a time may exceed a whole number of steps, as in the simulator.
constexpr double kSlack = 1e-6;

/// At or below this softness every threshold is hard.
constexpr double kHard_mV = 1e-9;

/// Softness of the threshold from which on the refractory period counts fractions of steps.
constexpr double kSoft_mV = 1;

/// Longest refractory period that a layer keeps spikes for, in steps.
constexpr double kMostSteps = 20000;

GlifOptions validated(const GlifOptions& options, double dt_ms) {
  require(dt_ms > 0, ErrorKind::config, "glif: the time step is {} ms. It must be above 0 ms.",
          dt_ms);
  require(options.level >= 1 && options.level <= 5, ErrorKind::config,
          "glif: level is {}, expected 1 to 5", options.level);
  require(options.refractory_max_ms > dt_ms, ErrorKind::config,
          "glif: refractory_max is {} ms. It must be above the time step, {} ms.",
          options.refractory_max_ms, dt_ms);
  require(options.refractory_max_ms / dt_ms <= kMostSteps, ErrorKind::config,
          "glif: refractory_max is {} ms. It must be at most {} steps of {} ms.",
          options.refractory_max_ms, kMostSteps, dt_ms);
  return options;
}

/// Columns of the input weights for each neuron.
std::int64_t driven(const GlifOptions& options) {
  const std::int64_t synapses = options.input == GlifInput::current ? 0 : options.receptors;
  return synapses + (options.input == GlifInput::synapses ? 0 : 1);
}

/// The given distribution; unless it is 0, uniform within the scale of currents over the square
/// root of `fan_in`.
Initial weight_initial(const Initial& given, const GlifOptions& options, std::int64_t fan_in) {
  if (given.kind != Initial::Kind::constant || given.first != 0) return given;
  const double bound = options.current_scale_pA / std::sqrt(static_cast<double>(fan_in));
  return Initial::uniform(-bound, bound);
}

std::vector<ParameterSpec> threshold_specs(const LayerShape& shape, const GlifOptions& o) {
  const std::vector<std::int64_t> each = {shape.neurons};
  const Transform rate = Transform::log_bounded(1e-4, 10), part = Transform::bounded(0, 1);
  const auto group = ParameterGroup::intrinsic;
  std::vector<ParameterSpec> specs;
  if (o.has_spike_threshold()) {
    specs = {{"threshold_spike_add", "th_spike_add", "mV", each, Transform::log_bounded(0.01, 100),
              o.threshold_spike_add, group},
             {"threshold_spike_decay", "th_spike_decay", "1/ms", each, rate,
              o.threshold_spike_decay, group},
             {"reset_fraction", "f_v", "1", each, part, o.reset_fraction, group}};
  }
  if (o.has_voltage_threshold()) {
    specs.push_back({"threshold_voltage_index", "a_v", "1/ms", each, Transform::scaled(0.01),
                     o.threshold_voltage_index, group});
    specs.push_back(
        {"threshold_voltage_decay", "b_v", "1/ms", each, rate, o.threshold_voltage_decay, group});
  }
  return specs;
}

std::vector<ParameterSpec> intrinsic_specs(const LayerShape& shape, const GlifOptions& o) {
  const std::vector<std::int64_t> each = {shape.neurons};
  const auto group = ParameterGroup::intrinsic;
  const Transform refractory = Transform::bounded(shape.dt_ms * (1 - kSlack), o.refractory_max_ms);
  std::vector<ParameterSpec> specs = {
      {"capacitance", "C", "pF", each, Transform::log_bounded(10, 1e3), o.capacitance, group},
      {"conductance", "g", "nS", each, Transform::log_bounded(1, 100), o.conductance, group},
      {"threshold", "theta", "mV", each, Transform::log_bounded(1, 100), o.threshold, group},
      {"reset", "V_reset", "mV", each, Transform::below(-100, "threshold"), o.reset, group},
      {"refractory", "t_ref", "ms", each, refractory, o.refractory, group},
      {"synapse_tau",
       "tau_syn",
       "ms",
       {o.receptors, shape.neurons},
       Transform::log_bounded(0.01, 1e3),
       o.synapse_tau,
       group}};
  const auto more = threshold_specs(shape, o);
  specs.insert(specs.end(), more.begin(), more.end());
  if (o.currents() == 0) return specs;
  const std::vector<std::int64_t> currents = {o.currents(), shape.neurons};
  specs.push_back({"after_spike_decay", "k_j", "1/ms", currents, Transform::log_bounded(1e-4, 10),
                   o.after_spike_decay, group});
  specs.push_back({"after_spike_multiplier", "f_j", "1", currents, Transform::bounded(0, 1),
                   o.after_spike_multiplier, group});
  specs.push_back({"after_spike_amplitude", "a_j", "pA", currents,
                   Transform::scaled(o.current_scale_pA), o.after_spike_amplitude, group});
  return specs;
}

std::vector<ParameterSpec> glif_specs(const LayerShape& shape, const GlifOptions& given) {
  const GlifOptions o = validated(given, shape.dt_ms);
  std::vector<ParameterSpec> specs = intrinsic_specs(shape, o);
  set_trainable(specs, o.learn);
  const Transform scaled = Transform::scaled(o.current_scale_pA);
  specs.push_back({"input_weight",
                   "W_in",
                   "pA",
                   {shape.input_size, driven(o) * shape.neurons},
                   scaled,
                   weight_initial(o.input_weight, o, shape.input_size)});
  specs.push_back({"recurrent_weight",
                   "W_rec",
                   "pA",
                   {shape.neurons, o.receptors * shape.neurons},
                   scaled,
                   weight_initial(o.recurrent_weight, o, shape.neurons)});
  return specs;
}

/// (x - 1 + exp(-x)) / x^2, to full precision also near 0.
at::Tensor second_mean(const at::Tensor& x) {
  const at::Tensor small = x.abs() < 0.5;
  const at::Tensor safe = at::where(small, at::ones_like(x), x);
  at::Tensor series = at::zeros_like(x);
  for (int order = 15; order >= 2; --order) {
    series = 1.0 / order * (1 - x * series);  // 1/2 (1 - x/3 (1 - x/4 (...)))
  }
  return at::where(small, series, (1 + at::expm1(-safe) / safe) / safe);
}

/// (1 - exp(-x)) / x, the mean of an exponential decay, to full precision also near 0.
at::Tensor first_mean(const at::Tensor& x) {
  const at::Tensor small = x.abs() < 0.5;
  const at::Tensor safe = at::where(small, at::ones_like(x), x);
  return at::where(small, 1 - x * second_mean(x), -at::expm1(-safe) / safe);
}

/// (exp(-first t) - exp(-second t)) / (second - first)
at::Tensor convolved(const at::Tensor& first, const at::Tensor& second, double time) {
  return time * at::exp(-first * time) * first_mean((second - first) * time);
}

}  // namespace

Glif::Glif(const LayerShape& shape, const GlifOptions& options)
    : NeuronLayer(shape, glif_specs(shape, options)),
      options_(options),
      dt_ms_(shape.dt_ms),
      delay_steps_(nn::delay_steps(options.delay, shape.dt_ms, "glif")),
      refractory_steps_(
          static_cast<std::int64_t>(std::ceil(options.refractory_max_ms / shape.dt_ms - kSlack))) {}

NamedTensors Glif::initial_state(std::int64_t batch) const {
  const auto zeros = [&](std::int64_t count) {
    return at::zeros({count, batch, shape().neurons}, tensor_options());
  };
  NamedTensors state = {{"emitted", zeros(delay_steps_)},
                        {"spiked", zeros(refractory_steps_)},
                        {"voltage", zeros(1)[0]},
                        {"synaptic", zeros(options_.receptors)}};
  if (options_.alpha) state["rise"] = zeros(options_.receptors);
  if (options_.has_spike_threshold()) state["threshold_spike"] = zeros(1)[0];
  if (options_.has_voltage_threshold()) state["threshold_voltage"] = zeros(1)[0];
  if (options_.currents() > 0) state["after_spike_current"] = zeros(options_.currents());
  return state;
}

kernels::GlifShape Glif::kernel_shape(std::int64_t steps, std::int64_t rows) const {
  return {steps,
          rows,
          shape().input_size,
          shape().neurons,
          delay_steps_,
          refractory_steps_,
          options_.currents(),
          options_.receptors,
          options_.input,
          options_.alpha,
          options_.has_spike_threshold(),
          options_.has_voltage_threshold()};
}

kernels::GlifSettings Glif::settings(const LayerPass& pass) const {
  const double sigma = std::max(pass.sigma_mV.value_or(options_.sigma_mV), kHard_mV);
  return {1 / sigma, pass.spikes || sigma == kHard_mV, sigma};
}

at::Tensor Glif::waiting(const LayerPass& pass) const {
  const at::Tensor earlier = at::arange(refractory_steps_, tensor_options()).unsqueeze(1);
  const at::Tensor left = physical("refractory") / dt_ms_ - kSlack - earlier;
  // The period has a gradient, of 0, also where nothing else depends on it.
  if (settings(pass).hard) return left.gt(0).to(left.scalar_type()) + 0 * left;
  const double softness = std::min(1.0, pass.sigma_mV.value_or(options_.sigma_mV) / kSoft_mV);
  return at::clamp(left / softness, 0, 1);
}

NamedTensors Glif::coefficients(const LayerPass& pass) const {
  const at::Tensor conductance = physical("conductance"), refractory = physical("refractory");
  const at::Tensor membrane = conductance / physical("capacitance");
  const at::Tensor synapse = 1 / physical("synapse_tau");
  NamedTensors c = {
      {"keep", at::exp(-membrane * dt_ms_)},
      {"gain", -at::expm1(-membrane * dt_ms_) / conductance},
      {"threshold", physical("threshold")},
      {"reset", physical("reset")},
      {"waiting", waiting(pass)},
      {"synapse_keep", at::exp(-synapse * dt_ms_)},
      {"synapse_gain", convolved(synapse, membrane, dt_ms_) / physical("capacitance")},
      {"input_weight", physical("input_weight")},
      {"recurrent_weight", physical("recurrent_weight")}};
  if (options_.alpha) {
    c["rise_gain"] = dt_ms_ * dt_ms_ * c["synapse_keep"] *
                     second_mean((membrane - synapse) * dt_ms_) / physical("capacitance");
    c["rise_keep"] = dt_ms_ * c["synapse_keep"];
    c["rise_jump"] = std::numbers::e * synapse;
  }
  if (options_.has_spike_threshold()) {
    const at::Tensor decay = physical("threshold_spike_decay");
    c["fraction"] = physical("reset_fraction");
    c["spike_keep"] = at::exp(-decay * dt_ms_);
    c["spike_refractory"] = at::exp(-decay * refractory);
    c["spike_add"] = physical("threshold_spike_add");
  }
  if (options_.has_voltage_threshold()) {
    const at::Tensor index = physical("threshold_voltage_index");
    const at::Tensor decay = physical("threshold_voltage_decay");
    c["part_keep"] = at::exp(-decay * dt_ms_);
    c["part_gain"] = index * convolved(membrane, decay, dt_ms_);
    c["part_drive"] = (-index * at::expm1(-decay * dt_ms_) / decay - c["part_gain"]) / conductance;
  }
  if (options_.currents() > 0) {
    const at::Tensor decay = physical("after_spike_decay");
    c["current_keep"] = at::exp(-decay * dt_ms_);
    c["current_mean"] = first_mean(decay * dt_ms_);
    c["current_factor"] = physical("after_spike_multiplier") * at::exp(-decay * refractory);
    c["current_add"] = physical("after_spike_amplitude");
  }
  return c;
}

at::Tensor Glif::forward(const at::Tensor& input, NamedTensors& state,
                         const LayerPass& pass) const {
  const NamedTensors c = coefficients(pass);
  ComposedGlif neurons(options_, c, settings(pass), state);
  const std::int64_t batch = input.size(1), size = shape().neurons;
  const at::Tensor drive =
      at::matmul(nn::dropout(input, options_.input_dropout, pass), c.at("input_weight"));
  const bool current = options_.input != GlifInput::synapses;
  const at::Tensor none = at::zeros({batch, size}, drive.options());
  std::vector<at::Tensor> emissions;
  std::map<std::string, std::vector<at::Tensor>> records;
  for (const at::Tensor& step_drive : drive.unbind(0)) {
    const at::Tensor delayed = nn::dropout(neurons.arriving(), options_.recurrent_dropout, pass);
    at::Tensor arriving = at::matmul(delayed, c.at("recurrent_weight"));
    if (options_.input != GlifInput::current) {
      arriving = arriving + step_drive.slice(1, current ? size : 0);
    }
    const at::Tensor rate =
        neurons.step(current ? step_drive.slice(1, 0, size) : none,
                     arriving.view({batch, options_.receptors, size}).transpose(0, 1));
    emissions.push_back(silence(nn::dropout(rate, options_.dropout, pass), pass));
    neurons.emit(emissions.back());
    if (pass.trace == nullptr) continue;
    records["voltage"].push_back(neurons.voltage());
    records["rate"].push_back(rate);
  }
  for (const auto& [name, steps] : records) (*pass.trace)[name] = at::stack(steps);
  state = neurons.state();
  return at::stack(emissions);
}

at::Tensor Glif::emissions(const at::Tensor& input, const LayerPass& pass) const {
  // The kernel does not return the state after the last step.
  if (pass.final_state != nullptr || !takes_kernel(input, pass, kernels::Glif::kBfloat16)) {
    return NeuronLayer::emissions(input, pass);
  }
  const at::Tensor arriving = nn::dropout(input, options_.input_dropout, pass);
  const std::int64_t steps = input.size(0), rows = input.size(1);
  const KernelCall<kernels::Glif> call{
      kernel_shape(steps, rows),
      settings(pass),
      coefficients(pass),
      PassMasks(pass, steps, rows, shape().neurons, options_.dropout, options_.recurrent_dropout,
                input.scalar_type()),
      pass.first,
      pass.execution.precision};
  return run_kernel(arriving, call,
                    beside_dropped_input(pass.execution, options_.input_dropout, input))[0];
}

std::optional<NeuronLayer::Workspace> Glif::workspace(std::int64_t steps, std::int64_t rows,
                                                      Precision precision,
                                                      std::size_t limit) const {
  return kernel_workspace<kernels::Glif>(
      kernel_shape(steps, rows),
      {options_.input_dropout, options_.dropout, options_.recurrent_dropout}, precision, limit);
}

namespace {

class GlifModel final : public NeuronModel {
 public:
  void describe(options::Section section) override { options_.describe(section); }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    return glif_specs(shape, options_);
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    return std::make_shared<Glif>(shape, options_);
  }

 private:
  GlifOptions options_;
};

}  // namespace

NeuronEntry entry_glif() {
  return {"glif", "spiking GLIF neurons by the simulator's own rule",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<GlifModel>()); }};
}

}  // namespace afterspike::nn
