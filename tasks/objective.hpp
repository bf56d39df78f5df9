#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/tasks/task.hpp"

namespace afterspike::tasks {

/// Implementation of one kind of objective.
struct Rule {
  std::string_view name;
  /// Returns the loss of each sample, [batch]. Differentiable.
  at::Tensor (*losses)(const Objective& objective, const ReadValues& outputs,
                       const tasks::Batch& batch, double label_smoothing);
  /// Returns the number of correct decisions; 0 without decisions.
  std::int64_t (*correct)(const ReadValues& outputs, const tasks::Batch& batch);
  /// Returns every scored step, sample by sample; empty if no measure needs them.
  std::vector<StepReading> (*steps)(const Objective& objective, const ReadValues& outputs,
                                    const tasks::Batch& batch);
  std::vector<Measure> (*measures)(const Objective& objective, const Tally& tally);
};

const Rule& rule_of(Objective::Kind kind) noexcept;

}  // namespace afterspike::tasks
