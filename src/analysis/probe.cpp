#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <ATen/ATen.h>

#include "afterspike/analysis/inspection.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/statistics/resampling.hpp"

namespace afterspike::analysis {
namespace {

constexpr std::int64_t kLevels = 41;
constexpr std::int64_t kSettling = 600;  // Steps; the second half of them is averaged.
constexpr std::int64_t kBefore = 40, kDuring = 120, kAfter = 120;  // Steps of the step response.
constexpr int kLeastPower = -8, kMostPower = 8;  // Drives that are tried: 2^-8 to 2^8.
constexpr double kSaturated = 0.05;              // Of the whole range of the activity.

/// Trajectories of layers that are worth a look, by their names in LayerPass::trace.
struct Known {
  const char* name;
  const char* unit;
};
constexpr std::array<Known, 3> kKnown = {
    {{"voltage", "mV"}, {"after_spike_current", "pA"}, {"preactivation", ""}}};

/// Whether each neuron has one column of input and recurrent weights, and all else of it is in the
/// last extent of its parameters.
bool has_single_drive(const nn::NeuronLayer& layer) {
  const std::int64_t neurons = layer.shape().neurons;
  bool input = false;
  bool recurrent = false;
  for (const nn::ParameterSpec& spec : layer.specs()) {
    if (spec.shape.empty() || spec.shape.back() != neurons) return false;
    input |= spec.name == "input_weight" && spec.shape.size() == 2;
    recurrent |= spec.name == "recurrent_weight" &&
                 spec.shape == std::vector<std::int64_t>{neurons, neurons};
  }
  return input && recurrent;
}

/// For parameters of which a neuron has several (after-spike currents), [several, neurons]: their
/// canonical order, by the first such parameter.
at::Tensor canonical_order(const nn::NeuronLayer& layer) {
  for (const nn::ParameterSpec& spec : layer.specs()) {
    if (spec.group == nn::ParameterGroup::intrinsic && spec.shape.size() == 2) {
      return std::get<1>(layer.physical(spec.name).detach().sort(0));
    }
  }
  return {};
}

/// A layer of these neurons, each driven by an input of its own and by nothing else.
std::shared_ptr<nn::Network> isolated(const experiment::Trained& trained,
                                      const std::vector<std::int64_t>& numbers) {
  const at::NoGradGuard no_grad;
  const auto count = static_cast<std::int64_t>(numbers.size());
  experiment::Experiment experiment(trained.experiment->task_name(),
                                    trained.experiment->neuron_name());
  options::Description description;
  experiment.describe(description);
  experiment::from_configuration(trained.content.configuration, description);
  description.find("network.hidden").set_text(std::to_string(count));
  description.find("network.layers").set_text("1");
  description.find("network.match_params").set_text("0");
  description.find("network.readout").set_text("true");
  auto network = experiment.make_network({count, 1, trained.network->shape().dt_ms});
  nn::NeuronLayer& target = *network->layer(0);
  const std::int64_t hidden = trained.network->options().hidden;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t number = numbers[static_cast<std::size_t>(i)];
    const nn::NeuronLayer& source =
        *trained.network->layer(static_cast<std::size_t>(number / hidden));
    const at::Tensor order = canonical_order(source);
    for (const nn::ParameterSpec& spec : source.specs()) {
      if (spec.name == "input_weight" || spec.name == "recurrent_weight") continue;
      at::Tensor own = source.raw(spec.name).select(-1, number % hidden);
      if (own.dim() == 1 && order.defined()) {
        own = own.index_select(0, order.select(-1, number % hidden));
      }
      target.raw(spec.name).select(-1, i).copy_(own);
    }
  }
  target.set_physical("input_weight", at::eye(count));
  target.set_physical("recurrent_weight", at::zeros({count, count}));
  return network;
}

/// What the neurons settle to at each drive, [levels, neurons].
at::Tensor settled(const nn::NeuronLayer& layer, const std::vector<double>& drive,
                   const nn::LayerPass& pass) {
  const auto levels = static_cast<std::int64_t>(drive.size());
  const at::Tensor input = at::tensor(drive, at::kFloat)
                               .view({1, levels, 1})
                               .expand({kSettling, levels, layer.shape().neurons})
                               .contiguous();
  return layer.emissions(input, pass).slice(0, kSettling / 2).mean(0).to(at::kDouble);
}

/// The least power of two, as drive to both sides, beyond which the neurons hardly change.
double range_of(const nn::NeuronLayer& layer, const nn::LayerPass& pass) {
  std::vector<double> tried;
  for (int power = kLeastPower; power <= kMostPower; ++power) {
    tried.insert(tried.end(), {std::ldexp(-1, power), std::ldexp(1, power)});
  }
  const at::Tensor activity = settled(layer, tried, pass);
  const double whole = (activity.amax() - activity.amin()).item<double>();
  const std::int64_t last = activity.size(0) - 2;
  for (std::int64_t i = 0; i < last; i += 2) {
    const at::Tensor left =
        (activity.slice(0, i, i + 2) - activity.slice(0, last, last + 2)).abs().mean(1).amax();
    if (left.item<double>() <= kSaturated * whole) return tried[static_cast<std::size_t>(i + 1)];
  }
  return tried.back();
}

/// Mean and spread over the neurons of each unit, of values [points, neurons].
std::vector<Curve> curves_of(const at::Tensor& values,
                             const std::vector<std::vector<std::int64_t>>& members) {
  std::vector<Curve> curves;
  const at::Tensor all = values.to(at::kDouble).contiguous();
  const auto access = all.accessor<double, 2>();
  for (const auto& own : members) {
    Curve curve;
    for (std::int64_t point = 0; point < all.size(0); ++point) {
      std::vector<double> parts;
      for (const std::int64_t member : own) parts.push_back(access[point][member]);
      curve.mean.push_back(statistics::mean(parts));
      curve.sd.push_back(statistics::standard_deviation(parts));
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

/// The neurons that are probed, and which of them each unit has.
struct Chosen {
  std::vector<std::int64_t> numbers;
  std::vector<std::vector<std::int64_t>> members;
};

Chosen choose(const std::vector<Unit>& units) {
  Chosen chosen;
  std::map<std::int64_t, std::int64_t> place;
  const auto most = std::max<std::size_t>(1, static_cast<std::size_t>(kMostProbed) / units.size());
  for (const Unit& unit : units) {
    std::vector<std::int64_t> members;
    const std::size_t count = std::min(most, unit.neurons.size());
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t number = unit.neurons[i * unit.neurons.size() / count];
      const auto [found, added] =
          place.emplace(number, static_cast<std::int64_t>(chosen.numbers.size()));
      if (added) chosen.numbers.push_back(number);
      members.push_back(found->second);
    }
    chosen.members.push_back(std::move(members));
  }
  return chosen;
}

/// The drive of those tried at which the mean activity comes nearest to the middle between that
/// without drive and the largest.
double middle_drive(const std::vector<double>& drive, const at::Tensor& activity) {
  const at::Tensor mean = activity.mean(1);
  const std::int64_t rest = static_cast<std::int64_t>(drive.size()) / 2;
  const at::Tensor upper = mean.slice(0, rest);
  const double middle = (upper[0].item<double>() + upper.amax().item<double>()) / 2;
  const std::int64_t at = (upper - middle).abs().argmin().item<std::int64_t>();
  return drive[static_cast<std::size_t>(rest + std::max<std::int64_t>(1, at))];
}

void respond_to_step(const nn::NeuronLayer& layer, const Chosen& chosen,
                     const std::optional<double>& sigma_mV, Probe& result) {
  const std::int64_t steps = kBefore + kDuring + kAfter;
  at::Tensor input = at::zeros({steps, 1, layer.shape().neurons});
  input.slice(0, kBefore, kBefore + kDuring).fill_(result.step_drive);
  nn::NamedTensors trace;
  nn::LayerPass pass;
  pass.sigma_mV = sigma_mV;
  pass.trace = &trace;
  const at::Tensor activity = layer.emissions(input, pass);
  const double dt = layer.shape().dt_ms;
  for (std::int64_t step = 1; step <= steps; ++step) {
    result.time_ms.push_back(static_cast<double>(step) * dt);
  }
  result.onset_ms = static_cast<double>(kBefore) * dt;
  result.end_ms = static_cast<double>(kBefore + kDuring) * dt;
  result.step_response.push_back(
      {"activity", "", curves_of(activity.select(1, 0), chosen.members)});
  for (const Known& known : kKnown) {
    const auto found = trace.find(known.name);
    if (found == trace.end()) continue;
    const bool several = found->second.dim() == 4;
    const std::int64_t count = several ? found->second.size(1) : 1;
    for (std::int64_t i = 0; i < count; ++i) {
      const at::Tensor own = several ? found->second.select(1, i) : found->second;
      result.step_response.push_back(
          {several ? fmt::format("{}_{}", known.name, i + 1) : known.name, known.unit,
           curves_of(own.select(1, 0), chosen.members)});
    }
  }
}

}  // namespace

std::optional<Probe> probe(const experiment::Trained& trained, const std::vector<Unit>& units) {
  if (units.empty() || !has_single_drive(*trained.network->layer(0))) return std::nullopt;
  const at::NoGradGuard no_grad;
  const Chosen chosen = choose(units);
  const auto network = isolated(trained, chosen.numbers);
  const nn::NeuronLayer& layer = *network->layer(0);
  nn::LayerPass pass;
  pass.sigma_mV = trained.pass.sigma_mV;
  Probe result;
  for (const nn::ParameterSpec& spec : layer.specs()) {
    if (spec.name == "input_weight" && spec.unit != "1") result.drive_unit = spec.unit;
  }
  const double range = range_of(layer, pass);
  for (std::int64_t level = 0; level < kLevels; ++level) {
    result.drive.push_back(range * (2.0 * static_cast<double>(level) / (kLevels - 1) - 1));
  }
  const at::Tensor activity = settled(layer, result.drive, pass);
  result.activity = {"activity", "", curves_of(activity, chosen.members)};
  result.step_drive = middle_drive(result.drive, activity);
  respond_to_step(layer, chosen, pass.sigma_mV, result);
  return result;
}

}  // namespace afterspike::analysis
