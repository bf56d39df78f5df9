#include "elm_common.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::nn {
namespace {

/// How far a learned timescale of a trace may go from where it begins, as a factor.
constexpr double kTraceRange = 50;

/// Timescales below this, in ms, count as this.
constexpr double kShortest = 1e-6;

}  // namespace

at::Tensor activate(const at::Tensor& values, Activation activation) {
  switch (activation) {
    case Activation::relu:
      break;
    case Activation::silu:
      return at::silu(values);
    case Activation::relu_squared:
      return at::relu(values).square();
  }
  return at::relu(values);
}

kernels::ElmActivation kernel_activation(Activation activation) {
  switch (activation) {
    case Activation::relu:
      break;
    case Activation::silu:
      return kernels::ElmActivation::silu;
    case Activation::relu_squared:
      return kernels::ElmActivation::relu_squared;
  }
  return kernels::ElmActivation::relu;
}

at::Tensor squash(const at::Tensor& values) {
  return at::tanh(values * (2.0 / 3.0)) * 1.7159;
}

at::Tensor keep_of(const at::Tensor& tau_ms, double dt_ms) {
  return at::exp(-dt_ms / at::clamp_min(tau_ms, kShortest));
}

at::Tensor memory_gain_of(const at::Tensor& tau_ms, double dt_ms, double lambda,
                          bool lambda_as_timescale) {
  const double step_ms = lambda_as_timescale ? dt_ms * lambda : dt_ms;
  const at::Tensor part = at::expm1(-step_ms / at::clamp_min(tau_ms, kShortest));
  return part * (lambda_as_timescale ? -1.0 : -lambda);
}

void describe_activation(options::Section section, std::string_view name, Activation& member,
                         std::string_view help) {
  section.choice(name, member,
                 {{"relu", Activation::relu},
                  {"silu", Activation::silu},
                  {"relu_squared", Activation::relu_squared}},
                 help);
}

void MemoryTimescales::describe(options::Section section) {
  section
      .quantity("memory_tau_min", min_ms, "ms", "Shortest initial timescale of the memory units.")
      .at_least(options::kSmallest)
      .bounded();
  section
      .quantity("memory_tau_max", max_ms, "ms",
                "Longest; those between are evenly spaced in the logarithm.")
      .at_least(options::kSmallest)
      .bounded();
  section
      .add("memory_tau_widening", widening,
           "Learned timescales lie between min / widening and max * sqrt(widening).")
      .at_least(1)
      .at_most(1e6);
  section.choice("memory_tau_scale", scale,
                 {{"log", Scale::logarithmic}, {"linear", Scale::linear}},
                 "In what timescales are learned.");
}

void require_room(const MemoryTimescales& timescales, bool learned, std::string_view model) {
  require(!learned || timescales.widening > 1, ErrorKind::config,
          "{}: memory_tau_widening is {}, expected more than 1 where timescales are learned: the "
          "outer ones would begin at a bound",
          model, timescales.widening);
}

ParameterSpec memory_tau_spec(const MemoryTimescales& timescales, std::vector<std::int64_t> shape,
                              bool learned, std::string_view model) {
  const auto [low, high, widening, scale] = timescales;
  require(low <= high, ErrorKind::config,
          "{}: memory_tau_min is {} ms, expected at most memory_tau_max, {} ms", model, low, high);
  const double from = low / widening;
  const double to = high * std::sqrt(widening);
  Transform transform;
  if (learned) {
    require(from < to, ErrorKind::config,
            "{}: memory_tau_widening is {} and memory_tau_min equals memory_tau_max: expected more "
            "than 1, or timescales have nowhere to go",
            model, widening);
    transform = scale == MemoryTimescales::Scale::logarithmic ? Transform::log_bounded(from, to)
                                                              : Transform::bounded(from, to);
  }
  return {"memory_tau",
          "tau_m",
          "ms",
          std::move(shape),
          transform,
          Initial::log_spaced(low, high),
          ParameterGroup::intrinsic,
          learned};
}

ParameterSpec trace_tau_spec(std::string name, double tau_ms, std::vector<std::int64_t> shape,
                             bool learned) {
  const Transform transform =
      learned ? Transform::log_bounded(tau_ms / kTraceRange, tau_ms * kTraceRange) : Transform();
  return {std::move(name),           "tau_s",   "ms",
          std::move(shape),          transform, Initial::constant(tau_ms),
          ParameterGroup::intrinsic, learned};
}

}  // namespace afterspike::nn
