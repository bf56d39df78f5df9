#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "afterspike/analysis/inspection.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/statistics/resampling.hpp"
#include "tensors.hpp"

namespace afterspike::analysis {
namespace {

constexpr std::int64_t kLevels = 41;
constexpr std::int64_t kSettling = 600;  // Steps; the second half is averaged.
constexpr double kOuter = 0.05;          // Fraction of the neurons beyond each end of a band.
constexpr std::int64_t kBefore = 40, kDuring = 120, kAfter = 120;  // Steps of the step response.
constexpr int kMinPower = -8, kMaxPower = 8;                       // Tried drives: 2^-8 to 2^8.
constexpr double kSaturated = 0.05;  // Fraction of the whole range of the activity.

/// Trajectories of layers to show, by their names in LayerPass::trace.
struct Traced {
  const char* name;
  const char* unit;
};
constexpr std::array<Traced, 3> kTraced = {
    {{"voltage", "mV"}, {"after_spike_current", "pA"}, {"preactivation", ""}}};

/// Returns whether each neuron has one column of input and recurrent weights, and all its other
/// parameters in the last extent.
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

/// Returns a layer of these neurons, each driven only by its own input.
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
  std::vector<at::Tensor> orders;
  for (std::int64_t i = 0; i < trained.network->options().layers; ++i) {
    orders.push_back(canonical_order(*trained.network->layer(static_cast<std::size_t>(i))));
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t number = numbers[static_cast<std::size_t>(i)];
    const nn::NeuronLayer& source =
        *trained.network->layer(static_cast<std::size_t>(number / hidden));
    const at::Tensor& order = orders[static_cast<std::size_t>(number / hidden)];
    for (const nn::ParameterSpec& spec : source.specs()) {
      if (spec.name == "input_weight" || spec.name == "recurrent_weight") continue;
      at::Tensor row = source.raw(spec.name).select(-1, number % hidden);
      if (row.dim() == 1 && order.defined() && row.numel() == order.size(1)) {
        row = row.index_select(0, order.select(0, number % hidden));
      }
      target.raw(spec.name).select(-1, i).copy_(row);
    }
  }
  target.set_physical("input_weight", at::eye(count));
  target.set_physical("recurrent_weight", at::zeros({count, count}));
  return network;
}

/// Returns the settled activity of the neurons at each drive, [levels, neurons].
at::Tensor settled(const nn::NeuronLayer& layer, const std::vector<double>& drive,
                   const nn::LayerPass& pass) {
  const auto levels = static_cast<std::int64_t>(drive.size());
  const at::Tensor input = at::tensor(drive, at::kFloat)
                               .view({1, levels, 1})
                               .expand({kSettling, levels, layer.shape().neurons})
                               .contiguous();
  return layer.emissions(input, pass).slice(0, kSettling / 2).mean(0).to(at::kDouble);
}

/// Returns the drives tried for the range: both signs, ascending.
std::vector<double> tried_drives() {
  std::vector<double> tried;
  for (int power = kMinPower; power <= kMaxPower; ++power) {
    tried.insert(tried.end(), {std::ldexp(-1, power), std::ldexp(1, power)});
  }
  return tried;
}

/// Returns the smallest tried drive beyond which the neurons' activity hardly changes.
double range_of(const std::vector<double>& tried, const at::Tensor& activity) {
  const double whole = (activity.amax() - activity.amin()).item<double>();
  const std::int64_t last = activity.size(0) - 2;
  for (std::int64_t i = 0; i < last; i += 2) {
    const at::Tensor left =
        (activity.slice(0, i, i + 2) - activity.slice(0, last, last + 2)).abs().mean(1).amax();
    if (left.item<double>() <= kSaturated * whole) return tried[static_cast<std::size_t>(i + 1)];
  }
  return tried.back();
}

/// Returns a quantile of sorted values, interpolated linearly.
double quantile(const std::vector<double>& sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<std::size_t>(place);
  const std::size_t next = std::min(index + 1, sorted.size() - 1);
  return std::lerp(sorted[index], sorted[next], place - std::floor(place));
}

/// Returns mean and spread over the neurons of each unit, of values [points, neurons]. Empty for a
/// unit without neurons.
std::vector<Curve> curves_of(const at::Tensor& values,
                             const std::vector<std::vector<std::int64_t>>& members) {
  std::vector<Curve> curves;
  const at::Tensor all = values.to(at::kDouble).contiguous();
  const auto access = all.accessor<double, 2>();
  for (const auto& unit_members : members) {
    Curve curve;
    for (std::int64_t point = 0; point < all.size(0) && !unit_members.empty(); ++point) {
      std::vector<double> parts;
      for (const std::int64_t member : unit_members) parts.push_back(access[point][member]);
      curve.mean.push_back(statistics::mean(parts));
      curve.sd.push_back(statistics::standard_deviation(parts));
      std::sort(parts.begin(), parts.end());
      curve.low.push_back(quantile(parts, kOuter));
      curve.high.push_back(quantile(parts, 1 - kOuter));
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

/// The probed neurons, and each unit's share of them.
struct Chosen {
  std::vector<std::int64_t> numbers;
  std::vector<std::vector<std::int64_t>> members;
};

/// Returns up to `most` neurons of a unit, evenly spread.
std::vector<std::int64_t> spread_over(const Unit& unit, std::size_t most) {
  std::vector<std::int64_t> numbers;
  const std::size_t count = std::min(most, unit.neurons.size());
  for (std::size_t i = 0; i < count; ++i) {
    numbers.push_back(unit.neurons[i * unit.neurons.size() / count]);
  }
  return numbers;
}

Chosen choose(const std::vector<Unit>& units) {
  const auto limit = static_cast<std::size_t>(kMaxProbed);
  std::set<std::int64_t> all;
  for (const Unit& unit : units) all.insert(unit.neurons.begin(), unit.neurons.end());
  const std::size_t most =
      all.size() <= limit ? all.size() : std::max<std::size_t>(1, limit / units.size());
  Chosen chosen;
  std::set<std::int64_t> probed;
  for (const Unit& unit : units) {
    for (const std::int64_t number : spread_over(unit, most)) {
      if (probed.insert(number).second) chosen.numbers.push_back(number);
    }
  }
  for (const Unit& unit : units) {
    const bool whole = std::all_of(unit.neurons.begin(), unit.neurons.end(),
                                   [&](std::int64_t number) { return probed.contains(number); });
    chosen.members.push_back(whole ? unit.neurons : spread_over(unit, most));
  }
  return chosen;
}

/// Returns the neurons that stay finite under these drives. If not all do together, each is tried
/// alone: in the product with recurrent weights, 0 times a value that is not finite is not 0.
std::vector<std::int64_t> staying(const experiment::Trained& trained,
                                  const std::vector<std::int64_t>& numbers,
                                  const std::vector<double>& drive, const nn::LayerPass& pass) {
  const auto stay = [&](const std::vector<std::int64_t>& chosen) {
    const auto network = isolated(trained, chosen);
    return settled(*network->layer(0), drive, pass).isfinite().all().item<bool>();
  };
  if (numbers.empty() || stay(numbers)) return numbers;
  std::vector<std::int64_t> found;
  for (const std::int64_t number : numbers) {
    if (stay({number})) found.push_back(number);
  }
  return found;
}

/// Returns the tried drive whose mean activity is nearest to the middle between that without drive
/// and the largest.
double middle_drive(const std::vector<double>& drive, const at::Tensor& activity) {
  const at::Tensor mean = activity.mean(1);
  const std::int64_t rest = static_cast<std::int64_t>(drive.size()) / 2;
  const at::Tensor upper = mean.slice(0, rest);
  const double middle = (upper[0].item<double>() + upper.amax().item<double>()) / 2;
  const std::int64_t at = (upper - middle).abs().argmin().item<std::int64_t>();
  return drive[static_cast<std::size_t>(rest + std::max<std::int64_t>(1, at))];
}

/// A quantity of neurons at each step, [steps, neurons].
struct Trajectory {
  std::string name, unit;
  at::Tensor values;
};

std::vector<Trajectory> step_response(const nn::NeuronLayer& layer, double drive,
                                      nn::LayerPass pass) {
  // Neurons first come to rest without a drive; this part is not shown.
  at::Tensor input = at::zeros({kSettling + kBefore + kDuring + kAfter, 1, layer.shape().neurons});
  const std::int64_t onset = kSettling + kBefore;
  input.slice(0, onset, onset + kDuring).fill_(drive);
  nn::NamedTensors trace;
  pass.trace = &trace;
  std::vector<Trajectory> all = {
      {"activity", "", layer.emissions(input, pass).slice(0, kSettling).select(1, 0)}};
  for (const Traced& traced : kTraced) {
    const auto found = trace.find(traced.name);
    if (found == trace.end()) continue;
    const bool several = found->second.dim() == 4;
    const std::int64_t count = several ? found->second.size(1) : 1;
    for (std::int64_t i = 0; i < count; ++i) {
      const at::Tensor values =
          (several ? found->second.select(1, i) : found->second).slice(0, kSettling);
      all.push_back({several ? fmt::format("{}_{}", traced.name, i + 1) : traced.name, traced.unit,
                     values.select(1, 0)});
    }
  }
  return all;
}

/// Sets the times of the step response.
void set_times(double dt_ms, Probe& result) {
  result.time_ms = step_ends_ms(kBefore + kDuring + kAfter, dt_ms);
  result.onset_ms = static_cast<double>(kBefore) * dt_ms;
  result.end_ms = static_cast<double>(kBefore + kDuring) * dt_ms;
}

/// Returns levels of both signs, up to where these neurons hardly change.
std::vector<double> levels_for(const experiment::Trained& trained,
                               const std::vector<std::int64_t>& numbers,
                               const nn::LayerPass& pass) {
  const auto network = isolated(trained, numbers);
  const std::vector<double> tried = tried_drives();
  const double range = range_of(tried, settled(*network->layer(0), tried, pass));
  std::vector<double> drive;
  for (std::int64_t level = 0; level < kLevels; ++level) {
    drive.push_back(range * (2.0 * static_cast<double>(level) / (kLevels - 1) - 1));
  }
  return drive;
}

/// Computes the curves of units over those of their neurons that `layer` contains.
void measure(const nn::NeuronLayer& layer, const std::vector<std::int64_t>& numbers,
             const Chosen& chosen, const nn::LayerPass& pass, Probe& result) {
  std::map<std::int64_t, std::int64_t> place;
  for (const std::int64_t number : numbers) {
    place.emplace(number, static_cast<std::int64_t>(place.size()));
  }
  std::vector<std::vector<std::int64_t>> members;
  for (const auto& unit_members : chosen.members) {
    members.emplace_back();
    for (const std::int64_t number : unit_members) {
      if (place.contains(number)) members.back().push_back(place.at(number));
    }
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    result.probed[i] = static_cast<std::int64_t>(members[i].size());
  }
  const at::Tensor activity = settled(layer, result.drive, pass);
  result.activity = {"activity", "", curves_of(activity, members)};
  result.step_drive = middle_drive(result.drive, activity);
  set_times(layer.shape().dt_ms, result);
  for (const Trajectory& trajectory : step_response(layer, result.step_drive, pass)) {
    result.step_response.push_back(
        {trajectory.name, trajectory.unit, curves_of(trajectory.values, members)});
  }
}

}  // namespace

std::optional<Probe> probe(const experiment::Trained& trained, const std::vector<Unit>& units) {
  if (!has_single_drive(*trained.network->layer(0))) return std::nullopt;
  Probe result;
  if (units.empty()) return result;
  const at::NoGradGuard no_grad;
  const Chosen chosen = choose(units);
  result.neurons = static_cast<std::int64_t>(chosen.numbers.size());
  result.probed.assign(units.size(), 0);
  const nn::LayerPass pass{trained.pass, {}};
  std::vector<std::int64_t> numbers = staying(trained, chosen.numbers, tried_drives(), pass);
  if (!numbers.empty()) {
    result.drive = levels_for(trained, numbers, pass);
    numbers = staying(trained, numbers, result.drive, pass);
  }
  if (numbers.empty()) {
    result.drive.clear();
  } else {
    const auto network = isolated(trained, numbers);
    for (const nn::ParameterSpec& spec : network->layer(0)->specs()) {
      if (spec.name == "input_weight" && spec.unit != "1") result.drive_unit = spec.unit;
    }
    measure(*network->layer(0), numbers, chosen, pass, result);
  }
  const std::set<std::int64_t> kept(numbers.begin(), numbers.end());
  std::copy_if(chosen.numbers.begin(), chosen.numbers.end(), std::back_inserter(result.run_away),
               [&](std::int64_t number) { return !kept.contains(number); });
  std::sort(result.run_away.begin(), result.run_away.end());
  return result;
}

}  // namespace afterspike::analysis
