#include "afterspike/analysis/inspection.hpp"

#include <algorithm>

#include <torch/csrc/autograd/autograd.h>
#include <Eigen/Eigenvalues>

#include "afterspike/base/error.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "tensors.hpp"

namespace afterspike::analysis {
namespace {

std::int64_t hidden_count(const nn::Network& network) {
  return network.options().hidden * network.options().layers;
}

/// Returns the steps of the first sample of a batch.
std::int64_t length_of(const tasks::Batch& batch) {
  return batch.lengths.defined() ? batch.lengths[0].item<std::int64_t>() : batch.input.size(0);
}

std::vector<std::complex<double>> eigenvalues(const at::Tensor& matrix) {
  const statistics::Points weights = points_of(matrix);
  const Eigen::VectorXcd found = Eigen::EigenSolver<Eigen::MatrixXd>(weights, false).eigenvalues();
  std::vector<std::complex<double>> result(found.begin(), found.end());
  // Sorts by size, largest first; within a pair, above the real axis first.
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    const double of_a = std::abs(a), of_b = std::abs(b);
    return of_a != of_b ? of_a > of_b : a.imag() > b.imag();
  });
  return result;
}

/// Returns |d answer / d input| of a batch, [steps, batch, features].
at::Tensor sensitivity(const Subject& subject, tasks::Batch batch) {
  const at::AutoGradMode with_grad(true);
  batch.input = batch.input.detach().clone().set_requires_grad(true);
  const tasks::ReadValues read = experiment::outputs(
      subject.network(), batch, subject.task->objective().read, subject.trained->pass);
  at::Tensor answer;
  if (subject.task->classifies()) {
    answer = std::get<0>(tasks::mean_over_read(read).max(-1)).sum();
  } else {
    const at::Tensor there =
        read.weight.defined() ? read.values * read.weight.unsqueeze(-1) : read.values;
    answer = there.sum();
  }
  return torch::autograd::grad({answer}, {batch.input})[0].abs();
}

/// Sum over the samples of a shard, and the number of samples with each step.
struct ShardSaliency {
  at::Tensor sum, count;  // [steps]
};

ShardSaliency shard_saliency(const Subject& subject, std::span<const std::int64_t> numbers) {
  const tasks::Batch batch = subject.data->batch(numbers);
  at::Tensor size = sensitivity(subject, batch).sum(2).to(at::kDouble);
  at::Tensor there = at::ones_like(size);
  if (batch.lengths.defined()) {
    there = at::arange(size.size(0)).unsqueeze(1).lt(batch.lengths.unsqueeze(0)).to(at::kDouble);
  }
  return {(size * there).sum(1), there.sum(1)};
}

/// Adds b to a; their lengths may differ.
at::Tensor add_steps(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined()) return b;
  at::Tensor sum = at::zeros({std::max(a.size(0), b.size(0))}, a.options());
  sum.slice(0, 0, a.size(0)) += a;
  sum.slice(0, 0, b.size(0)) += b;
  return sum;
}

constexpr std::size_t kMaxNamed = 40;  // Neurons in a note; inspection.json names all.

/// Notes what the probe excluded, and why.
void note_probe(const nn::Network& network, const std::string& neuron, Inspection& result) {
  const char* what = "f-I curves and step responses";
  if (!result.probe) {
    result.notes.push_back(
        fmt::format("{}: not there for {}: what drives one of its neurons is not one number (many "
                    "synapses, or several gates)",
                    what, neuron));
  } else if (result.units.empty()) {
    result.notes.push_back(
        fmt::format("{}: left out, for no neurons were named and there are no clusters", what));
  } else if (const auto& run_away = result.probe->run_away; !run_away.empty()) {
    std::vector<std::string> names;
    const std::int64_t hidden = network.options().hidden;
    for (std::size_t i = 0; i < std::min(kMaxNamed, run_away.size()); ++i) {
      names.push_back(fmt::format("{}.{}", run_away[i] / hidden, run_away[i] % hidden));
    }
    if (run_away.size() > kMaxNamed) {
      names.push_back(fmt::format("and {} more", run_away.size() - kMaxNamed));
    }
    result.notes.push_back(
        fmt::format("{} of {} neurons run away: under a constant drive their state grows beyond "
                    "all numbers; they are left out of {} (layer.neuron): {}",
                    run_away.size(), result.probe->neurons, what, fmt::join(names, ", ")));
  }
}

void note_spectra(const nn::Network& network, const std::string& neuron, Inspection& result) {
  if (!result.spectra.empty()) return;
  result.notes.push_back(
      network.options().hidden > kMaxSpectral
          ? fmt::format("eigenvalues: left out for more than {} neurons in a layer", kMaxSpectral)
          : fmt::format("eigenvalues: {} has no square matrix of recurrent weights", neuron));
}

}  // namespace

std::vector<Unit> single_units(const nn::Network& network,
                               const std::vector<std::int64_t>& numbers) {
  std::vector<Unit> units;
  const std::int64_t count = hidden_count(network);
  for (const std::int64_t number : numbers) {
    require(number >= 0 && number < count, ErrorKind::usage,
            "neuron {}: expected 0 to {}, counted from the first layer on", number, count - 1);
    units.push_back({fmt::format("layer {}, neuron {}", number / network.options().hidden,
                                 number % network.options().hidden),
                     {number}});
  }
  return units;
}

std::vector<Unit> cluster_units(const std::vector<std::int64_t>& labels) {
  std::vector<Unit> units;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto cluster = static_cast<std::size_t>(labels[i]);
    while (units.size() <= cluster) {
      units.push_back(
          {fmt::format("cluster {}", units.size()), {}, static_cast<std::int64_t>(units.size())});
    }
    units[cluster].neurons.push_back(static_cast<std::int64_t>(i));
  }
  std::erase_if(units, [](const Unit& unit) { return unit.neurons.empty(); });
  return units;
}

void require_sample(const Subject& subject, std::int64_t sample) {
  require(sample >= 0 && sample < subject.data->size(), ErrorKind::usage,
          "sample {}: expected 0 to {}, the samples of the split", sample,
          subject.data->size() - 1);
}

Raster raster(const Subject& subject, std::int64_t sample) {
  require_sample(subject, sample);
  const at::NoGradGuard no_grad;
  const std::vector<std::int64_t> numbers = {sample};
  const tasks::Batch batch = subject.data->batch(numbers);
  std::vector<at::Tensor> parts;
  for_each_hidden_layer(subject, batch, [&](const at::Tensor& emissions) {
    parts.push_back(emissions.select(1, 0));
  });
  const std::int64_t steps = length_of(batch);
  const at::Tensor all = at::cat(parts, 1).slice(0, 0, steps).t();
  return {sample, step_ends_ms(steps, subject.network().shape().dt_ms), points_of(all)};
}

std::vector<Spectrum> spectra(const nn::Network& network) {
  std::vector<Spectrum> result;
  const std::int64_t neurons = network.options().hidden;
  if (neurons > kMaxSpectral) return result;
  for (std::int64_t index = 0; index < network.options().layers; ++index) {
    const nn::NeuronLayer& layer = *network.layer(static_cast<std::size_t>(index));
    for (const nn::ParameterSpec& spec : layer.specs()) {
      if (spec.name != "recurrent_weight" || spec.shape.size() != 2 || spec.shape[0] != neurons ||
          spec.shape[1] % neurons != 0) {
        continue;
      }
      const std::int64_t gates = spec.shape[1] / neurons;
      const std::vector<at::Tensor> blocks = layer.physical(spec.name).detach().split(neurons, 1);
      for (std::int64_t gate = 0; gate < gates; ++gate) {
        std::string name = fmt::format("layer {}", index);
        if (gates > 1) name += fmt::format(", gate {} of {}", gate + 1, gates);
        result.push_back({std::move(name), eigenvalues(blocks[static_cast<std::size_t>(gate)])});
      }
    }
  }
  return result;
}

std::vector<Timescales> timescales(const nn::Network& network) {
  std::vector<Timescales> result;
  for (std::int64_t index = 0; index < network.options().layers; ++index) {
    const nn::NeuronLayer& layer = *network.layer(static_cast<std::size_t>(index));
    for (const nn::ParameterSpec& spec : layer.specs()) {
      const bool decay = spec.unit == "1/ms";
      if (spec.group != nn::ParameterGroup::intrinsic || !(decay || spec.unit == "ms")) continue;
      auto found = std::find_if(result.begin(), result.end(),
                                [&](const Timescales& entry) { return entry.name == spec.name; });
      if (found == result.end()) found = result.insert(found, {spec.name, {}});
      for (const double value : values_of(layer.physical(spec.name))) {
        found->values.push_back(decay ? 1 / value : value);
      }
    }
  }
  return result;
}

Saliency saliency(const Subject& subject, std::int64_t samples, std::int64_t sample,
                  ThreadPool& pool) {
  require_sample(subject, sample);
  Saliency result;
  result.samples = std::min(samples, subject.data->size());
  const std::int64_t rows = experiment::shard_rows(result.samples);
  std::vector<ShardSaliency> shards(
      static_cast<std::size_t>(experiment::shard_count(result.samples, rows)));
  experiment::for_each_shard(result.samples, pool, [&](std::size_t place, auto numbers) {
    shards[place] = shard_saliency(subject, numbers);
  });
  ShardSaliency total;
  for (const ShardSaliency& shard : shards) {
    total.sum = add_steps(total.sum, shard.sum);
    total.count = add_steps(total.count, shard.count);
  }
  result.mean = values_of(total.sum / total.count.clamp_min(1));
  result.time_ms =
      step_ends_ms(static_cast<std::int64_t>(result.mean.size()), subject.network().shape().dt_ms);
  const std::vector<std::int64_t> one = {sample};
  const tasks::Batch batch = subject.data->batch(one);
  result.sample = points_of(sensitivity(subject, batch).select(1, 0).slice(0, 0, length_of(batch)));
  return result;
}

Inspection inspect(const Subject& subject, std::vector<Unit> units,
                   const InspectionOptions& options, ThreadPool& pool) {
  if (subject.data != nullptr) require_sample(subject, options.sample);
  const nn::Network& network = subject.network();
  const std::string& neuron = subject.trained->experiment->neuron_name();
  Inspection result;
  result.run = subject.name;
  result.units = std::move(units);
  result.probe = probe(*subject.trained, result.units);
  note_probe(network, neuron, result);
  result.spectra = spectra(network);
  note_spectra(network, neuron, result);
  result.after = timescales(network);
  try {
    result.before = timescales(*experiment::initial_network(*subject.trained));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
    result.before.assign(result.after.size(), {});
    result.notes.push_back(fmt::format("time constants before training: {}", error.what()));
  }
  if (result.after.empty()) {
    result.notes.push_back(fmt::format("time constants: {} has no such parameters", neuron));
  }
  if (subject.data == nullptr) {
    result.notes.emplace_back("raster and saliency: left out, for the data are not there");
    return result;
  }
  result.raster = raster(subject, options.sample);
  result.saliency = saliency(subject, options.samples, options.sample, pool);
  return result;
}

}  // namespace afterspike::analysis
