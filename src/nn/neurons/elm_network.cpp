#include "afterspike/nn/elm_network.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "elm_common.hpp"
#include "kernel_pass.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {
namespace {

constexpr std::int64_t kMostNetworkSynapses = 100'000'000;

/// Sizes that the options come to.
struct ElmNetworkSizes {
  std::int64_t memory, width, branches, per_branch;
  std::int64_t synapses() const { return branches * per_branch; }
};

void validate(const ElmNetworkOptions& options, const LayerShape& shape) {
  const auto check = [](bool holds, std::string_view name, double value, std::string_view wanted) {
    require(holds, ErrorKind::config, "elm_network: {} is {}, expected {}", name, value, wanted);
  };
  check(options.memory > 0, "memory", static_cast<double>(options.memory), "at least 1");
  check(options.lambda > 0, "lambda", options.lambda, "more than 0");
  check(options.branch_tau_ms >= 0, "branch_tau", options.branch_tau_ms, "0 ms or more");
  check(options.high_pass_tau_ms >= 0, "high_pass_tau", options.high_pass_tau_ms, "0 ms or more");
  check(options.time_step_ms >= 0, "time_step", options.time_step_ms, "0 ms or more");
  check(shape.dt_ms > 0, "the time step of the task", shape.dt_ms, "more than 0 ms");
  const double fraction = options.recurrent_fraction;
  check(fraction == -1 || (fraction >= 0 && fraction <= 1), "recurrent_fraction", fraction,
        "0 to 1, or -1");
  for (const double p : {options.input_dropout, options.dropout, options.recurrent_dropout}) {
    check(p >= 0 && p < 1, "a dropout probability", p, "at least 0 and below 1");
  }
}

ElmNetworkSizes sizes_of(const ElmNetworkOptions& options, const LayerShape& shape) {
  validate(options, shape);
  ElmNetworkSizes sizes{};
  sizes.memory = options.memory;
  sizes.width = options.mlp_layers == 0 ? options.memory
                : options.mlp_width > 0 ? options.mlp_width
                                        : 2 * options.memory;
  sizes.branches = options.branches > 0 ? options.branches : 2 * sizes.width;
  sizes.per_branch = options.synapses_per_branch > 0 ? options.synapses_per_branch : sizes.branches;
  require(shape.neurons <= kMostNetworkSynapses / sizes.branches / sizes.per_branch,
          ErrorKind::config,
          "elm_network: {} neurons with {} branches of {} synapses, expected at most {} synapses",
          shape.neurons, sizes.branches, sizes.per_branch, kMostNetworkSynapses);
  return sizes;
}

bool learns_timescales(const ElmNetworkOptions& options) {
  std::vector<ParameterSpec> one(1);
  one[0].name = "memory_tau";
  set_trainable(one, options.learn);
  return one[0].trainable;
}

std::vector<ParameterSpec> network_specs(const LayerShape& shape,
                                         const ElmNetworkOptions& options) {
  const ElmNetworkSizes sizes = sizes_of(options, shape);
  const std::int64_t n = shape.neurons, width = sizes.width, memory = sizes.memory;
  std::vector<ParameterSpec> specs;
  specs.push_back(
      memory_tau_spec(options.memory_tau, {n, memory}, learns_timescales(options), "elm_network"));
  const auto uniform = [](std::int64_t fan_in) {
    const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
    return Initial::uniform(-bound, bound);
  };
  const auto add = [&](const char* name, const char* symbol, std::vector<std::int64_t> extent,
                       const Initial& initial, ParameterGroup group = ParameterGroup::weight) {
    specs.push_back({name, symbol, "1", std::move(extent), {}, initial, group});
  };
  const auto bias = ParameterGroup::bias;
  add("synapse_weight", "w_s", {n, sizes.synapses()},
      options.synapse_weight.value_or(uniform(sizes.per_branch)));
  const Initial first = uniform(sizes.branches + memory), inner = uniform(width);
  add("input_weight", "W_b", {n, sizes.branches, width}, first);
  add("recurrent_weight", "W_m", {n, memory, width}, first);
  add("bias", "b_1", {n, width}, first, bias);
  if (const std::int64_t layers = options.mlp_layers - 1; layers > 0) {
    add("hidden_weight", "W_h", {layers, n, width, width}, inner);
    add("hidden_bias", "b_h", {layers, n, width}, inner, bias);
  }
  if (options.mlp_layers > 0) {
    add("output_weight", "W_o", {n, width, memory}, inner);
    add("output_bias", "b_o", {n, memory}, inner, bias);
  }
  add("memory_weight", "w_y", {n, memory}, uniform(memory));
  add("threshold", "b", {n}, Initial::constant(0), bias);
  return specs;
}

/// Each synapse is recurrent with the given probability, and any of that kind.
at::Tensor random_connectome(const LayerShape& shape, const ElmNetworkOptions& options,
                             std::int64_t synapses) {
  const auto inputs = static_cast<std::uint64_t>(shape.input_size);
  const auto neurons = static_cast<std::uint64_t>(shape.neurons);
  const double fraction =
      options.recurrent_fraction >= 0
          ? options.recurrent_fraction
          : static_cast<double>(neurons) / static_cast<double>(inputs + neurons);
  Rng rng = Rng(static_cast<std::uint64_t>(options.connectome_seed)).stream("elm/connectome");
  at::Tensor connectome = at::empty({shape.neurons, synapses}, at::kLong);
  std::int64_t* sources = connectome.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < connectome.numel(); ++i) {
    const bool recurrent = rng.uniform(0, 1) < fraction;
    sources[i] =
        static_cast<std::int64_t>(recurrent ? inputs + rng.below(neurons) : rng.below(inputs));
  }
  return connectome;
}

/// x [batch, N, from] through a map of each neuron, [N, from, to], plus [N, to].
at::Tensor maps(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::einsum("bnf,nft->bnt", {x, weight}) + bias;
}

/// A mask of dropout for a whole sequence, or none.
at::Tensor sequence_mask(std::vector<std::int64_t> shape, double p, const LayerPass& pass,
                         const at::TensorOptions& like) {
  if (p <= 0 || !pass.dropout.defined()) return {};
  return dropout_mask(shape, p, pass, like).div_(1 - p);
}

/// Input under a mask for the whole sequence.
at::Tensor masked_for_sequence(const at::Tensor& input, double p, const LayerPass& pass) {
  const at::Tensor mask =
      sequence_mask({input.size(1), input.size(2)}, p, pass, input.options().requires_grad(false));
  return mask.defined() ? input * mask : input;
}

/// Returns each step's weight in the mean over the steps of its sequence, [steps, batch].
at::Tensor share_of_steps(const at::Tensor& input, const LayerPass& pass) {
  const std::int64_t steps = input.size(0), batch = input.size(1);
  const at::TensorOptions like = input.options().requires_grad(false);
  if (!pass.lengths.defined()) {
    return at::full({steps, batch}, 1 / static_cast<double>(steps), like);
  }
  const at::Tensor lengths = pass.lengths.to(input.device());
  const at::Tensor within = at::arange(steps, lengths.options()).unsqueeze(1) < lengths;
  return within.to(like.dtype()) / lengths.to(like.dtype());
}

/// The means that penalties are of, over the steps of each sequence.
struct PenalisedMeans {
  at::Tensor memory;    ///< Mean of |MLP output|, over memory units too, [batch, N].
  at::Tensor activity;  ///< Mean of |emitted|, over neurons too, [batch].

  /// A step with the output of the MLPs and what is emitted, which counts `share` [batch].
  void add(const at::Tensor& share, const at::Tensor& output, const at::Tensor& emitted) {
    const at::Tensor of_output = share.unsqueeze(1) * output.abs().mean(-1);
    const at::Tensor of_emitted = share * emitted.abs().mean(-1);
    memory = memory.defined() ? memory + of_output : of_output;
    activity = activity.defined() ? activity + of_emitted : of_emitted;
  }
};

/// Values that a pass records, step by step.
struct Records {
  std::vector<at::Tensor> branch, mlp, memory, readout, low_pass, activity;
};

}  // namespace

ElmNetwork::ElmNetwork(const LayerShape& shape, const ElmNetworkOptions& options,
                       const at::Tensor& connectome)
    : NeuronLayer(shape, network_specs(shape, options)),
      options_(options),
      dt_ms_(options.time_step_ms > 0 ? options.time_step_ms : shape.dt_ms),
      connectome_(connectome.defined()
                      ? connectome
                      : random_connectome(shape, options, sizes_of(options, shape).synapses())) {}

std::string ElmNetwork::remark() const {
  const at::Tensor seen = at::zeros({shape().input_size + shape().neurons}, at::kLong);
  seen.index_fill_(0, connectome_.flatten(), 1);
  const auto recurrent = connectome_.ge(shape().input_size).sum().item<std::int64_t>();
  return fmt::format(
      "connectome: {} of {} inputs unconnected, {} of {} synapses recurrent",
      shape().input_size - seen.narrow(0, 0, shape().input_size).sum().item<std::int64_t>(),
      shape().input_size, recurrent, connectome_.numel());
}

NamedTensors ElmNetwork::initial_state(std::int64_t batch) const {
  const at::TensorOptions like = tensor_options();
  const std::int64_t n = shape().neurons;
  NamedTensors state = {{"memory", at::zeros({batch, n, options_.memory}, like)},
                        {"emitted", at::zeros({batch, n}, like)}};
  if (options_.branch_tau_ms > 0) {
    state["branch"] = at::zeros({batch, n, raw("input_weight").size(1)}, like);
  }
  if (options_.high_pass_tau_ms > 0) state["low_pass"] = at::zeros({batch, n}, like);
  return state;
}

at::Tensor ElmNetwork::mlp(const at::Tensor& first) const {
  if (options_.mlp_layers == 0) return first;
  at::Tensor values = activate(first, options_.mlp_activation);
  for (std::int64_t layer = 0; layer + 1 < options_.mlp_layers; ++layer) {
    values = activate(maps(values, raw("hidden_weight")[layer], raw("hidden_bias")[layer]),
                      options_.mlp_activation);
  }
  return maps(values, raw("output_weight"), raw("output_bias"));
}

at::Tensor ElmNetwork::memory_keep() const {
  return keep_of(physical("memory_tau"), dt_ms_);
}

at::Tensor ElmNetwork::memory_gain() const {
  return memory_gain_of(physical("memory_tau"), dt_ms_, options_.lambda,
                        options_.lambda_as_timescale);
}

double ElmNetwork::branch_keep() const {
  return options_.branch_tau_ms > 0 ? std::exp(-dt_ms_ / options_.branch_tau_ms) : 0;
}

double ElmNetwork::low_pass_keep() const {
  return options_.high_pass_tau_ms > 0 ? std::exp(-dt_ms_ / options_.high_pass_tau_ms) : 0;
}

at::Tensor ElmNetwork::forward(const at::Tensor& input, NamedTensors& state,
                               const LayerPass& pass) const {
  const std::int64_t batch = input.size(1), n = shape().neurons;
  const at::TensorOptions like = input.options().requires_grad(false);
  at::Tensor arriving = input;
  at::Tensor recurrent_mask;
  if (options_.variational) {
    arriving = masked_for_sequence(input, options_.input_dropout, pass);
    recurrent_mask = sequence_mask({batch, n}, options_.recurrent_dropout, pass, like);
  } else {
    arriving = dropout(input, options_.input_dropout, pass);
  }
  const at::Tensor connected = connectome_.flatten().to(input.device());
  const at::Tensor keep = memory_keep(), gain = memory_gain();
  const double branch_kept = branch_keep(), low_pass_kept = low_pass_keep();
  const std::int64_t per_branch = connectome_.size(1) / raw("input_weight").size(1);
  at::Tensor memory = state.at("memory"), emitted = state.at("emitted");
  at::Tensor branch, low_pass = at::zeros({batch, n}, like);
  if (branch_kept > 0) branch = state.at("branch");
  if (low_pass_kept > 0) low_pass = state.at("low_pass");
  std::vector<at::Tensor> emissions;
  PenalisedMeans means;
  const at::Tensor share = penalised(pass) ? share_of_steps(input, pass) : at::Tensor();
  Records records;
  for (const at::Tensor& step : arriving.unbind(0)) {
    const at::Tensor back = recurrent_mask.defined() ? emitted * recurrent_mask
                            : options_.variational
                                ? emitted
                                : dropout(emitted, options_.recurrent_dropout, pass);
    const at::Tensor source =
        at::cat({step, back}, 1).index_select(1, connected).view({batch, n, -1});
    const at::Tensor sums =
        (source * raw("synapse_weight")).unflatten(-1, {-1, per_branch}).sum(-1) *
        options_.input_scale;
    branch = branch_kept > 0 ? branch * branch_kept + sums : sums;
    const at::Tensor recalled = memory * keep;
    const at::Tensor first = maps(branch, raw("input_weight"), raw("bias")) +
                             at::einsum("bnf,nft->bnt", {recalled, raw("recurrent_weight")});
    const at::Tensor output = mlp(first);
    memory = at::addcmul(recalled, gain, squash(output));
    const at::Tensor readout = (memory * raw("memory_weight")).sum(-1);
    at::Tensor activity = readout + raw("threshold");
    if (low_pass_kept > 0) {
      low_pass = low_pass * low_pass_kept + readout * (1 - low_pass_kept);
      activity = activity - low_pass;
    }
    if (options_.output == ElmNetworkOptions::Output::relu) activity = at::relu(activity);
    emitted = silence(dropout(activity, options_.dropout, pass), pass);
    emissions.push_back(emitted);
    if (share.defined()) means.add(share[std::ssize(emissions) - 1], output, emitted);
    if (pass.trace == nullptr) continue;
    records.branch.push_back(branch);
    records.mlp.push_back(output);
    records.memory.push_back(memory);
    records.readout.push_back(readout);
    records.low_pass.push_back(low_pass);
    records.activity.push_back(activity);
  }
  if (pass.trace != nullptr) {
    *pass.trace = {
        {"branch", at::stack(records.branch)},     {"mlp", at::stack(records.mlp)},
        {"memory", at::stack(records.memory)},     {"readout", at::stack(records.readout)},
        {"low_pass", at::stack(records.low_pass)}, {"activity", at::stack(records.activity)}};
  }
  state = {{"memory", memory}, {"emitted", emitted}};
  if (branch_kept > 0) state["branch"] = branch;
  if (low_pass_kept > 0) state["low_pass"] = low_pass;
  if (share.defined()) add_penalty(pass, means.memory, means.activity);
  return at::stack(emissions);
}

kernels::ElmNetworkShape ElmNetwork::kernel_shape(std::int64_t steps, std::int64_t rows) const {
  return {steps,
          rows,
          shape().input_size,
          shape().neurons,
          options_.memory,
          raw("bias").size(1),
          options_.mlp_layers,
          raw("input_weight").size(1),
          connectome_.size(1)};
}

at::Tensor ElmNetwork::emissions(const at::Tensor& input, const LayerPass& pass) const {
  // The kernel folds branches into the first map of the MLPs, and so does not know their state.
  const bool unknown_state = pass.final_state != nullptr && branch_keep() > 0;
  if (unknown_state || !takes_kernel(input, pass)) return NeuronLayer::emissions(input, pass);
  const std::int64_t steps = input.size(0), rows = input.size(1), n = shape().neurons;
  at::Tensor arriving = input;
  KernelCall<kernels::ElmNetwork> call{kernel_shape(steps, rows)};
  if (options_.variational) {
    arriving = masked_for_sequence(input, options_.input_dropout, pass);
    const at::Tensor kept = sequence_mask({rows, n}, options_.recurrent_dropout, pass,
                                          input.options().requires_grad(false));
    call.masks = PassMasks(pass, steps, rows, n, options_.dropout, 0, input.scalar_type());
    if (kept.defined()) {
      call.masks.recurrent = kept.gt(0).to(at::kByte).expand({steps, rows, n}).contiguous();
      call.masks.recurrent_scale = 1 / (1 - options_.recurrent_dropout);
    }
  } else {
    arriving = dropout(input, options_.input_dropout, pass);
    call.masks = PassMasks(pass, steps, rows, n, options_.dropout, options_.recurrent_dropout,
                           input.scalar_type());
  }
  for (const ParameterSpec& spec : specs()) call.parameters[spec.name] = raw(spec.name);
  call.parameters["keep"] = memory_keep();
  call.parameters["gain"] = memory_gain();
  call.owners = {connectome_.contiguous()};
  if (pass.lengths.defined()) call.owners.push_back(pass.lengths.to(at::kLong).contiguous());
  call.settings = {call.owners[0].data_ptr<std::int64_t>(),
                   options_.input_scale,
                   branch_keep(),
                   low_pass_keep(),
                   options_.output == ElmNetworkOptions::Output::relu,
                   kernel_activation(options_.mlp_activation),
                   pass.lengths.defined() ? call.owners[1].data_ptr<std::int64_t>() : nullptr};
  call.state = allocate_final_state(pass, rows);
  // A penalty on activity is one on all steps.
  call.first = penalised(pass) ? 0 : pass.first;
  const auto results = run_kernel(
      arriving, call, beside_dropped_input(pass.execution, options_.input_dropout, input));
  if (penalised(pass)) {
    add_penalty(pass, results[1], (results[0].abs().mean(-1) * share_of_steps(input, pass)).sum(0));
  }
  return results[0].narrow(0, pass.first - call.first, steps - pass.first);
}

std::optional<NeuronLayer::Workspace> ElmNetwork::workspace(std::int64_t steps, std::int64_t rows,
                                                            Precision precision,
                                                            std::size_t limit) const {
  return kernel_workspace<kernels::ElmNetwork>(
      kernel_shape(steps, rows),
      {options_.input_dropout, options_.dropout, options_.recurrent_dropout}, precision, limit);
}

void ElmNetwork::add_penalty(const LayerPass& pass, const at::Tensor& magnitude,
                             const at::Tensor& activity) const {
  const at::Tensor own =
      options_.memory_penalty * magnitude.square().mean(-1) + options_.activity_penalty * activity;
  *pass.penalty = pass.penalty->defined() ? *pass.penalty + own : own;
}

bool ElmNetwork::penalised(const LayerPass& pass) const {
  return pass.penalty != nullptr && has_penalty();
}

bool ElmNetwork::has_penalty() const {
  return options_.memory_penalty > 0 || options_.activity_penalty > 0;
}

void ElmNetworkOptions::describe(options::Section section) {
  section.add("memory", memory, "Memory units of each neuron.").at_least(1).at_most(1e6);
  section.add("mlp_layers", mlp_layers, "Hidden layers of each MLP.").at_least(0).at_most(1000);
  section.add("mlp_width", mlp_width, "Units in each; 0: twice the memory units.")
      .at_least(0)
      .at_most(1e6);
  describe_activation(section, "mlp_activation", mlp_activation, "Of the MLPs' hidden units.");
  section.add("branches", branches, "Branches of each neuron; 0: twice the width of its MLP.")
      .at_least(0)
      .at_most(1e6);
  section
      .add("synapses_per_branch", synapses_per_branch,
           "Synapses that a branch adds up; 0: as many as branches.")
      .at_least(0)
      .at_most(1e6);
  section.add("input_scale", input_scale, "Multiplies what branches add up.").bounded();
  section.add("lambda", lambda, "Speed (or strength) of what enters memory.").above(0).bounded();
  section.add("lambda_as_timescale", lambda_as_timescale,
              "The input timescale is tau_m / lambda; false: a gain lambda (1 - kappa_m).");
  memory_tau.describe(section);
  section.quantity("branch_tau", branch_tau_ms, "ms", "Timescale of branches; 0 ms: none.")
      .at_least(0)
      .bounded();
  section
      .quantity("high_pass_tau", high_pass_tau_ms, "ms",
                "Activity is what a readout has beyond its mean over this; 0 ms: all of it.")
      .at_least(0)
      .bounded();
  section.choice("output", output, {{"relu", Output::relu}, {"identity", Output::identity}},
                 "What makes activity of a readout.");
  section
      .add("recurrent_fraction", recurrent_fraction,
           "Probability that a synapse is recurrent; -1: neurons / (inputs + neurons).")
      .at_least(-1)
      .at_most(1);
  section.add("connectome_seed", connectome_seed, "Seed of the connectome.").at_least(0);
  section.add_text(
      "synapse_weight",
      "Initial synapse weights; auto: uniform(-1, 1) / sqrt(synapses_per_branch).",
      [this] { return synapse_weight ? synapse_weight->text() : "auto"; },
      [this](const std::string& text) {
        synapse_weight =
            text == "auto" ? std::nullopt
                           : std::optional(Initial::parse(text, "initial value 'synapse_weight'"));
      });
  section.add("learn", learn, "Trained timescales: all, none, or memory_tau.");
  section
      .quantity("time_step", time_step_ms, "ms",
                "What a step stands for in the equations; 0 ms: what it does in the task.")
      .at_least(0)
      .bounded();
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input.");
  describe_dropout(section, "dropout", dropout, "Dropout of activity, towards everything.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of activity, towards the layer itself only.");
  section.add("variational", variational,
              "Dropout of input and recurrence takes one mask for a whole sequence.");
  section
      .add("memory_penalty", memory_penalty,
           "Training adds so much times the mean over neurons of (mean |MLP output|)^2.")
      .at_least(0)
      .bounded();
  section
      .add("activity_penalty", activity_penalty, "Training adds so much times the mean activity.")
      .at_least(0)
      .bounded();
  section.add("readout_neurons", readout_neurons,
              "A further layer, of one ELM neuron for each output, reads out.");
  section.add("readout_memory", readout_memory, "Memory units of each of these.")
      .at_least(1)
      .at_most(1e6);
  section.add("readout_mlp_layers", readout_mlp_layers, "Hidden layers of their MLPs.")
      .at_least(0)
      .at_most(1000);
}

namespace {

class ElmNetworkModel final : public NeuronModel {
 public:
  ElmNetworkModel() = default;
  explicit ElmNetworkModel(ElmNetworkOptions options) : options_(std::move(options)) {}

  void describe(options::Section section) override { options_.describe(section); }
  std::vector<ParameterSpec> specs(const LayerShape& shape) const override {
    require_room(options_.memory_tau, learns_timescales(options_), "elm_network");
    return network_specs(shape, options_);
  }
  std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const override {
    return std::make_shared<ElmNetwork>(shape, options_);
  }
  /// Neurons with the same synapses, of their own memory and MLP, with nothing that recurs, is
  /// rectified, dropped or penalised.
  std::unique_ptr<NeuronModel> readout_model() const override {
    if (!options_.readout_neurons) return nullptr;
    ElmNetworkOptions readout = options_;
    const ElmNetworkSizes sizes = sizes_of(options_, {1, 1, 1});
    readout.branches = sizes.branches;
    readout.synapses_per_branch = sizes.per_branch;
    readout.memory = options_.readout_memory;
    readout.mlp_layers = options_.readout_mlp_layers;
    readout.mlp_width = 0;
    readout.high_pass_tau_ms = 0;
    readout.output = ElmNetworkOptions::Output::identity;
    readout.recurrent_fraction = 0;
    readout.input_dropout = readout.dropout = readout.recurrent_dropout = 0;
    readout.memory_penalty = readout.activity_penalty = 0;
    return std::make_unique<ElmNetworkModel>(readout);
  }

 private:
  ElmNetworkOptions options_;
};

}  // namespace

NeuronEntry entry_elm_network() {
  return {"elm_network", "recurrent layers of expressive leaky memory neurons",
          [] { return std::unique_ptr<NeuronModel>(std::make_unique<ElmNetworkModel>()); }};
}

}  // namespace afterspike::nn
