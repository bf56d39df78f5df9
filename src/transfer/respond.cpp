#include "afterspike/transfer/respond.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"

namespace afterspike::transfer {
namespace {

/// Samples that a thread takes at a time: enough that making a batch costs little.
constexpr std::int64_t kBlock = 16;

const spiking::Population& analog_source(const spiking::Network& network) {
  const spiking::Population* found = nullptr;
  for (const spiking::Population& population : network.populations) {
    if (spiking::model(population.model).source_input != spiking::SourceInput::signal) continue;
    if (found != nullptr) {
      fail(ErrorKind::data, "network: found analog sources '{}' and '{}', expected one",
           found->name, population.name);
    }
    found = &population;
  }
  require(found != nullptr, ErrorKind::data,
          "network: expected an analog source that takes the samples, found none");
  return *found;
}

/// One simulation, shown one sample after the other.
class Worker {
 public:
  Worker(const spiking::Network& network, const spiking::Options& options, Responses& responses,
         const Watcher& watch)
      : network_(network),
        source_(analog_source(network)),
        readout_(network.readout),
        read_(network.populations[static_cast<std::size_t>(readout_.population)]),
        window_(std::llround(readout_.window_ms / network.time_step_ms)),
        seeds_(options.seed),
        responses_(responses),
        watch_(watch),
        simulation_(network, options) {}

  void answer(const tasks::Batch& batch, std::int64_t first);
  /// Adds this worker's sums over samples to `responses`.
  void add_to(Responses& responses) const;

 private:
  void answer(const at::Tensor& input, std::int64_t sample);
  void read_out(std::int64_t sample, std::int64_t steps);

  const spiking::Network& network_;
  const spiking::Population& source_;
  const spiking::Readout& readout_;
  const spiking::Population& read_;
  std::int64_t window_;
  Rng seeds_;
  Responses& responses_;
  const Watcher& watch_;
  spiking::Simulation simulation_;
  spiking::Statistics counted_;
  std::int64_t steps_ = 0, read_steps_ = 0, read_spikes_ = 0;
};

void Worker::add_to(Responses& responses) const {
  responses.counted += counted_;
  responses.steps += steps_;
  responses.read_steps += read_steps_;
  responses.read_spikes += read_spikes_;
}

void Worker::answer(const tasks::Batch& batch, std::int64_t first) {
  for (std::int64_t row = 0; row < batch.input.size(1); ++row) {
    const std::int64_t steps =
        batch.lengths.defined() ? batch.lengths[row].item<std::int64_t>() : batch.input.size(0);
    answer(batch.input.select(1, row).slice(0, 0, steps).to(at::kDouble).contiguous(), first + row);
  }
}

void Worker::answer(const at::Tensor& input, std::int64_t sample) {
  const std::int64_t steps = input.size(0);
  simulation_.reset(seeds_.stream("sample", static_cast<std::uint64_t>(sample)).next());
  simulation_.set_signal(source_.name,
                         {input.data_ptr<double>(), static_cast<std::size_t>(input.numel())});
  simulation_.run_until(static_cast<double>(steps) * network_.time_step_ms);
  counted_ += simulation_.statistics();
  steps_ += steps;
  read_out(sample, steps);
  if (watch_) watch_({sample, steps, simulation_.spikes()});
  simulation_.clear_spikes();
}

/// Reads out one sample. If it is shorter than the window, the mean is over the steps that it has.
void Worker::read_out(std::int64_t sample, std::int64_t steps) {
  const auto neurons = static_cast<std::size_t>(read_.size);
  const double share = 1 / static_cast<double>(read_.copies);
  std::vector<double> inside(neurons, 0.0), all(neurons, 0.0);
  for (const spiking::Spike& spike : simulation_.spikes()) {
    if (spike.population != readout_.population) continue;
    const auto neuron = static_cast<std::size_t>(spike.neuron / read_.copies);
    const std::int64_t step = step_of(spike, network_);
    all[neuron] += share;
    if (step <= steps - window_) continue;
    inside[neuron] += share;
    ++read_spikes_;
  }
  read_steps_ += std::min(window_, steps);
  const double fewer = static_cast<double>(window_) / static_cast<double>(std::min(window_, steps));
  for (double& count : inside) count *= fewer;
  const std::vector<double> outputs = spiking::read_out(readout_, inside);
  std::copy(outputs.begin(), outputs.end(),
            responses_.outputs.data_ptr<double>() + sample * responses_.outputs.size(1));
  double* rates = responses_.rates.data_ptr<double>() + sample * read_.size;
  for (std::size_t n = 0; n < neurons; ++n) rates[n] = all[n] / static_cast<double>(steps);
}

std::vector<std::int64_t> block_of(std::int64_t first, std::int64_t size) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t at = first; at < std::min(first + kBlock, size); ++at) numbers.push_back(at);
  return numbers;
}

Responses empty_responses(const spiking::Network& network, const tasks::Dataset& dataset) {
  require(network.readout.population >= 0, ErrorKind::data,
          "network: expected a readout, found none");
  const std::vector<std::int64_t> one = block_of(0, std::min<std::int64_t>(1, dataset.size()));
  require(!one.empty(), ErrorKind::data, "data set: expected samples, found none");
  const std::int64_t features = dataset.batch(one).input.size(2);
  const spiking::Population& source = analog_source(network);
  require(source.size == features, ErrorKind::data,
          "source '{}': found {} channels, expected {}: those of the samples", source.name,
          source.size, features);
  const auto& read = network.populations[static_cast<std::size_t>(network.readout.population)];
  const auto outputs = static_cast<std::int64_t>(network.readout.bias.size());
  return {at::empty({dataset.size(), outputs}, at::kDouble),
          at::empty({dataset.size(), read.size}, at::kDouble),
          {},
          0,
          0,
          0};
}

}  // namespace

std::int64_t step_of(const spiking::Spike& spike, const spiking::Network& network) {
  constexpr double kRounding = 1e-6;
  return static_cast<std::int64_t>(std::ceil(spike.time_ms / network.time_step_ms - kRounding));
}

Responses respond(const spiking::Network& network, const tasks::Dataset& dataset,
                  const spiking::Options& options, ThreadPool& pool, const Watcher& watch) {
  Responses responses = empty_responses(network, dataset);
  spiking::Options alone = options;
  alone.threads = 1;
  const std::int64_t size = dataset.size();
  const auto blocks = (size + kBlock - 1) / kBlock;
  const auto workers = std::min<std::int64_t>(pool.threads(), blocks);
  std::vector<Responses> sums(static_cast<std::size_t>(workers));
  std::atomic<std::int64_t> next = 0;
  // A worker builds the network once and takes blocks from a common list.
  pool.run(workers, [&](std::int64_t number) {
    const at::NoGradGuard no_grad;
    Worker worker(network, alone, responses, watch);
    for (std::int64_t block = next++; block < blocks; block = next++) {
      worker.answer(dataset.batch(block_of(block * kBlock, size)), block * kBlock);
    }
    worker.add_to(sums[static_cast<std::size_t>(number)]);
  });
  for (const Responses& each : sums) {
    responses.counted += each.counted;
    responses.steps += each.steps;
    responses.read_steps += each.read_steps;
    responses.read_spikes += each.read_spikes;
  }
  return responses;
}

Energy energy(const spiking::Network& network, const Responses& responses) {
  const spiking::Statistics& counted = responses.counted;
  const auto outputs = static_cast<double>(network.readout.bias.size());
  const auto weights = static_cast<double>(network.readout.weights.size());
  constexpr double kBoth = kAddition_pJ + kMultiplication_pJ;
  const auto spikes = static_cast<double>(counted.cell_events - counted.source_cell_events) +
                      outputs * static_cast<double>(responses.read_spikes);
  return {kAddition_pJ * spikes + kBoth * static_cast<double>(counted.source_cell_events),
          kBoth * (static_cast<double>(network.synapses()) * static_cast<double>(responses.steps) +
                   weights * static_cast<double>(responses.read_steps))};
}

}  // namespace afterspike::transfer
