#include "afterspike/transfer/parity.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/experiment/evaluate.hpp"

namespace afterspike::transfer {
namespace {

/// So soft a threshold is a hard one: what is not 0 becomes larger than any number that matters.
constexpr double kHard_mV = 1e-300;

/// Responses of a rate network to samples.
struct Rates {
  at::Tensor outputs;  ///< [samples, outputs]
  at::Tensor means;    ///< [samples, neurons]
  /// Spikes of each shard, bool [rows, steps, neurons]; undefined unless wanted. Shards differ in
  /// steps, because batches of some data sets are as long as their longest sample.
  std::vector<at::Tensor> spikes;
  std::int64_t rows = 0;  ///< Samples of a shard.

  at::Tensor spikes_of(std::int64_t sample) const {
    return spikes[static_cast<std::size_t>(sample / rows)][sample % rows];
  }
};

/// Spikes of a batch [rows, steps, neurons], none after a sample's end.
at::Tensor raster_of(const at::Tensor& emissions, const at::Tensor& lengths) {
  at::Tensor raster = emissions.gt(0.5).transpose(0, 1);
  if (lengths.defined()) {
    const at::Tensor steps = at::arange(raster.size(1), lengths.options());
    raster = raster.logical_and(steps.lt(lengths.unsqueeze(1)).unsqueeze(2));
  }
  return raster.contiguous();
}

/// The mean over the steps that each sample has.
at::Tensor mean_over_steps(const at::Tensor& emissions, const at::Tensor& lengths) {
  return tasks::mean_over_read(
      tasks::read_steps(emissions, lengths, {tasks::ReadSteps::Kind::all, 0}));
}

Rates run_rates(const nn::Network& network, const tasks::Objective& objective,
                const nn::NetworkPass& pass, const tasks::Dataset& dataset, ThreadPool& pool,
                bool want_spikes) {
  const auto shards = static_cast<std::size_t>(experiment::shard_count(dataset));
  std::vector<at::Tensor> outputs(shards), means(shards), spikes(shards);
  const auto type = network.named().front().tensor.scalar_type();
  experiment::for_each_shard(
      dataset.size(), pool, [&](std::size_t shard, std::span<const std::int64_t> numbers) {
        const tasks::Batch batch = dataset.batch(numbers);
        const at::Tensor emissions = network.emissions(batch.input.to(type), pass);
        tasks::ReadValues read = tasks::read_steps(emissions, batch.lengths, objective.read);
        read.values = network.readout(read.values, pass);
        outputs[shard] = tasks::mean_over_read(read).to(at::kDouble);
        means[shard] = mean_over_steps(emissions, batch.lengths).to(at::kDouble);
        if (want_spikes) spikes[shard] = raster_of(emissions, batch.lengths);
      });
  return {at::cat(outputs), at::cat(means), std::move(spikes),
          experiment::shard_rows(dataset.size())};
}

Rates run_hard(const experiment::Trained& trained, const tasks::Dataset& dataset,
               ThreadPool& pool) {
  const auto network = experiment::in_double(trained);
  nn::NetworkPass pass = trained.pass;
  pass.sigma_mV = kHard_mV;
  return run_rates(*network, trained.objective, pass, dataset, pool, true);
}

/// The first step, from 1, at which the spikes of a sample differ from a raster [steps, neurons]; 0
/// where they never do. Neurons that stand for others are compared as one.
std::int64_t first_difference(const Answer& answer, const at::Tensor& raster,
                              const spiking::Network& network) {
  const auto& read = network.populations[static_cast<std::size_t>(network.readout.population)];
  std::vector<char> found(static_cast<std::size_t>(answer.steps * read.size), 0);
  for (const spiking::Spike& spike : answer.spikes) {
    if (spike.population != network.readout.population) continue;
    const std::int64_t step = step_of(spike, network);
    if (step < 1 || step > answer.steps) continue;
    found[static_cast<std::size_t>((step - 1) * read.size + spike.neuron / read.copies)] = 1;
  }
  const bool* expected = raster.data_ptr<bool>();
  for (std::size_t at = 0; at < found.size(); ++at) {
    if ((found[at] != 0) != expected[at]) return static_cast<std::int64_t>(at) / read.size + 1;
  }
  return 0;
}

double correlation_of(const at::Tensor& one, const at::Tensor& other) {
  const at::Tensor a = (one - one.mean()).flatten(), b = (other - other.mean()).flatten();
  const double scale = (a.norm() * b.norm()).item<double>();
  return scale == 0 ? 0 : a.dot(b).item<double>() / scale;
}

double part_alike(const at::Tensor& one, const at::Tensor& other) {
  return one.eq(other).to(at::kDouble).mean().item<double>();
}

std::int64_t approximated_of(const spiking::Network& network) {
  const auto found = network.provenance.find("approximated");
  if (found == network.provenance.end()) return 0;
  const std::string& text = found->second;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  require(error == std::errc() && end == text.data() + text.size() && number >= 0, ErrorKind::data,
          "network: provenance 'approximated': found '{}', expected a number of parameters", text);
  return number;
}

void require_alike(const experiment::Trained& trained, const spiking::Network& spiking) {
  require(spiking.readout.population >= 0, ErrorKind::config,
          "parity: the spiking network has no readout, expected one");
  const std::int64_t neurons =
      spiking.populations[static_cast<std::size_t>(spiking.readout.population)].size;
  const auto outputs = static_cast<std::int64_t>(spiking.readout.bias.size());
  const std::int64_t wanted = trained.network->layers().back()->shape().neurons;
  require(neurons == wanted && outputs == trained.network->shape().output_size, ErrorKind::config,
          "parity: the spiking network has {} neurons and {} outputs, expected {} and {}: those of"
          " the run",
          neurons, outputs, wanted, trained.network->shape().output_size);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

at::Tensor hard_spikes(const experiment::Trained& trained, const tasks::Dataset& dataset,
                       ThreadPool& pool) {
  const Rates hard = run_hard(trained, dataset, pool);
  std::int64_t steps = 0;
  for (const at::Tensor& shard : hard.spikes) steps = std::max(steps, shard.size(1));
  std::vector<at::Tensor> padded;
  for (const at::Tensor& shard : hard.spikes) {
    padded.push_back(at::constant_pad_nd(shard, {0, 0, 0, steps - shard.size(1)}));
  }
  return at::cat(padded);
}

namespace {

/// Softness that the network was lowered from; 0 if it does not say.
double sigma_of(const spiking::Network& network) {
  const auto found = network.provenance.find("sigma_mV");
  return found == network.provenance.end() ? 0 : std::strtod(found->second.c_str(), nullptr);
}

}  // namespace

Report compare(const experiment::Trained& trained, const spiking::Network& spiking,
               const tasks::Dataset& dataset, const spiking::Options& options, ThreadPool& pool) {
  require_alike(trained, spiking);
  const Rates rate =
      run_rates(*trained.network, trained.objective, trained.pass, dataset, pool, false);
  const Rates hard = run_hard(trained, dataset, pool);
  const auto samples = static_cast<std::size_t>(dataset.size());
  std::vector<std::int64_t> differences(samples, 0);
  const Responses answers = respond(spiking, dataset, options, pool, [&](const Answer& answer) {
    differences[static_cast<std::size_t>(answer.sample)] =
        first_difference(answer, hard.spikes_of(answer.sample), spiking);
  });
  const at::Tensor target = experiment::classes(dataset, pool);
  const at::Tensor decided = rate.outputs.argmax(1), spiked = answers.outputs.argmax(1),
                   cut = hard.outputs.argmax(1);
  // Rate that a spike in a step counts for: tau / dt if neurons escape.
  const spiking::Readout& readout = spiking.readout;
  const double unit = readout.scale * std::round(readout.window_ms / spiking.time_step_ms);
  const at::Tensor errors = (answers.rates * unit - rate.means).square().mean(0).sqrt();
  Report report{dataset.size(),
                part_alike(decided, target),
                part_alike(cut, target),
                part_alike(spiked, target),
                part_alike(decided, spiked),
                part_alike(cut, spiked),
                correlation_of(rate.outputs, answers.outputs),
                {errors.data_ptr<double>(), errors.data_ptr<double>() + errors.numel()},
                {},
                approximated_of(spiking),
                sigma_of(spiking),
                part_alike(decided, cut)};
  std::copy_if(differences.begin(), differences.end(), std::back_inserter(report.first_differences),
               [](std::int64_t step) { return step > 0; });
  std::sort(report.first_differences.begin(), report.first_differences.end());
  return report;
}

std::string Report::reason() const {
  // Decisions that the hard threshold alone changes, and those that the spikes change beyond it.
  const double by_threshold = 100 * (1 - threshold_agreement),
               by_spikes = 100 * (1 - hard_agreement);
  if (by_threshold >= by_spikes) {
    return fmt::format(
        " Why: the threshold was trained soft (sigma {:.3g} mV); a hard one alone changes {:.2f} %"
        " of the decisions. Train with train.sigma_schedule to lower sigma, or export with --mode"
        " population --copies 32.",
        sigma_mV, by_threshold);
  }
  return fmt::format(
      " Why: these spikes are not those of a hard threshold; that changes {:.2f} % of the "
      "decisions."
      " {}",
      by_spikes,
      approximated > 0
          ? "The conversion approximated parameters: export to a format that needs none."
          : "With --mode escape, spikes are random: export with --mode population and"
            " more --copies.");
}

std::string Report::verdict() const {
  constexpr double kFaithful = 0.3, kClose = 1;  // % of the samples.
  const double points = 100 * (spiking_accuracy - rate_accuracy);
  constexpr double kRounding = 1e-9;  // 3 samples of 1000 are 0.3 %.
  const double off = std::max(std::abs(points), 100 * (1 - agreement)) - kRounding;
  const char* word = off <= kFaithful ? "faithful" : off <= kClose ? "close" : "not faithful";
  std::string text = fmt::format(
      "{}: {:.2f} % of {} samples are right with spikes, {:.2f} % with rates ({:+.2f}"
      " points); they decide {:.2f} % of the samples alike.",
      word, 100 * spiking_accuracy, samples, 100 * rate_accuracy, points, 100 * agreement);
  if (first_differences.empty()) {
    text += " Every spike is that of the rate network with a hard threshold.";
  } else {
    text += fmt::format(
        " Spikes differ from the rate network with a hard threshold in {} samples,"
        " first at step {}, in half of them by step {}.",
        first_differences.size(), first_differences.front(),
        first_differences[(first_differences.size() - 1) / 2]);
  }
  if (approximated > 0) text += fmt::format(" {} parameters were approximated.", approximated);
  return off <= kFaithful ? text : text + reason();
}

io::Json Report::json() const {
  const bool differ = !first_differences.empty();
  const auto worst = std::max_element(rate_errors.begin(), rate_errors.end());
  return {{"samples", samples},
          {"rate_accuracy", rate_accuracy},
          {"hard_threshold_accuracy", hard_accuracy},
          {"spiking_accuracy", spiking_accuracy},
          {"agreement", agreement},
          {"hard_threshold_agreement", hard_agreement},
          {"output_correlation", correlation},
          {"rate_error_mean", mean_of(rate_errors)},
          {"rate_error_largest", *worst},
          {"rate_error_largest_neuron", worst - rate_errors.begin()},
          {"samples_with_other_spikes", first_differences.size()},
          {"first_difference_step", differ ? io::Json(first_differences.front()) : io::Json()},
          {"median_difference_step",
           differ ? io::Json(first_differences[(first_differences.size() - 1) / 2]) : io::Json()},
          {"approximated_parameters", approximated},
          {"rate_errors", rate_errors},
          {"verdict", verdict()}};
}

}  // namespace afterspike::transfer
