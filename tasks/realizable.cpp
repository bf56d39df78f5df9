#include <array>
#include <cmath>

#include <ATen/ATen.h>

#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

/// The teacher: one GLIFR neuron without recurrence, dt = tau, R = 0.1 GOhm, sigma_v = 1 mV, with
/// the parameters of Winston et al. 2023, figure 3. Equations in docs/numerics.md.
struct Teacher {
  double threshold_mV = 1;
  double membrane_decay = 0.05;  // 1/ms
  double resistance_GOhm = 0.1;
  std::array<double, 2> decay_per_step = {0.1, 0.1};
  std::array<double, 2> multiplicative = {1 - 1e-10, -(1 - 1e-10)};
  std::array<double, 2> additive_pA = {-1, 1};

  /// Returns the neuron's rates for a constant drive, mV per step.
  std::vector<double> trace(double drive, std::int64_t steps, double dt_ms) const {
    std::vector<double> rates;
    double rate = 0;
    double voltage = 0;
    std::array<double, 2> current = {0, 0};
    for (std::int64_t step = 0; step < steps; ++step) {
      double total = 0;
      for (std::size_t j = 0; j < current.size(); ++j) {
        current[j] += (additive_pA[j] + multiplicative[j] * current[j]) * rate -
                      decay_per_step[j] * current[j];
        total += current[j];
      }
      const double leak = dt_ms * membrane_decay;
      voltage += drive - leak * voltage + leak * resistance_GOhm * total - rate * voltage;
      rate = 1 / (1 + std::exp(threshold_mV - voltage));
      rates.push_back(rate);
    }
    return rates;
  }
};

/// One neuron learns the trace of another one of its model.
class Realizable final : public TaskModel {
 public:
  void describe(options::Section section) override {
    describe_time_step(section, dt_ms_);
    section.duration("duration", duration_, "Length of the trace.");
    section.add("input", input_, "Constant input; teacher and learner have an input weight of 1.")
        .bounded();
  }

  std::unique_ptr<Task> make(const TaskContext&) const override {
    const std::int64_t steps = steps_of(duration_, dt_ms_);
    const std::vector<double> rates = Teacher().trace(input_, steps, dt_ms_);
    const at::Tensor target = at::tensor(rates, at::kDouble).to(at::kFloat).reshape({1, steps, 1});
    return trace_task(at::full({1, steps, 1}, input_), target, dt_ms_);
  }

 private:
  double dt_ms_ = 0.05;
  units::Duration duration_ = units::Duration::milliseconds(10);
  double input_ = 0.01;
};

}  // namespace

TaskEntry entry_realizable() {
  return {"realizable", "one GLIFR neuron learns the trace of another; needs no data",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<Realizable>()); }};
}

}  // namespace afterspike::tasks
