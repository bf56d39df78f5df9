#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

/// Pattern generation: six sines of frequencies evenly spaced on a logarithmic scale, each called
/// up by a constant input (Winston et al. 2023, section 2; simplified from Sussillo and Barak
/// 2013). There is nothing to generalise to: training, validation and test data are the same.
class SineGeneration final : public TaskModel {
 public:
  void describe(options::Section section) override {
    section.quantity("dt", dt_ms_, "ms", "Time step.").above(0);
    section.quantity("duration", duration_ms_, "ms", "Length of the pattern.").above(0);
    section.add("sines", sines_, "Number of patterns.").at_least(1);
    section.quantity("lowest", lowest_kHz_, "kHz", "Lowest frequency.").above(0);
    section.quantity("highest", highest_kHz_, "kHz", "Highest frequency.").above(0);
    section.add("amplitude", amplitude_, "Amplitude of the sines.");
  }

  std::unique_ptr<Task> make(const TaskContext&) const override {
    require(highest_kHz_ >= lowest_kHz_, ErrorKind::config,
            "option 'task.highest': found {} kHz, expected at least task.lowest, {} kHz",
            highest_kHz_, lowest_kHz_);
    const auto steps = static_cast<std::int64_t>(std::llround(duration_ms_ / dt_ms_));
    require(steps > 0, ErrorKind::config, "option 'task.duration': {} ms is less than one step",
            duration_ms_);
    at::Tensor input = at::empty({sines_, steps, 1});
    at::Tensor target = at::empty({sines_, steps, 1});
    for (std::int64_t sine = 0; sine < sines_; ++sine) {
      const double place =
          sines_ > 1 ? static_cast<double>(sine) / static_cast<double>(sines_ - 1) : 0;
      const double frequency = lowest_kHz_ * std::pow(highest_kHz_ / lowest_kHz_, place);
      const double offset = static_cast<double>(sine) / static_cast<double>(sines_) + 0.25;
      for (std::int64_t step = 0; step < steps; ++step) {
        const double phase = 2 * std::numbers::pi * frequency * static_cast<double>(step) * dt_ms_;
        input[sine][step][0] = offset;
        target[sine][step][0] = amplitude_ * std::sin(phase) + offset;
      }
    }
    return trace_task(input, target, dt_ms_);
  }

 private:
  double dt_ms_ = 0.05;
  double duration_ms_ = 5;
  std::int64_t sines_ = 6;
  double lowest_kHz_ = 0.08;
  double highest_kHz_ = 0.6;
  double amplitude_ = 1;
};

}  // namespace

TaskEntry entry_sine_generation() {
  return {"sine_generation",
          "generate six sines, each called up by a constant input; needs no data",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<SineGeneration>()); }};
}

}  // namespace afterspike::tasks
