#include "afterspike/analysis/neurons.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "tensors.hpp"

namespace afterspike::analysis {
namespace {

/// Extent of a parameter that runs over neurons.
enum class Extent { first, last, none };

/// Facts about a parameter, by name.
struct Known {
  std::string_view name, column;
  Extent neurons;
};

/// The parameters of GLIFR, by the short names and in the order of its authors' tables; and
/// parameters of synapses, whose number may equal that of neurons by chance.
constexpr std::array<Known, 6> kKnown = {{{"threshold", "threshold", Extent::last},
                                          {"membrane_decay", "k_m", Extent::last},
                                          {"after_spike_multiplicative", "r", Extent::last},
                                          {"after_spike_decay", "k", Extent::last},
                                          {"after_spike_additive", "a", Extent::last},
                                          {"synapse_tau", "synapse_tau", Extent::none}}};

/// Returns the position of a parameter in the table, and its facts; unknown ones come last, with
/// neurons as their first extent.
std::pair<std::size_t, Known> place_of(const nn::ParameterSpec& spec) {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(),
                                  [&](const Known& known) { return known.name == spec.name; });
  if (found == kKnown.end()) return {kKnown.size(), {spec.name, spec.name, Extent::first}};
  return {static_cast<std::size_t>(found - kKnown.begin()), *found};
}

/// Returns "_mV", "_per_ms", or "" without a unit.
std::string unit_suffix(const std::string& unit) {
  if (unit == "1" || unit.empty()) return "";
  std::string suffix = unit.starts_with("1/") ? "_per_" + unit.substr(2) : "_" + unit;
  for (auto at = suffix.find('/'); at != std::string::npos; at = suffix.find('/')) {
    suffix.replace(at, 1, "_per_");
  }
  return suffix;
}

/// An intrinsic parameter of a layer: [neurons, values of each].
struct Gathered {
  std::size_t place;
  std::string name, unit;
  at::Tensor values;
};

std::vector<Gathered> gather(const nn::NeuronLayer& layer) {
  const std::int64_t neurons = layer.shape().neurons;
  std::vector<Gathered> all;
  for (const nn::ParameterSpec& spec : layer.specs()) {
    const auto [place, known] = place_of(spec);
    if (spec.group != nn::ParameterGroup::intrinsic || spec.shape.empty()) continue;
    const std::int64_t axis = known.neurons == Extent::last ? -1 : 0;
    const at::Tensor physical = layer.physical(spec.name).detach().to(at::kDouble);
    if (known.neurons == Extent::none || physical.size(axis) != neurons) continue;
    all.push_back({place, std::string(known.column), unit_suffix(spec.unit),
                   physical.movedim(axis, 0).reshape({neurons, -1}).contiguous()});
  }
  return all;
}

/// Returns whether a parameter has several values per neuron.
bool has_several(const Gathered& parameter) {
  return parameter.values.size(1) >= 2;
}

/// Returns the order of canonical_order(), by the first parameter with several values and all
/// others with equally many.
at::Tensor order_by(const std::vector<Gathered>& parameters, std::int64_t neurons) {
  const auto first = std::find_if(parameters.begin(), parameters.end(), has_several);
  if (first == parameters.end()) return {};
  const std::int64_t count = first->values.size(1);
  at::Tensor order = at::empty({neurons, count}, at::kLong);
  for (std::int64_t neuron = 0; neuron < neurons; ++neuron) {
    std::int64_t* begin = order.data_ptr<std::int64_t>() + neuron * count;
    std::iota(begin, begin + count, std::int64_t{0});
    std::stable_sort(begin, begin + count, [&](std::int64_t a, std::int64_t b) {
      for (const Gathered& parameter : parameters) {
        if (parameter.values.size(1) != count) continue;
        const double* row = parameter.values.data_ptr<double>() + neuron * count;
        if (row[a] != row[b]) return row[a] < row[b];
      }
      return false;
    });
  }
  return order;
}

/// Named columns of one parameter, [neurons, columns].
struct Columns {
  std::vector<std::string> names;
  at::Tensor values;
};

Columns columns_of(const Gathered& parameter) {
  const at::Tensor& values = parameter.values;
  const std::int64_t count = values.size(1);
  if (count == 1) return {{parameter.name + parameter.unit}, values};
  Columns columns;
  if (count <= kMaxColumns) {
    columns.values = values;
    for (std::int64_t i = 1; i <= count; ++i) {
      columns.names.push_back(fmt::format("{}_{}{}", parameter.name, i, parameter.unit));
    }
    return columns;
  }
  columns.values =
      at::stack({values.amin(1), std::get<0>(values.median(1)), values.mean(1), values.amax(1)}, 1);
  for (const char* what : {"min", "median", "mean", "max"}) {
    columns.names.push_back(fmt::format("{}_{}{}", parameter.name, what, parameter.unit));
  }
  return columns;
}

/// Returns the table of one layer.
Columns layer_columns(const nn::NeuronLayer& layer) {
  std::vector<Gathered> parameters = gather(layer);
  const at::Tensor order = order_by(parameters, layer.shape().neurons);
  for (Gathered& parameter : parameters) {
    if (!order.defined() || parameter.values.size(1) != order.size(1)) continue;
    parameter.values = parameter.values.gather(1, order);
  }
  std::stable_sort(parameters.begin(), parameters.end(),
                   [](const Gathered& a, const Gathered& b) { return a.place < b.place; });
  Columns all;
  std::vector<at::Tensor> parts;
  for (const Gathered& parameter : parameters) {
    if (parameter.values.size(1) == 0) continue;
    Columns columns = columns_of(parameter);
    all.names.insert(all.names.end(), columns.names.begin(), columns.names.end());
    parts.push_back(columns.values);
  }
  if (!parts.empty()) all.values = at::cat(parts, 1).contiguous();
  return all;
}

/// Sums the activity of a layer [steps, batch, neurons] over the steps of each sample.
at::Tensor summed_activity(const at::Tensor& emitted, const at::Tensor& lengths) {
  at::Tensor size = emitted.abs().to(at::kDouble);
  if (lengths.defined()) {
    const at::Tensor step = at::arange(size.size(0)).unsqueeze(1);
    size = size * step.lt(lengths.unsqueeze(0)).unsqueeze(2);
  }
  return size.sum(at::IntArrayRef{0, 1});
}

}  // namespace

at::Tensor canonical_order(const nn::NeuronLayer& layer) {
  return order_by(gather(layer), layer.shape().neurons);
}

std::vector<NeuronId> hidden_neurons(const nn::Network& network) {
  std::vector<NeuronId> neurons;
  for (std::int64_t layer = 0; layer < network.options().layers; ++layer) {
    for (std::int64_t i = 0; i < network.options().hidden; ++i) neurons.push_back({layer, i});
  }
  return neurons;
}

std::vector<double> NeuronTable::column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) {
    const std::vector<std::string_view> known(columns.begin(), columns.end());
    fail(ErrorKind::usage, "no parameter of neurons called '{}'{}; there are: {}", name,
         did_you_mean(name, known), fmt::join(columns, ", "));
  }
  const Eigen::VectorXd column = values.col(found - columns.begin());
  return {column.begin(), column.end()};
}

NeuronTable neuron_parameters(const nn::Network& network) {
  NeuronTable table;
  table.neurons = hidden_neurons(network);
  std::vector<at::Tensor> parts;
  for (std::int64_t layer = 0; layer < network.options().layers; ++layer) {
    Columns columns = layer_columns(*network.layer(static_cast<std::size_t>(layer)));
    table.columns = columns.names;
    if (columns.values.defined()) parts.push_back(columns.values);
  }
  require(!parts.empty(), ErrorKind::config,
          "neurons of this model have no intrinsic parameters, only weights; expected a model such "
          "as glifr");
  table.values = points_of(at::cat(parts, 0));
  return table;
}

std::vector<double> mean_activity(const Subject& subject, ThreadPool& pool) {
  const auto shards = static_cast<std::size_t>(experiment::shard_count(*subject.data));
  std::vector<at::Tensor> sums(shards);
  std::vector<double> steps(shards);
  experiment::for_each_shard(subject.data->size(), pool, [&](std::size_t place, auto numbers) {
    const tasks::Batch batch = subject.data->batch(numbers);
    std::vector<at::Tensor> parts;
    for_each_hidden_layer(subject, batch, [&](const at::Tensor& emissions) {
      parts.push_back(summed_activity(emissions, batch.lengths));
    });
    sums[place] = at::cat(parts, 0);
    steps[place] = batch.lengths.defined()
                       ? batch.lengths.sum().item<double>()
                       : static_cast<double>(batch.input.size(0) * batch.input.size(1));
  });
  at::Tensor total = at::zeros_like(sums.front());
  for (const at::Tensor& sum : sums) total += sum;
  return values_of(total / std::accumulate(steps.begin(), steps.end(), 0.0));
}

bool is_identity(std::string_view column) noexcept {
  constexpr std::array<std::string_view, 5> kIdentities = {"run", "seed", "layer", "neuron",
                                                           "cluster"};
  return std::find(kIdentities.begin(), kIdentities.end(), column) != kIdentities.end();
}

}  // namespace afterspike::analysis
