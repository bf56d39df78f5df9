#include "afterspike/nn/elm.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "elm_common.hpp"
#include "kernel_pass.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {
namespace {

constexpr std::int64_t kMostSynapses = 10'000'000;

/// Sizes that the options and the shape of a layer come to.
struct ElmSizes {
  std::int64_t branches, synapses, width, memory;
};

void validate(const ElmOptions& options, const LayerShape& shape) {
  const auto check = [](bool holds, std::string_view name, double value, std::string_view wanted) {
    require(holds, ErrorKind::config, "elm: {} is {}, expected {}", name, value, wanted);
  };
  check(options.lambda > 0, "lambda", options.lambda, "more than 0");
  check(options.synapse_tau_ms > 0, "synapse_tau", options.synapse_tau_ms, "more than 0 ms");
  check(options.time_step_ms >= 0, "time_step", options.time_step_ms, "0 ms or more");
  check(shape.dt_ms > 0, "the time step of the task", shape.dt_ms, "more than 0 ms");
  for (const double p : {options.input_dropout, options.dropout, options.recurrent_dropout}) {
    check(p >= 0 && p < 1, "a dropout probability", p, "at least 0 and below 1");
  }
  for (const auto& [name, value] :
       {std::pair("mlp_layers", options.mlp_layers), std::pair("mlp_width", options.mlp_width),
        std::pair("branches", options.branches),
        std::pair("synapses_per_branch", options.synapses_per_branch - 1)}) {
    check(value >= 0 && value <= kMostSynapses, name, static_cast<double>(value),
          "0 (synapses_per_branch: 1) to 10,000,000");
  }
}

ElmSizes sizes_of(const ElmOptions& options, const LayerShape& shape) {
  validate(options, shape);
  ElmSizes sizes{};
  sizes.memory = shape.neurons;
  sizes.branches = options.branches > 0 ? options.branches : shape.input_size;
  require(sizes.branches <= kMostSynapses / options.synapses_per_branch, ErrorKind::config,
          "elm: {} branches of {} synapses, expected at most {} synapses", sizes.branches,
          options.synapses_per_branch, kMostSynapses);
  sizes.synapses = sizes.branches * options.synapses_per_branch;
  sizes.width = options.mlp_layers == 0 ? sizes.memory
                : options.mlp_width > 0 ? options.mlp_width
                                        : 2 * sizes.memory;
  require(options.routing != ElmOptions::Routing::none || sizes.synapses == shape.input_size,
          ErrorKind::config,
          "elm: {} branches of {} synapses for {} inputs: expected as many synapses as inputs, or "
          "routing random or neuronio",
          sizes.branches, options.synapses_per_branch, shape.input_size);
  return sizes;
}

bool learns(const ElmOptions& options, std::string_view name) {
  std::vector<ParameterSpec> both(2);
  both[0].name = "memory_tau";
  both[1].name = "synapse_tau";
  set_trainable(both, options.learn);
  return both[name == "memory_tau" ? 0 : 1].trainable;
}

std::vector<ParameterSpec> elm_specs(const LayerShape& shape, const ElmOptions& options) {
  const ElmSizes sizes = sizes_of(options, shape);
  const bool traces_of_synapses = options.version == ElmOptions::Version::v1;
  std::vector<ParameterSpec> specs;
  specs.push_back(
      memory_tau_spec(options.memory_tau, {sizes.memory}, learns(options, "memory_tau"), "elm"));
  specs.push_back(trace_tau_spec("synapse_tau", options.synapse_tau_ms,
                                 {traces_of_synapses ? sizes.synapses : sizes.branches},
                                 learns(options, "synapse_tau")));
  specs.push_back({"synapse_weight",
                   "w_s",
                   "1",
                   {sizes.synapses},
                   options.rectify_synapses ? Transform::rectified() : Transform(),
                   options.synapse_weight});
  // As torch draws linear maps: by the number of values that a unit of the next layer sees.
  const auto map = [&](const char* name, const char* symbol, std::vector<std::int64_t> extent,
                       std::int64_t fan_in, ParameterGroup group) {
    const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
    specs.push_back(
        {name, symbol, "1", std::move(extent), {}, Initial::uniform(-bound, bound), group});
  };
  const auto [branches, synapses, width, memory] = sizes;
  const std::int64_t first = branches + memory;
  map("input_weight", "W_b", {branches, width}, first, ParameterGroup::weight);
  map("recurrent_weight", "W_m", {memory, width}, first, ParameterGroup::weight);
  map("bias", "b_1", {width}, first, ParameterGroup::bias);
  if (options.mlp_layers > 1) {
    const std::int64_t inner = options.mlp_layers - 1;
    map("hidden_weight", "W_h", {inner, width, width}, width, ParameterGroup::weight);
    map("hidden_bias", "b_h", {inner, width}, width, ParameterGroup::bias);
  }
  if (options.mlp_layers > 0) {
    map("output_weight", "W_o", {width, memory}, width, ParameterGroup::weight);
    map("output_bias", "b_o", {memory}, width, ParameterGroup::bias);
  }
  return specs;
}

/// Inputs of excitatory (first half) and inhibitory synapses (second half) in turn.
std::int64_t interlocked(std::int64_t position, std::int64_t inputs) {
  return position / 2 + position % 2 * (inputs / 2);
}

Routing neuronio_routing(const ElmSizes& sizes, std::int64_t per_branch, std::int64_t inputs) {
  require(inputs % 2 == 0, ErrorKind::config,
          "elm: routing neuronio for {} inputs, expected an even number: as many excitatory as "
          "inhibitory",
          inputs);
  Routing routing;
  const std::int64_t stride = (inputs + sizes.branches - 1) / sizes.branches;
  for (std::int64_t synapse = 0; synapse < sizes.synapses; ++synapse) {
    const std::int64_t position = synapse / per_branch * stride + synapse % per_branch;
    routing.valid.push_back(position < inputs);
    routing.source.push_back(position < inputs ? interlocked(position, inputs) : 0);
  }
  return routing;
}

Routing make_routing(const ElmOptions& options, const ElmSizes& sizes, std::int64_t inputs) {
  if (options.routing == ElmOptions::Routing::neuronio) {
    return neuronio_routing(sizes, options.synapses_per_branch, inputs);
  }
  Routing routing;
  routing.valid.assign(static_cast<std::size_t>(sizes.synapses), true);
  Rng rng = Rng(static_cast<std::uint64_t>(options.routing_seed)).stream("elm/routing");
  for (std::int64_t synapse = 0; synapse < sizes.synapses; ++synapse) {
    const bool random = options.routing == ElmOptions::Routing::random;
    routing.source.push_back(
        random ? static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(inputs)))
               : synapse);
  }
  return routing;
}

/// Trajectories by name, collected step by step when somebody wants them.
void record(NamedTensors* trace, const char* name, const std::vector<at::Tensor>& steps) {
  if (trace != nullptr) (*trace)[name] = at::stack(steps);
}

}  // namespace

std::int64_t Routing::unconnected(std::int64_t inputs) const {
  std::vector<bool> seen(static_cast<std::size_t>(inputs));
  for (std::size_t synapse = 0; synapse < source.size(); ++synapse) {
    if (valid[synapse]) seen[static_cast<std::size_t>(source[synapse])] = true;
  }
  return std::count(seen.begin(), seen.end(), false);
}

Elm::Elm(const LayerShape& shape, const ElmOptions& options, const std::optional<Routing>& routing)
    : NeuronLayer(shape, elm_specs(shape, options)),
      options_(options),
      dt_ms_(options.time_step_ms > 0 ? options.time_step_ms : shape.dt_ms),
      routing_(routing ? *routing
                       : make_routing(options, sizes_of(options, shape), shape.input_size)) {
  source_ = at::tensor(routing_.source, at::kLong);
  valid_ = at::empty({source_.numel()}, at::kFloat);
  std::copy(routing_.valid.begin(), routing_.valid.end(), valid_.data_ptr<float>());
}

std::string Elm::remark() const {
  if (options_.routing == ElmOptions::Routing::none) return {};
  const std::int64_t synapses = source_.numel();
  const auto valid = std::count(routing_.valid.begin(), routing_.valid.end(), true);
  return fmt::format("routing: {} of {} inputs unconnected, {} of {} synapses in use",
                     routing_.unconnected(shape().input_size), shape().input_size, valid, synapses);
}

NamedTensors Elm::initial_state(std::int64_t batch) const {
  const at::TensorOptions like = tensor_options();
  return {{"memory", at::zeros({batch, shape().neurons}, like)},
          {"emitted", at::zeros({batch, shape().neurons}, like)},
          {"trace", at::zeros({batch, raw("synapse_tau").size(0)}, like)}};
}

at::Tensor Elm::memory_keep() const {
  return keep_of(physical("memory_tau"), dt_ms_);
}

at::Tensor Elm::memory_gain() const {
  return memory_gain_of(physical("memory_tau"), dt_ms_, options_.lambda,
                        options_.version == ElmOptions::Version::v2);
}

at::Tensor Elm::route(const at::Tensor& input) const {
  if (options_.routing == ElmOptions::Routing::none) return input;
  return input.index_select(-1, source_.to(input.device())) * valid_.to(input.options());
}

at::Tensor Elm::branch_sum(const at::Tensor& synapses) const {
  if (options_.synapses_per_branch == 1) return synapses;
  return synapses.unflatten(-1, {-1, options_.synapses_per_branch}).sum(-1);
}

at::Tensor Elm::mlp(const at::Tensor& first) const {
  if (options_.mlp_layers == 0) return first;
  at::Tensor values = activate(first, options_.mlp_activation);
  for (std::int64_t layer = 0; layer + 1 < options_.mlp_layers; ++layer) {
    values = activate(at::addmm(raw("hidden_bias")[layer], values, raw("hidden_weight")[layer]),
                      options_.mlp_activation);
  }
  return at::addmm(raw("output_bias"), values, raw("output_weight"));
}

at::Tensor Elm::forward(const at::Tensor& input, NamedTensors& state, const LayerPass& pass) const {
  const bool of_synapses = options_.version == ElmOptions::Version::v1;
  const at::Tensor routed = route(dropout(input, options_.input_dropout, pass));
  const at::Tensor weighted = routed * physical("synapse_weight");
  const at::Tensor arriving = of_synapses ? weighted : branch_sum(weighted);
  const at::Tensor trace_keep = keep_of(physical("synapse_tau"), dt_ms_);
  const at::Tensor keep = memory_keep(), gain = memory_gain();
  at::Tensor trace = state.at("trace"), memory = state.at("memory"), emitted = state.at("emitted");
  std::vector<at::Tensor> emissions, traces, branches, deltas, memories;
  for (const at::Tensor& step : arriving.unbind(0)) {
    trace = at::addcmul(step, trace, trace_keep);
    const at::Tensor branch = of_synapses ? branch_sum(trace) : trace;
    const at::Tensor recalled = dropout(emitted, options_.recurrent_dropout, pass) * keep;
    const at::Tensor first = at::addmm(at::addmm(raw("bias"), branch, raw("input_weight")),
                                       recalled, raw("recurrent_weight"));
    const at::Tensor delta = squash(mlp(first));
    memory = at::addcmul(memory * keep, gain, delta);
    emitted = silence(dropout(memory, options_.dropout, pass), pass);
    emissions.push_back(emitted);
    if (pass.trace == nullptr) continue;
    traces.push_back(trace);
    branches.push_back(branch);
    deltas.push_back(delta);
    memories.push_back(memory);
  }
  if (pass.trace != nullptr) (*pass.trace)["routed"] = routed;
  record(pass.trace, "trace", traces);
  record(pass.trace, "branch", branches);
  record(pass.trace, "delta", deltas);
  record(pass.trace, "memory", memories);
  state = {{"memory", memory}, {"emitted", emitted}, {"trace", trace}};
  return at::stack(emissions);
}

bool Elm::has_one_trace_keep() const {
  const at::Tensor& tau = raw("synapse_tau");
  return !tau.requires_grad() && (tau == tau[0]).all().item<bool>();
}

at::Tensor Elm::branches(const at::Tensor& input) const {
  const bool of_synapses = options_.version == ElmOptions::Version::v1;
  const at::Tensor weighted = route(input) * physical("synapse_weight");
  const at::Tensor keep = keep_of(physical("synapse_tau"), dt_ms_);
  std::vector<at::Tensor> traces;
  at::Tensor trace;
  for (const at::Tensor& step : (of_synapses ? weighted : branch_sum(weighted)).unbind(0)) {
    trace = trace.defined() ? at::addcmul(step, trace, keep) : step;
    traces.push_back(trace);
  }
  const at::Tensor all = at::stack(traces);
  return of_synapses ? branch_sum(all) : all;
}

at::Tensor Elm::final_trace(const at::Tensor& input) const {
  const at::NoGradGuard no_grad;
  const at::Tensor weighted = route(input) * physical("synapse_weight");
  const bool of_synapses = options_.version == ElmOptions::Version::v1;
  const at::Tensor after = at::arange(input.size(0) - 1, -1, -1, input.options());
  const at::Tensor kept = keep_of(physical("synapse_tau"), dt_ms_).pow(after.unsqueeze(1));
  return at::einsum("tbn,tn->bn", {of_synapses ? weighted : branch_sum(weighted), kept});
}

at::Tensor Elm::folded_input_weight() const {
  const at::Tensor of_synapses = raw("input_weight")
                                     .repeat_interleave(options_.synapses_per_branch, 0)
                                     .mul(physical("synapse_weight").unsqueeze(1));
  if (options_.routing == ElmOptions::Routing::none) return of_synapses;
  const at::Tensor valid = valid_.to(of_synapses.scalar_type()).unsqueeze(1);
  return at::zeros({shape().input_size, of_synapses.size(1)}, tensor_options())
      .index_add(0, source_, of_synapses * valid);
}

at::Tensor Elm::emissions(const at::Tensor& input, const LayerPass& pass) const {
  if (!takes_kernel(input, pass)) return NeuronLayer::emissions(input, pass);
  at::Tensor arriving = dropout(input, options_.input_dropout, pass);
  const at::Tensor reaching = arriving;
  NamedTensors parameters;
  kernels::ElmSettings settings{0, kernel_activation(options_.mlp_activation)};
  // Traces of one timescale commute with the linear maps before and after them.
  if (has_one_trace_keep()) {
    parameters["input_weight"] = folded_input_weight();
    settings.trace_keep = keep_of(physical("synapse_tau"), dt_ms_)[0].item<double>();
  } else {
    parameters["input_weight"] = raw("input_weight");
    arriving = branches(arriving);
  }
  for (const ParameterSpec& spec : specs()) parameters.emplace(spec.name, raw(spec.name));
  parameters["keep"] = memory_keep();
  parameters["gain"] = memory_gain();
  const std::int64_t steps = input.size(0), rows = input.size(1), memory = shape().neurons;
  const KernelCall<kernels::Elm> call{
      {steps, rows, arriving.size(2), memory, raw("bias").size(0), options_.mlp_layers},
      settings,
      std::move(parameters),
      PassMasks(pass, steps, rows, memory, options_.dropout, options_.recurrent_dropout,
                input.scalar_type()),
      pass.first,
      Precision::float32,
      {},
      allocate_final_state(pass, rows)};
  const at::Tensor emitted = run_kernel(
      arriving, call, beside_dropped_input(pass.execution, options_.input_dropout, input))[0];
  if (pass.final_state != nullptr) (*pass.final_state)["trace"] = final_trace(reaching);
  return emitted;
}

std::optional<NeuronLayer::Workspace> Elm::workspace(std::int64_t steps, std::int64_t rows,
                                                     Precision precision, std::size_t limit) const {
  if (!has_one_trace_keep()) return std::nullopt;
  return kernel_workspace<kernels::Elm>(
      {steps, rows, shape().input_size, shape().neurons, raw("bias").size(0), options_.mlp_layers},
      {options_.input_dropout, options_.dropout, options_.recurrent_dropout}, precision, limit);
}

void ElmOptions::describe(options::Section section) {
  section.choice("version", version, {{"v1", Version::v1}, {"v2", Version::v2}},
                 "v1: gain lambda (1 - kappa_m); v2: the input timescale is tau_m / lambda.");
  section.add("lambda", lambda, "Strength (v1) or speed (v2) of what enters memory.")
      .above(0)
      .bounded();
  memory_tau.describe(section);
  section.quantity("synapse_tau", synapse_tau_ms, "ms", "Timescale of synapses or branches.")
      .at_least(options::kSmallest)
      .bounded();
  section.add("mlp_layers", mlp_layers, "Hidden layers of the MLP.").at_least(0).at_most(1000);
  section.add("mlp_width", mlp_width, "Units in each; 0: twice the memory units.")
      .at_least(0)
      .at_most(1e6);
  describe_activation(section, "mlp_activation", mlp_activation, "Of the MLP's hidden units.");
  section.add("branches", branches, "Branches of the dendrite; 0: as many as inputs.")
      .at_least(0)
      .at_most(static_cast<double>(kMostSynapses));
  section.add("synapses_per_branch", synapses_per_branch, "Synapses that a branch adds up.")
      .at_least(1)
      .at_most(static_cast<double>(kMostSynapses));
  section.choice(
      "routing", routing,
      {{"none", Routing::none}, {"random", Routing::random}, {"neuronio", Routing::neuronio}},
      "Inputs of synapses: one each; drawn with replacement; excitatory and inhibitory in turn.");
  section.add("routing_seed", routing_seed, "Seed of random routing.").at_least(0);
  describe_initial(section, "synapse_weight", synapse_weight, "Initial synapse weights.");
  section.add("rectify_synapses", rectify_synapses,
              "Synapse weights are max(0, raw); false: they may be negative.");
  section.add("learn", learn, "Trained timescales: all, none, or of memory_tau, synapse_tau.");
  section
      .quantity("time_step", time_step_ms, "ms",
                "What a step stands for in the equations; 0 ms: what it does in the task.")
      .at_least(0)
      .bounded();
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input.");
  describe_dropout(section, "dropout", dropout, "Dropout of memory, towards everything.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of memory, towards the MLP only.");
}

namespace {

class ElmModel final : public NeuronModel {
 public:
  void describe(options::Section section) override { options_.describe(section); }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    require_room(options_.memory_tau, learns(options_, "memory_tau"), "elm");
    return elm_specs(shape, options_);
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    return std::make_shared<Elm>(shape, options_);
  }

 private:
  ElmOptions options_;
};

}  // namespace

NeuronEntry entry_elm() {
  return {"elm", "one expressive leaky memory neuron; 'hidden' is its memory units",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<ElmModel>()); }};
}

}  // namespace afterspike::nn
