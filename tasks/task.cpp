#include "afterspike/tasks/task.hpp"

#include <charconv>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "objective.hpp"

namespace afterspike::tasks {
Split parse_split(std::string_view name) {
  for (const Split split : kSplits) {
    if (split_name(split) == name) return split;
  }
  fail(ErrorKind::usage, "no split called '{}'; there are: train, validation, test", name);
}

std::string_view split_name(Split split) noexcept {
  switch (split) {
    case Split::train:
      return "train";
    case Split::validation:
      return "validation";
    case Split::test:
      break;
  }
  return "test";
}

ReadSteps ReadSteps::parse(std::string_view text) {
  if (text == "auto") return {};
  if (text == "last") return {Kind::last, 1};
  if (text == "all") return {Kind::all, 0};
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  require(error == std::errc() && end == text.data() + text.size() && count > 0, ErrorKind::config,
          "read '{}': expected auto, last, all, or a number of steps such as 14", text);
  return {Kind::window, count};
}

std::string ReadSteps::text() const {
  if (kind == Kind::window) return fmt::format("{}", count);
  if (kind == Kind::automatic) return "auto";
  return kind == Kind::last ? "last" : "all";
}

std::int64_t first_read_step(std::int64_t steps, const at::Tensor& lengths, const ReadSteps& read) {
  if (read.kind == ReadSteps::Kind::all) return 0;
  const std::int64_t count = read.kind == ReadSteps::Kind::last ? 1 : read.count;
  const std::int64_t shortest =
      lengths.defined() && lengths.numel() > 0 ? lengths.min().item<std::int64_t>() : steps;
  return std::max<std::int64_t>(0, shortest - count);
}

ReadValues read_steps(const at::Tensor& sequence, const at::Tensor& lengths,
                      const ReadSteps& read) {
  const std::int64_t steps = sequence.size(0);
  std::int64_t count = steps;
  if (read.kind == ReadSteps::Kind::last) count = 1;
  if (read.kind == ReadSteps::Kind::window) count = std::min(steps, read.count);
  if (!lengths.defined()) return {sequence.narrow(0, steps - count, count), {}};

  // The read steps of a sample of length L are L - count ... L - 1.
  const at::Tensor offset = at::arange(count, lengths.options()) - count;
  const at::Tensor step = lengths.unsqueeze(0) + offset.unsqueeze(1);
  at::Tensor index = step.clamp_min(0);
  std::vector<std::int64_t> wide = {count, sequence.size(1)};
  for (std::int64_t dim = 2; dim < sequence.dim(); ++dim) {
    index = index.unsqueeze(-1);
    wide.push_back(sequence.size(dim));
  }
  return {sequence.gather(0, index.expand(wide)), step.ge(0)};
}

at::Tensor mean_over_read(const ReadValues& read) {
  if (!read.weight.defined()) return read.values.mean(0);
  at::Tensor weight = read.weight.to(read.values.scalar_type());
  at::Tensor total = weight.sum(0).clamp_min(1);  // A sample without any counts 0.
  for (std::int64_t dim = 2; dim < read.values.dim(); ++dim) {
    weight = weight.unsqueeze(-1);
    total = total.unsqueeze(-1);
  }
  return (read.values * weight).sum(0) / total;
}

Tally& Tally::operator+=(const Tally& other) {
  samples += other.samples;
  correct += other.correct;
  loss += other.loss;
  steps.insert(steps.end(), other.steps.begin(), other.steps.end());
  return *this;
}

Task::Task(TaskShape shape, Objective objective, Parts parts)
    : shape_(shape), objective_(objective), parts_(std::move(parts)) {
  if (objective_.read.kind == ReadSteps::Kind::automatic) {
    objective_.read = ReadSteps::parse(classifies() ? "last" : "all");
  }
  require(objective_.read.kind != ReadSteps::Kind::window || objective_.read.count <= shape_.steps,
          ErrorKind::config,
          "option 'task.read': found {}, expected at most the {} steps of the longest sequence",
          objective_.read.count, shape_.steps);
}

std::shared_ptr<const tasks::Dataset> Task::split(Split split) const {
  switch (split) {
    case Split::train:
      return parts_.train;
    case Split::validation:
      return parts_.validation;
    case Split::test:
      break;
  }
  return parts_.test;
}

at::Tensor Task::loss(const ReadValues& outputs, const tasks::Batch& batch, double label_smoothing,
                      const at::Tensor& class_weights) const {
  const at::Tensor losses =
      rule_of(objective_.kind).losses(objective_, outputs, batch, label_smoothing);
  if (!class_weights.defined()) return losses.sum();
  return (losses * class_weights.to(losses.options()).index_select(0, batch.target)).sum();
}

Tally Task::tally(const ReadValues& outputs, const tasks::Batch& batch) const {
  Tally tally;
  tally.samples = batch.input.size(1);
  tally.loss = loss(outputs, batch).item<double>();
  tally.correct = rule_of(objective_.kind).correct(outputs, batch);
  return tally;
}

Tally Task::full_tally(const ReadValues& outputs, const tasks::Batch& batch) const {
  Tally full = tally(outputs, batch);
  full.steps = rule_of(objective_.kind).steps(objective_, outputs, batch);
  return full;
}

std::vector<Measure> Task::measures(const Tally& tally) const {
  return rule_of(objective_.kind).measures(objective_, tally);
}

}  // namespace afterspike::tasks
