#include "check.hpp"

#include <cmath>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "subject.hpp"

namespace afterspike::bench {
namespace {

/// Tolerances for single precision over few steps, and for factors rounded to 8 bits.
constexpr double kTolerance = 1e-3, kBfloat16Tolerance = 0.05;

/// Large enough for vectors with a remainder, for rows with padding after it, for more rows than
/// kernels compute together, and for a delay shorter than the sequence.
constexpr std::int64_t kSteps = 24, kBatch = 19, kHidden = 52, kInput = 70, kDelay = 7;

Settings small(Settings settings) {
  settings.steps = std::min(settings.steps, kSteps);
  settings.batch = std::min(settings.batch, kBatch);
  settings.hidden = std::min(settings.hidden, kHidden);
  settings.input = std::min(settings.input, kInput);
  if (settings.delay && delay_steps(settings) > kDelay) {
    settings.delay = units::Duration::steps(kDelay);
  }
  return settings;
}

Answer answer_of(const Settings& settings) {
  const Subject subject(settings, settings.batch);
  const train::Shard shard = subject.run_shard(0);
  Answer answer{shard.tally.loss, {}, train::by_parameter(shard.gradient, subject.parameters())};
  for (const auto& parameter : subject.parameters()) answer.names.push_back(parameter.name);
  return answer;
}

/// Relative to the size of the expected value; two zeros are equal.
double difference(const at::Tensor& found, const at::Tensor& expected) {
  const double size = expected.to(at::kDouble).norm().item<double>();
  const double apart = (found.to(at::kDouble) - expected.to(at::kDouble)).norm().item<double>();
  return apart == 0 ? 0 : apart / size;
}

void require_close(std::string_view name, double apart, double tolerance) {
  // NaN never compares as close.
  require(apart <= tolerance, ErrorKind::internal,
          "bench: the paths disagree: {} differs by {:.2g} of its size, expected at most {:.2g}; "
          "nothing was timed",
          name, apart, tolerance);
}

}  // namespace

void require_same(const Answer& found, const Answer& expected, double tolerance) {
  require(found.names == expected.names && found.gradients.size() == expected.gradients.size(),
          ErrorKind::internal, "bench: the paths have other parameters; nothing was timed");
  require_close("the loss", std::abs(found.loss - expected.loss) / std::abs(expected.loss),
                tolerance);
  for (std::size_t i = 0; i < found.gradients.size(); ++i) {
    const at::Tensor &gradient = found.gradients[i], &other = expected.gradients[i];
    const std::string name = "the gradient of '" + expected.names[i] + "'";
    require(gradient.defined() == other.defined(), ErrorKind::internal,
            "bench: the paths disagree: only one gives {}; nothing was timed", name);
    if (gradient.defined()) require_close(name, difference(gradient, other), tolerance);
  }
}

void check_answer(const Settings& settings) {
  require_model(settings);
  Settings measured = small(settings);
  Settings composed = measured;
  // Composed operations are the reference for the others, and are checked against the kernel.
  if (measured.path == Path::composed) measured.path = Path::fused;
  composed.path = Path::composed;
  composed.precision = nn::Precision::float32;
  require_same(answer_of(measured), answer_of(composed),
               settings.precision == nn::Precision::bfloat16 ? kBfloat16Tolerance : kTolerance);
}

}  // namespace afterspike::bench
