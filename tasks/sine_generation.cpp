#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

/// Pattern generation: six sines of frequencies evenly spaced on a logarithmic scale, each selected
/// by a constant input (Winston et al. 2023, section 2; simplified from Sussillo and Barak 2013).
/// There is nothing to generalise to: training, validation and test data are the same.
class SineGeneration final : public TaskModel {
 public:
  void describe(options::Section section) override {
    describe_time_step(section, dt_ms_);
    section.duration("duration", duration_, "Length of the pattern.");
    section.add("sines", sines_, "Number of patterns.").at_least(1).at_most(1000);
    section.quantity("lowest", lowest_kHz_, "kHz", "Lowest frequency.")
        .above(0)
        .at_least(options::kSmallest)
        .bounded();
    section.quantity("highest", highest_kHz_, "kHz", "Highest frequency.").above(0).bounded();
    section.add("amplitude", amplitude_, "Amplitude of the sines.").bounded();
  }

  std::unique_ptr<Task> make(const TaskContext&) const override {
    require(highest_kHz_ >= lowest_kHz_, ErrorKind::config,
            "option 'task.highest': found {} kHz, expected at least task.lowest, {} kHz",
            highest_kHz_, lowest_kHz_);
    const double fastest = sines_ > 1 ? highest_kHz_ : lowest_kHz_;
    require(fastest <= 1 / (2 * dt_ms_), ErrorKind::config,
            "option 'task.{}': found {} kHz, expected at most {} kHz: two steps of {} ms in each "
            "period",
            sines_ > 1 ? "highest" : "lowest", fastest, 1 / (2 * dt_ms_), dt_ms_);
    const std::int64_t steps = steps_of(duration_, dt_ms_);
    at::Tensor input = at::empty({sines_, steps, 1});
    at::Tensor target = at::empty({sines_, steps, 1});
    auto inputs = input.accessor<float, 3>();
    auto targets = target.accessor<float, 3>();
    for (std::int64_t sine = 0; sine < sines_; ++sine) {
      const double place =
          sines_ > 1 ? static_cast<double>(sine) / static_cast<double>(sines_ - 1) : 0;
      const double frequency = lowest_kHz_ * std::pow(highest_kHz_ / lowest_kHz_, place);
      const double offset = static_cast<double>(sine) / static_cast<double>(sines_) + 0.25;
      for (std::int64_t step = 0; step < steps; ++step) {
        const double phase = 2 * std::numbers::pi * frequency * static_cast<double>(step) * dt_ms_;
        inputs[sine][step][0] = static_cast<float>(offset);
        targets[sine][step][0] = static_cast<float>(amplitude_ * std::sin(phase) + offset);
      }
    }
    return trace_task(input, target, dt_ms_);
  }

 private:
  double dt_ms_ = 0.05;
  units::Duration duration_ = units::Duration::milliseconds(5);
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
