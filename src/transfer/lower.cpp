#include "afterspike/transfer/lower.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/version.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/io/bytes.hpp"
#include "afterspike/nn/glifr.hpp"

namespace afterspike::transfer {
namespace {

struct ModeEntry {
  std::string_view name;
  Mode mode;
};
constexpr std::array kModes = {ModeEntry{"threshold", Mode::threshold},
                               ModeEntry{"escape", Mode::escape},
                               ModeEntry{"population", Mode::population}};

std::vector<double> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

const nn::Glifr& only_layer(const experiment::Trained& trained, const nn::Network& network) {
  const auto* layer = dynamic_cast<const nn::Glifr*>(network.layer(0).get());
  require(layer != nullptr, ErrorKind::config,
          "export: found neurons '{}', expected glifr, the only model that can be exported",
          trained.experiment->neuron_name());
  require(network.layers().size() == 1, ErrorKind::config,
          "export: found {} layers, expected 1: a layer hears another in the same step, for which"
          " spikes that travel have no time",
          network.layers().size());
  require(network.options().readout, ErrorKind::config,
          "export: the network has no readout, expected one");
  require(trained.objective.kind == tasks::Objective::Kind::classify, ErrorKind::config,
          "export: the task asks for a trace, expected one that classifies: spikes are read by"
          " counting them over a window");
  return *layer;
}

/// Everything that is lowered, with what it is lowered from.
class Lowering {
 public:
  Lowering(const experiment::Trained& trained, const Options& options)
      : trained_(trained),
        options_(options),
        network_(experiment::in_double(trained)),
        layer_(only_layer(trained, *network_)),
        own_(layer_.options()),
        dt_(layer_.shape().dt_ms),
        nominal_(options.time_step_ms == 0 ? dt_ : options.time_step_ms),
        spike_fraction_(dt_ / own_.tau_ms) {}

  spiking::Network run();

 private:
  bool escapes() const { return options_.mode != Mode::threshold; }
  /// Softness of the threshold that was trained; 0 for spikes.
  double sigma_mV() const {
    return trained_.pass.spikes ? 0 : trained_.pass.sigma_mV.value_or(own_.sigma_mV);
  }
  /// A rate of S comes as S dt / tau spikes in a step.
  double spikes_to_rate() const { return escapes() ? 1 / spike_fraction_ : 1; }
  /// A rate in 1/ms, for a step that stands for another time.
  std::vector<double> decay(std::string_view name) const;
  spiking::Population neurons() const;
  spiking::Projection dense(std::int64_t source, std::string_view name, std::int64_t delay_steps,
                            double scale) const;
  spiking::Readout readout() const;
  std::map<std::string, std::string> provenance() const;

  const experiment::Trained& trained_;
  Options options_;
  std::shared_ptr<nn::Network> network_;
  const nn::Glifr& layer_;
  const nn::GlifrOptions& own_;
  double dt_, nominal_, spike_fraction_;
};

std::vector<double> Lowering::decay(std::string_view name) const {
  std::vector<double> values = values_of(layer_.physical(name));
  if (nominal_ != dt_) {
    for (double& value : values) value *= dt_ / nominal_;
  }
  return values;
}

spiking::Population Lowering::neurons() const {
  const std::int64_t size = layer_.shape().neurons;
  const auto same = [&](double value) {
    return std::vector<double>(static_cast<std::size_t>(size), value);
  };
  spiking::Population population;
  population.name = kNeurons;
  population.model = "glifr";
  population.size = size;
  population.synapse = spiking::SynapseShape::delta;
  population.copies = options_.copies;
  population.columns = {{"threshold", values_of(layer_.physical("threshold"))},
                        {"membrane_decay", decay("membrane_decay")},
                        {"reset", same(own_.reset_mV)},
                        {"resistance", same(own_.resistance_GOhm)},
                        {"constant_current", same(own_.bias_current_pA)},
                        {"softness", same(escapes() ? sigma_mV() : 0)},
                        {"spike_fraction", same(spike_fraction_)},
                        {"after_spike_decay", {}},
                        {"after_spike_multiplicative", {}},
                        {"after_spike_additive", {}}};
  if (own_.after_spike_currents > 0) {
    population.columns["after_spike_decay"] = decay("after_spike_decay");
    for (const char* name : {"after_spike_multiplicative", "after_spike_additive"}) {
      population.columns[name] = values_of(layer_.physical(name));
    }
  }
  return population;
}

/// A weight matrix [sources, targets], row by row.
spiking::Projection Lowering::dense(std::int64_t source, std::string_view name,
                                    std::int64_t delay_steps, double scale) const {
  const at::Tensor matrix = layer_.physical(name);
  spiking::Projection projection;
  projection.source = source;
  projection.weights = values_of(matrix);
  for (double& weight : projection.weights) weight *= scale;
  projection.delays_ms = {static_cast<double>(delay_steps) * nominal_};
  projection.receptors = {0};
  projection.offsets.push_back(0);
  for (std::int64_t row = 0; row < matrix.size(0); ++row) {
    for (std::int64_t column = 0; column < matrix.size(1); ++column) {
      projection.targets.push_back(static_cast<std::uint32_t>(column));
    }
    projection.offsets.push_back(projection.synapses());
  }
  return projection;
}

spiking::Readout Lowering::readout() const {
  using Kind = tasks::ReadSteps::Kind;
  const tasks::ReadSteps& read = trained_.objective.read;
  require(read.kind == Kind::last || read.kind == Kind::window, ErrorKind::config,
          "export: the task reads '{}', expected the last step or a number of steps", read.text());
  const auto steps = static_cast<double>(read.kind == Kind::last ? 1 : read.count);
  return {0, steps * nominal_, spikes_to_rate() / steps,
          values_of(network_->physical("readout.weight")),
          values_of(network_->physical("readout.bias"))};
}

std::map<std::string, std::string> Lowering::provenance() const {
  return {{"checkpoint", io::sha256_of_file(trained_.checkpoint / "model.safetensors")},
          {"task", trained_.experiment->task_name()},
          {"neuron", trained_.experiment->neuron_name()},
          {"mode", std::string(mode_name(options_.mode))},
          {"copies", std::to_string(options_.copies)},
          {"sigma_mV", fmt::format("{}", sigma_mV())},
          {"configuration", trained_.content.configuration.dump()},
          {"version", AFTERSPIKE_VERSION},
          {"libtorch", TORCH_VERSION}};  // Its transforms give the values their last bits.
}

spiking::Network Lowering::run() {
  require(options_.copies == 1 || options_.mode == Mode::population, ErrorKind::config,
          "export: found {} copies with mode '{}', expected mode 'population'", options_.copies,
          mode_name(options_.mode));
  require(options_.copies >= 1, ErrorKind::config, "export: found {} copies, expected at least 1",
          options_.copies);
  require(std::isfinite(nominal_) && nominal_ > 0, ErrorKind::config,
          "export: found a time step of {} ms, expected above 0", nominal_);
  spiking::Network network;
  network.time_step_ms = nominal_;
  network.populations = {neurons(), {}};
  spiking::Population& input = network.populations[1];
  input.name = kInput;
  input.model = "analog_source";
  input.size = layer_.shape().input_size;
  input.synapse = spiking::SynapseShape::delta;
  input.receptors = 0;
  network.projections = {dense(1, "input_weight", 1, 1),
                         dense(0, "recurrent_weight", layer_.delay_steps(), spikes_to_rate())};
  network.readout = readout();
  network.provenance = provenance();
  spiking::validate(network);
  return network;
}

}  // namespace

Mode parse_mode(std::string_view name) {
  return find_entry<ModeEntry>(kModes, name, "mode").mode;
}

std::string_view mode_name(Mode mode) noexcept {
  return kModes[static_cast<std::size_t>(mode)].name;
}

spiking::Network lower(const experiment::Trained& trained, const Options& options) {
  const at::NoGradGuard no_grad;
  return Lowering(trained, options).run();
}

}  // namespace afterspike::transfer
