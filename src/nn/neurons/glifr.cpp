#include "afterspike/nn/glifr.hpp"

#include <cmath>
#include <deque>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "afterspike/kernels/glifr.hpp"
#include "kernel_pass.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {
namespace {

constexpr double kDefaultMembraneDecay = 0.05;  // 1/ms; GLIFS_ASC

/// More than 1 / (R dt k_m) comes to with any settings that are allowed.
constexpr double kLargestScale = 1e18;  // pA

GlifrOptions validated(GlifrOptions options, double dt_ms) {
  options = resolve_variant(std::move(options));
  const auto check = [](bool holds, std::string_view name, double value, std::string_view wanted) {
    require(holds, ErrorKind::config, "glifr: {} is {}, expected {}", name, value, wanted);
  };
  check(dt_ms > 0, "the time step", dt_ms, "more than 0 ms");
  check(options.after_spike_currents >= 0 && options.after_spike_currents <= kernels::kMostCurrents,
        "after_spike_currents", static_cast<double>(options.after_spike_currents), "0 to 64");
  check(options.sigma_mV > 0, "sigma", options.sigma_mV, "more than 0 mV");
  check(options.resistance_GOhm > 0, "resistance", options.resistance_GOhm, "more than 0 GOhm");
  check(options.tau_ms == 0 || options.tau_ms >= dt_ms, "tau", options.tau_ms,
        fmt::format("at least the time step, {} ms", dt_ms));
  check(options.delay.value >= 0, "delay", options.delay.value, "0 or more");
  check(options.amplitude_scale_pA >= 0, "amplitude_scale", options.amplitude_scale_pA,
        "0 pA or more");
  check(std::isfinite(options.bias_current_pA), "bias_current", options.bias_current_pA,
        "a finite number");
  check(std::isfinite(options.reset_mV), "reset", options.reset_mV, "a finite number");
  require(options.initial == "parameters" || options.initial == "reference" ||
              options.initial == "inherit",
          ErrorKind::config, "glifr: initial is '{}', expected parameters, reference or inherit",
          options.initial);
  const std::string usual_decay = GlifrOptions().membrane_decay.text();
  require(options.initial != "reference" || options.membrane_decay.text() == usual_decay,
          ErrorKind::config,
          "glifr: membrane_decay is {}, expected {} (the default) with initial = \"reference\", "
          "which sets it",
          options.membrane_decay.text(), usual_decay);
  for (const double p : {options.input_dropout, options.dropout, options.recurrent_dropout}) {
    check(p >= 0 && p < 1, "a dropout probability", p, "at least 0 and below 1");
  }
  return options;
}

/// The membrane decay of GLIFS_ASC's hom_init_: its formula holds 0.05 where dt belongs.
Initial reference_membrane_decay(double dt_ms) {
  const double k = kDefaultMembraneDecay;
  const double odds = k * dt_ms / (1 - k * 0.05);
  return Initial::constant(odds / (1 + odds) / dt_ms);
}

Transform amplitude_transform(const GlifrOptions& options, double dt_ms) {
  switch (options.amplitude) {
    case GlifrOptions::Amplitude::pA:
      return Transform::identity();
    case GlifrOptions::Amplitude::natural:
      break;
    case GlifrOptions::Amplitude::steady:
      return Transform::scaled_by(options.amplitude_scale_pA * dt_ms, "after_spike_decay");
  }
  return Transform::scaled(options.amplitude_scale_pA);
}

std::vector<ParameterSpec> intrinsic_specs(const LayerShape& shape, const GlifrOptions& options) {
  const std::vector<std::int64_t> each = {shape.neurons};
  const std::vector<std::int64_t> currents = {options.after_spike_currents, shape.neurons};
  const Transform rate = Transform::bounded(0, 1 / shape.dt_ms);
  const auto group = ParameterGroup::intrinsic;
  std::vector<ParameterSpec> specs = {
      {"threshold", "V_th", "mV", each, Transform::identity(), options.threshold, group},
      {"membrane_decay", "k_m", "1/ms", each, rate, options.membrane_decay, group}};
  if (options.after_spike_currents == 0) return specs;
  const Transform multiplicative =
      options.bound_after_spike_currents
          ? Transform::bounded_by(-1, options.tau_ms, "after_spike_decay")
          : Transform::bounded(1, -1);
  specs.push_back(
      {"after_spike_decay", "k_j", "1/ms", currents, rate, options.after_spike_decay, group});
  specs.push_back({"after_spike_multiplicative", "r_j", "1", currents, multiplicative,
                   options.after_spike_multiplicative, group});
  specs.push_back({"after_spike_additive", "a_j", "pA", currents,
                   amplitude_transform(options, shape.dt_ms), options.after_spike_additive, group});
  return specs;
}

/// The settings of a layer with nothing left to be filled in.
GlifrOptions resolved(const LayerShape& shape, const GlifrOptions& given) {
  GlifrOptions options = validated(given, shape.dt_ms);
  if (options.initial == "reference") {
    options.membrane_decay = reference_membrane_decay(shape.dt_ms);
    options.initial = "parameters";
  }
  if (options.tau_ms == 0) options.tau_ms = shape.dt_ms;
  if (options.amplitude_scale_pA == 0) {
    options.amplitude_scale_pA =
        1 / (options.resistance_GOhm * shape.dt_ms * kDefaultMembraneDecay);
  }
  if (options.after_spike_decay.kind == Initial::Kind::constant &&
      options.after_spike_decay.first == 0) {
    options.after_spike_decay = Initial::constant(0.1 / shape.dt_ms);
  }
  // GLIFS_ASC takes the number of neurons for the fan-in of the input weights too.
  const double bound = 1 / std::sqrt(static_cast<double>(shape.neurons));
  const Initial usual = Initial::uniform(-bound, bound);
  if (!options.input_weight) options.input_weight = usual;
  if (!options.recurrent_weight) options.recurrent_weight = usual;
  return options;
}

std::vector<ParameterSpec> make_specs(const LayerShape& shape, const GlifrOptions& options) {
  std::vector<ParameterSpec> specs = intrinsic_specs(shape, options);
  set_trainable(specs, options.learn);
  const auto weight = [&](const char* name, const char* symbol, std::int64_t inputs,
                          const std::optional<Initial>& initial) {
    specs.push_back({name,
                     symbol,
                     "mV/step",
                     {inputs, shape.neurons},
                     {},
                     *initial,
                     ParameterGroup::weight,
                     options.learn_weights});
  };
  weight("input_weight", "W_in", shape.input_size, options.input_weight);
  weight("recurrent_weight", "W_lat", shape.neurons, options.recurrent_weight);
  return specs;
}

/// The constants of the equations (kernels/glifr.hpp) for resolved options.
kernels::GlifrSettings constants_of(const GlifrOptions& options, double dt_ms,
                                    bool spikes = false) {
  return {dt_ms / options.tau_ms, options.reset_mV, options.bias_current_pA, spikes};
}

/// The dynamics of a layer during one pass, step by step: coefficients by the names of
/// kernels/glifr.hpp, which do not change, and the state that does.
struct Dynamics {
  Dynamics(const NamedTensors& c, const kernels::GlifrSettings& settings)
      : constants(settings),
        threshold(c.at("threshold")),
        slope(c.at("slope")),
        keep(c.at("keep")),
        gain(c.at("gain")),
        current_keep(c.at("current_keep").unsqueeze(1)),
        multiplicative(c.at("multiplicative").unsqueeze(1)),
        additive(c.at("additive").unsqueeze(1)) {}

  kernels::GlifrSettings constants;
  at::Tensor threshold, slope, keep, gain;
  at::Tensor current_keep, multiplicative, additive;  ///< [J, 1, H]

  at::Tensor voltage;  ///< [batch, H], mV
  at::Tensor current;  ///< [J, batch, H], pA

  /// One step, equations (2) to (4) of docs/numerics.md: the rates after it, from what the synapses
  /// bring (mV) and what the neurons emitted a step ago.
  at::Tensor advance(const at::Tensor& synaptic, const at::Tensor& emitted) {
    const auto [emission, reset, bias, spikes] = constants;
    const at::Tensor fired = emission == 1 ? emitted : emitted * emission;
    at::Tensor next = at::addcmul(synaptic, voltage, keep - fired);
    if (reset != 0) next = at::add(next, fired, reset);
    if (current_keep.size(0) > 0) {
      current = at::addcmul(current * current_keep, at::addcmul(additive, multiplicative, current),
                            emitted);
      next = at::addcmul(next, gain, current.sum(0));
    }
    if (bias != 0) next = at::add(next, gain, bias);
    voltage = next;
    const at::Tensor above = voltage - threshold;
    const at::Tensor rate = at::sigmoid(above * slope);
    // The value of the spike exactly, with the gradient of the rate.
    return spikes ? at::add((above > 0).to(rate.scalar_type()), rate - rate.detach()) : rate;
  }
};

/// Trajectories, collected step by step when somebody wants them.
class Recorder {
 public:
  explicit Recorder(NamedTensors* target) : target_(target) {}

  void add(const char* name, const at::Tensor& value) {
    if (target_ != nullptr) steps_[name].push_back(value);
  }

  void finish() const {
    for (const auto& [name, values] : steps_) (*target_)[name] = at::stack(values);
  }

 private:
  NamedTensors* target_;
  std::map<std::string, std::vector<at::Tensor>> steps_;
};

}  // namespace

GlifrOptions resolve_variant(GlifrOptions options) {
  if (options.variant.empty()) return options;
  std::string kind = options.variant;
  const bool currents = kind.ends_with('a');
  if (currents) kind.pop_back();
  require(
      kind == "hom" || kind == "lhet" || kind == "fhet" || kind == "rhet", ErrorKind::config,
      "glifr: no variant called '{}'; expected hom, homa, lhet, lheta, fhet, fheta, rhet or rheta",
      options.variant);
  const std::int64_t given = options.after_spike_currents;
  require(currents || given == 0 || given == GlifrOptions().after_spike_currents, ErrorKind::config,
          "glifr: variant '{}' has no after-spike currents, but after_spike_currents is {}",
          options.variant, given);
  if (!currents) options.after_spike_currents = 0;
  require(!currents || options.after_spike_currents > 0, ErrorKind::config,
          "glifr: variant '{}' has after-spike currents, but after_spike_currents is 0",
          options.variant);
  const std::string learn = kind == "hom" || kind == "fhet" ? "none" : "all";
  require(options.learn == learn || options.learn == GlifrOptions().learn, ErrorKind::config,
          "glifr: variant '{}' learns {} intrinsic parameters, but 'learn' is '{}'",
          options.variant, learn, options.learn);
  options.learn = learn;
  if (kind == "fhet" || kind == "rhet") options.initial = "inherit";
  options.variant.clear();
  return options;
}

Glifr::Glifr(const LayerShape& shape, const GlifrOptions& options)
    : NeuronLayer(shape, make_specs(shape, resolved(shape, options))),
      options_(resolved(shape, options)),
      dt_ms_(shape.dt_ms),
      delay_steps_(nn::delay_steps(options.delay, shape.dt_ms, "glifr")) {}

NamedTensors Glifr::initial_state(std::int64_t batch) const {
  const std::int64_t neurons = shape().neurons;
  return {{"emitted", at::zeros({delay_steps_, batch, neurons}, tensor_options())},
          {"voltage", at::zeros({batch, neurons}, tensor_options())},
          {"after_spike_current",
           at::zeros({options_.after_spike_currents, batch, neurons}, tensor_options())}};
}

NamedTensors Glifr::coefficients(const LayerPass& pass) const {
  NamedTensors c;
  const at::Tensor threshold = physical("threshold");
  const at::Tensor membrane = physical("membrane_decay") * dt_ms_;
  c["threshold"] = threshold;
  c["slope"] = at::full_like(threshold, 1 / pass.sigma_mV.value_or(options_.sigma_mV),
                             threshold.options().requires_grad(false));
  c["keep"] = 1 - membrane;
  c["gain"] = membrane * options_.resistance_GOhm;
  if (options_.after_spike_currents > 0) {
    const double emission = constants_of(options_, dt_ms_).emission;
    c["current_keep"] = 1 - dt_ms_ * physical("after_spike_decay");
    c["multiplicative"] = physical("after_spike_multiplicative") * emission;
    c["additive"] = physical("after_spike_additive") * emission;
  } else {
    c["current_keep"] = c["multiplicative"] = c["additive"] =
        at::empty({0, shape().neurons}, tensor_options());
  }
  c["input_weight"] = raw("input_weight");
  c["recurrent_weight"] = raw("recurrent_weight");
  return c;
}

at::Tensor Glifr::emissions(const at::Tensor& input, const LayerPass& pass) const {
  constexpr bool kBfloat16 = true;
  if (!takes_kernel(input, pass, kBfloat16)) return NeuronLayer::emissions(input, pass);
  const at::Tensor arriving = dropout(input, options_.input_dropout, pass);
  const std::int64_t steps = input.size(0), rows = input.size(1), neurons = shape().neurons;
  const KernelCall<kernels::Glifr> call{
      {steps, rows, input.size(2), neurons, options_.after_spike_currents, delay_steps_},
      constants_of(options_, dt_ms_, pass.spikes),
      coefficients(pass),
      PassMasks(pass, steps, rows, neurons, options_.dropout, options_.recurrent_dropout,
                input.scalar_type()),
      pass.first,
      pass.execution.precision,
      {},
      allocate_final_state(pass, rows)};
  return run_kernel(arriving, call,
                    beside_dropped_input(pass.execution, options_.input_dropout, input))[0];
}

std::optional<NeuronLayer::Workspace> Glifr::workspace(std::int64_t steps, std::int64_t rows,
                                                       Precision precision,
                                                       std::size_t limit) const {
  return kernel_workspace<kernels::Glifr>(
      {steps, rows, shape().input_size, shape().neurons, options_.after_spike_currents,
       delay_steps_},
      {options_.input_dropout, options_.dropout, options_.recurrent_dropout}, precision, limit);
}

bool Glifr::has_bfloat16() const {
  return raw("threshold").scalar_type() == at::kFloat && has_kernel(raw("threshold")) &&
         kernels::has_bfloat16();
}

at::Tensor Glifr::forward(const at::Tensor& input, NamedTensors& state,
                          const LayerPass& pass) const {
  Dynamics dynamics(coefficients(pass), constants_of(options_, dt_ms_, pass.spikes));
  dynamics.voltage = state.at("voltage");
  dynamics.current = state.at("after_spike_current");

  // The drive by the input does not depend on the state: one product for all steps.
  const at::Tensor drive =
      at::matmul(dropout(input, options_.input_dropout, pass), raw("input_weight"));
  const std::vector<at::Tensor> past = state.at("emitted").unbind(0);
  std::deque<at::Tensor> line(past.begin(),
                              past.end());  // The last `delay` emissions, oldest first.
  std::vector<at::Tensor> emissions;
  Recorder recorder(pass.trace);
  for (const at::Tensor& step_drive : drive.unbind(0)) {
    const at::Tensor delayed = dropout(line.front(), options_.recurrent_dropout, pass);
    const at::Tensor synaptic = at::addmm(step_drive, delayed, raw("recurrent_weight"));
    const at::Tensor rate = dynamics.advance(synaptic, line.back());
    emissions.push_back(silence(dropout(rate, options_.dropout, pass), pass));
    line.pop_front();
    line.push_back(emissions.back());
    recorder.add("delayed", delayed);
    recorder.add("synaptic", synaptic);
    recorder.add("voltage", dynamics.voltage);
    recorder.add("rate", rate);
    recorder.add("after_spike_current", dynamics.current);
  }
  recorder.finish();
  state = {{"emitted", at::stack(std::vector<at::Tensor>(line.begin(), line.end()))},
           {"voltage", dynamics.voltage},
           {"after_spike_current", dynamics.current}};
  return at::stack(emissions);
}

namespace {

/// An option that holds a distribution of initial weights, or "auto".
void describe_weight(options::Section section, std::string_view name,
                     std::optional<Initial>& member, std::string_view help) {
  section.add_text(
      name, fmt::format("{} auto: uniform(-1, 1) / sqrt(neurons).", help),
      [&member] { return member ? member->text() : "auto"; },
      [&member, option = fmt::format("initial value '{}'", name)](const std::string& text) {
        member = text == "auto" ? std::nullopt : std::optional(Initial::parse(text, option));
      });
}

}  // namespace

void GlifrOptions::describe(options::Section section) {
  section
      .add("variant", variant,
           "A variant of the paper; decides learn, initial and the presence of after-spike "
           "currents.")
      .one_of({"", "hom", "homa", "lhet", "lheta", "fhet", "fheta", "rhet", "rheta"});
  section.add("after_spike_currents", after_spike_currents, "After-spike currents of each neuron.")
      .at_least(0)
      .at_most(static_cast<double>(kernels::kMostCurrents));
  section.add("learn", learn, "Trained intrinsic parameters: all, none, or names with commas.");
  section.add("initial", initial, "Where initial parameters come from.")
      .one_of({"parameters", "reference", "inherit"});
  describe_initial(section, "threshold", threshold, "Initial threshold V_th, mV.");
  describe_initial(section, "membrane_decay", membrane_decay, "Initial membrane decay k_m, 1/ms.");
  describe_initial(section, "after_spike_decay", after_spike_decay,
                   "Initial decay k_j of after-spike currents, 1/ms; 0 takes 0.1 / dt.");
  describe_initial(section, "after_spike_multiplicative", after_spike_multiplicative,
                   "Initial multiplicative constant r_j of after-spike currents.");
  describe_initial(section, "after_spike_additive", after_spike_additive,
                   "Initial additive constant a_j of after-spike currents, pA.");
  describe_weight(section, "input_weight", input_weight, "Initial input weights, mV per step.");
  describe_weight(section, "recurrent_weight", recurrent_weight,
                  "Initial recurrent weights, mV per step.");
  section.add("learn_weights", learn_weights, "Train input and recurrent weights.");
  section.duration("delay", delay, "Delay of the recurrent synapses, such as 15ms or 300steps.");
  section.quantity("sigma", sigma_mV, "mV", "Softness of the threshold; towards 0 it spikes.")
      .above(0)
      .at_least(options::kSmallest)
      .bounded();
  section.quantity("resistance", resistance_GOhm, "GOhm", "Membrane resistance R.")
      .above(0)
      .at_least(options::kSmallest)
      .bounded();
  section.quantity("bias_current", bias_current_pA, "pA", "Constant current I_0.").bounded();
  section.quantity("reset", reset_mV, "mV", "Reset voltage relative to rest.").bounded();
  section.quantity("tau", tau_ms, "ms", "Length of a spike; 0 ms takes the time step.")
      .at_least(0)
      .bounded();
  section.choice(
      "amplitude", amplitude,
      {{"pA", Amplitude::pA}, {"natural", Amplitude::natural}, {"steady", Amplitude::steady}},
      "In what a_j is trained: pA; natural: amplitude_scale; steady: amplitude_scale "
      "times dt k_j, so that slow currents are not stronger.");
  section
      .quantity("amplitude_scale", amplitude_scale_pA, "pA",
                "That unit; 0 pA takes what moves a default neuron by 1 mV in a step.")
      .at_least(0)
      .at_most(kLargestScale);
  section.add("bound_after_spike_currents", bound_after_spike_currents,
              "Keep r_j below tau k_j, so that after-spike currents cannot run away.");
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input of each layer.");
  describe_dropout(section, "dropout", dropout,
                   "Dropout of what neurons emit, towards everything.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of what neurons emit, towards the recurrent synapses only.");
}

namespace {

class GlifrModel final : public NeuronModel {
 public:
  void describe(options::Section section) override { options_.describe(section); }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    return make_specs(shape, resolved(shape, options_));
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    return std::make_shared<Glifr>(shape, options_);
  }
  void resolve(const LayerShape& shape) override { options_ = resolved(shape, options_); }
  bool inherits() const override { return resolve_variant(options_).initial == "inherit"; }

 private:
  GlifrOptions options_;
};

}  // namespace

NeuronEntry entry_glifr() {
  return {"glifr", "generalized leaky integrate-and-fire rate neurons with after-spike currents",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<GlifrModel>()); }};
}

}  // namespace afterspike::nn
