#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/tasks/task.hpp"

namespace afterspike::tasks {

/// All that there is to know of one kind of objective.
struct Rule {
  std::string_view name;
  /// The loss of each sample, [batch]. Differentiable.
  at::Tensor (*losses)(const Objective& objective, const ReadValues& outputs,
                       const data::Batch& batch, double label_smoothing);
  /// Decisions that are right; 0 where there are none to take.
  std::int64_t (*correct)(const ReadValues& outputs, const data::Batch& batch);
  /// Every step that is asked for, sample by sample; empty where no measure needs them.
  std::vector<StepReading> (*steps)(const Objective& objective, const ReadValues& outputs,
                                    const data::Batch& batch);
  std::vector<Measure> (*measures)(const Objective& objective, const Tally& tally);
};

const Rule& rule_of(Objective::Kind kind) noexcept;

}  // namespace afterspike::tasks
