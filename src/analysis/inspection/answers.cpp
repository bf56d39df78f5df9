#include "afterspike/analysis/answers.hpp"

#include <functional>
#include <numeric>

#include "afterspike/base/error.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "tensors.hpp"

namespace afterspike::analysis {
namespace {

/// Extracts one output of a sample over time.
using View = std::function<at::Tensor(const at::Tensor& outputs)>;

/// Outputs or targets [..., outputs] to show.
struct Kind {
  const char* name;
  const char* unit;
  View output, target;
};

std::vector<Kind> kinds_of(const tasks::Objective& objective) {
  const auto select = [](std::int64_t number) {
    return [number](const at::Tensor& values) { return values.select(-1, number); };
  };
  if (objective.kind != tasks::Objective::Kind::spikes_and_voltage) {
    return {{"output", "", select(0), select(0)}};
  }
  const auto voltage = [unit_mV = objective.voltage_unit_mV](const at::Tensor& values) {
    return values.select(-1, 1) * unit_mV;
  };
  const auto probability = [](const at::Tensor& values) { return values.select(-1, 0).sigmoid(); };
  return {{"spike probability", "", probability, select(0)}, {"voltage", "mV", voltage, voltage}};
}

/// Returns the scored steps of a sample: those that belong to it and have weight.
at::Tensor asked_steps(const tasks::Batch& batch, std::int64_t sample) {
  const std::int64_t steps =
      batch.lengths.defined() ? batch.lengths[sample].item<std::int64_t>() : batch.input.size(0);
  if (!batch.weight.defined()) return at::arange(steps);
  return batch.weight.select(1, sample).slice(0, 0, steps).nonzero().flatten();
}

}  // namespace

statistics::Points confusion(const Subject& subject, ThreadPool& pool) {
  require(subject.task->classifies(), ErrorKind::config, "{}: the task does not classify",
          subject.name);
  const at::Tensor answers = experiment::predict(subject.network(), subject.task->objective(),
                                                 *subject.data, subject.trained->pass, pool)
                                 .argmax(1);
  const std::int64_t classes = subject.task->shape().output_size;
  statistics::Points counts = statistics::Points::Zero(classes, classes);
  const at::Tensor target = experiment::classes(*subject.data, pool);
  for (std::int64_t i = 0; i < target.numel(); ++i) {
    counts(target[i].item<std::int64_t>(), answers[i].item<std::int64_t>()) += 1;
  }
  return counts;
}

std::vector<TracedOutput> traces(const Subject& subject, std::int64_t count, ThreadPool& pool) {
  const auto first = tasks::first_samples(subject.data, count);
  const tasks::Objective& objective = subject.task->objective();
  const at::Tensor outputs =
      experiment::predict(subject.network(), objective, *first, subject.trained->pass, pool);
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(first->size()));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  const tasks::Batch batch = first->batch(numbers);
  std::vector<TracedOutput> result;
  for (const Kind& kind : kinds_of(objective)) {
    result.push_back({kind.name, kind.unit, {}});
    for (const std::int64_t number : numbers) {
      const at::Tensor asked = asked_steps(batch, number);
      Trace trace;
      trace.sample = number;
      trace.output = values_of(kind.output(outputs[number].index_select(0, asked)));
      if (batch.target.defined()) {
        trace.target =
            values_of(kind.target(batch.target.select(1, number).index_select(0, asked)));
      }
      trace.time_ms = values_of((asked + 1).to(at::kDouble) * subject.task->shape().dt_ms);
      result.back().traces.push_back(std::move(trace));
    }
  }
  return result;
}

}  // namespace afterspike::analysis
