#include "afterspike/analysis/answers.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/evaluation/evaluate.hpp"

namespace afterspike::analysis {
namespace {

std::vector<std::int64_t> first_numbers(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  return numbers;
}

std::vector<double> column(const at::Tensor& values) {
  const at::Tensor own = values.to(at::kDouble).contiguous();
  return {own.data_ptr<double>(), own.data_ptr<double>() + own.numel()};
}

}  // namespace

statistics::Points confusion(const Subject& subject, ThreadPool& pool) {
  require(subject.task->classifies(), ErrorKind::config, "{}: the task does not classify",
          subject.name);
  const at::Tensor answers = evaluation::predict(subject.network(), subject.task->objective(),
                                                 *subject.data, subject.trained->pass, pool)
                                 .argmax(1);
  const std::int64_t classes = subject.task->shape().output_size;
  statistics::Points counts = statistics::Points::Zero(classes, classes);
  const std::vector<std::int64_t> numbers = first_numbers(subject.data->size());
  const std::int64_t rows = evaluation::shard_rows(subject.data->size());
  for (std::int64_t shard = 0; shard < evaluation::shard_count(*subject.data); ++shard) {
    const auto own = evaluation::shard(numbers, rows, shard);
    const at::Tensor target = subject.data->batch(own).target;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      counts(target[place].item<std::int64_t>(), answers[own[i]].item<std::int64_t>()) += 1;
    }
  }
  return counts;
}

std::vector<Trace> traces(const Subject& subject, std::int64_t count, ThreadPool& pool) {
  const std::vector<std::int64_t> numbers = first_numbers(std::min(count, subject.data->size()));
  const data::Subset first(subject.data, numbers);
  const at::Tensor outputs = evaluation::predict(subject.network(), subject.task->objective(),
                                                 first, subject.trained->pass, pool);
  const data::Batch batch = subject.data->batch(numbers);
  std::vector<Trace> result;
  for (const std::int64_t number : numbers) {
    Trace trace;
    trace.sample = number;
    const std::int64_t steps =
        batch.lengths.defined() ? batch.lengths[number].item<std::int64_t>() : outputs.size(1);
    trace.output = column(outputs[number].slice(0, 0, steps).select(1, 0));
    if (batch.target.defined()) {
      trace.target = column(batch.target.select(1, number).slice(0, 0, steps).select(1, 0));
    }
    for (std::int64_t step = 1; step <= steps; ++step) {
      trace.time_ms.push_back(static_cast<double>(step) * subject.task->shape().dt_ms);
    }
    result.push_back(std::move(trace));
  }
  return result;
}

}  // namespace afterspike::analysis
