#include "neuron_windows.hpp"

#include <algorithm>
#include <cassert>

#include <ATen/ATen.h>

namespace afterspike::tasks {
namespace {

std::vector<NeuronWindow> random_windows(const datasets::NeuronSimulations& simulations,
                                         const std::vector<std::int64_t>& runs,
                                         const WindowRule& rule, std::int64_t count, Rng rng) {
  const std::int64_t places = simulations.steps - rule.skip - rule.length + 1;
  assert(places > 0 && !runs.empty());
  std::vector<NeuronWindow> windows;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t run = runs[rng.below(runs.size())];
    const auto place = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(places)));
    const std::int64_t begin = rule.skip + place;
    windows.push_back(
        {static_cast<std::size_t>(run), begin, begin + rule.burn_in, begin + rule.length});
  }
  return windows;
}

}  // namespace

tasks::Batch NeuronWindows::batch(std::span<const std::int64_t> numbers) const {
  const std::int64_t size = std::ssize(numbers), synapses = 2 * simulations_->segments;
  tasks::Batch batch;
  batch.input = at::zeros({length_, size, synapses}, at::kFloat);
  batch.target = at::zeros({length_, size, 2}, at::kFloat);
  batch.weight = at::zeros({length_, size}, at::kFloat);
  auto inputs = batch.input.accessor<float, 3>();
  auto targets = batch.target.accessor<float, 3>();
  auto weights = batch.weight.accessor<float, 2>();
  for (std::int64_t place = 0; place < size; ++place) {
    const NeuronWindow& window =
        windows_[static_cast<std::size_t>(numbers[static_cast<std::size_t>(place)])];
    const datasets::NeuronRun& run = simulations_->runs[window.run];
    const std::int64_t end = std::min(window.begin + length_, simulations_->steps);
    for (std::int64_t step = window.begin; step < end; ++step) {
      const auto index = static_cast<std::size_t>(step);
      for (std::uint32_t i = run.first[index]; i < run.first[index + 1]; ++i) {
        const std::int64_t synapse = run.synapses[i];
        inputs[step - window.begin][place][synapse] =
            synapse < simulations_->segments ? 1.0F : -1.0F;
      }
      targets[step - window.begin][place][1] = VoltageTarget::of(run.soma_mV[index]);
      weights[step - window.begin][place] =
          step >= window.asked && step < window.asked_end ? 1.0F : 0.0F;
    }
    for (auto spike = std::lower_bound(run.spikes.begin(), run.spikes.end(), window.begin);
         spike != run.spikes.end() && *spike < end; ++spike) {
      targets[*spike - window.begin][place][0] = 1;
    }
  }
  return batch;
}

RandomNeuronWindows::RandomNeuronWindows(
    std::shared_ptr<const datasets::NeuronSimulations> simulations, std::vector<std::int64_t> runs,
    const WindowRule& rule, std::int64_t count, const Rng& draws)
    : NeuronWindows(simulations, rule.length,
                    random_windows(*simulations, runs, rule, count, draws)),
      runs_(std::move(runs)),
      rule_(rule) {}

std::shared_ptr<const tasks::Dataset> RandomNeuronWindows::for_epoch(const Rng& epoch) const {
  return std::make_shared<RandomNeuronWindows>(simulations_, runs_, rule_, size(),
                                               epoch.stream("windows"));
}

std::vector<NeuronWindow> covering_windows(const datasets::NeuronSimulations& simulations,
                                           const std::vector<std::int64_t>& runs,
                                           const WindowRule& rule) {
  assert(rule.burn_in < rule.length);
  std::vector<NeuronWindow> windows;
  for (const std::int64_t run : runs) {
    for (std::int64_t begin = 0, asked = 0; asked < simulations.steps;) {
      const std::int64_t end = std::min(begin + rule.length, simulations.steps);
      const std::int64_t first = std::max(asked, rule.skip);
      if (first < end) windows.push_back({static_cast<std::size_t>(run), begin, first, end});
      begin += rule.length - rule.burn_in;
      asked = end;
    }
  }
  return windows;
}

}  // namespace afterspike::tasks
