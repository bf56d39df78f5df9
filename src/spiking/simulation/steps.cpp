#include "simulation/steps.hpp"

#include "afterspike/base/error.hpp"

namespace afterspike::spiking {

std::int64_t whole_steps(double time_ms, double step_ms, std::string_view what) {
  require(time_ms / step_ms < kMostSteps, ErrorKind::config,
          "{}: found {} ms, expected less than 2^48 steps of {} ms", what, time_ms, step_ms);
  require(is_at_step(time_ms, step_ms), ErrorKind::config,
          "{}: found {} ms, expected a whole number of steps of {} ms", what, time_ms, step_ms);
  return std::llround(time_ms / step_ms);
}

}  // namespace afterspike::spiking
