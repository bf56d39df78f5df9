#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/nn/glif.hpp"

namespace afterspike::nn {

/// The equations of kernels/glif.hpp by composed operations, from step to step.
class ComposedGlif {
 public:
  ComposedGlif(const GlifOptions& options, const NamedTensors& coefficients,
               const kernels::GlifSettings& settings, NamedTensors state)
      : o_(options), c_(coefficients), settings_(settings), state_(std::move(state)) {
    for (const char* name : {"emitted", "spiked"}) {
      const auto past = state_.at(name).unbind(0);
      lines_[name] = {past.begin(), past.end()};
    }
  }

  /// The emissions that arrive in this step.
  const at::Tensor& arriving() const { return lines_.at("emitted").front(); }
  void emit(const at::Tensor& emitted) { push("emitted", emitted); }

  /// Returns the spikes of a step with this current and what arrives at the receptors
  /// [receptors, batch, H].
  at::Tensor step(at::Tensor drive, const at::Tensor& arriving);

  const at::Tensor& voltage() const { return state_.at("voltage"); }
  NamedTensors state() {
    for (const auto& [name, line] : lines_) {
      state_[name] = at::stack(std::vector<at::Tensor>(line.begin(), line.end()));
    }
    return state_;
  }

 private:
  /// A coefficient of currents or receptors [count, H], for [count, batch, H].
  at::Tensor each(const char* name) const { return c_.at(name).unsqueeze(1); }
  void push(const char* name, const at::Tensor& latest) {
    lines_.at(name).pop_front();
    lines_.at(name).push_back(latest);
  }
  at::Tensor active() const;
  at::Tensor moved(const at::Tensor& drive) const;
  at::Tensor crossed(const at::Tensor& above) const;
  at::Tensor mixed(const at::Tensor& old, const at::Tensor& passed, const at::Tensor& after) const {
    return (1 - active_) * old + (active_ - spiked_) * passed + spiked_ * after;
  }
  void advance_synapses(const at::Tensor& arriving);

  const GlifOptions& o_;
  const NamedTensors& c_;
  kernels::GlifSettings settings_;
  NamedTensors state_;
  std::map<std::string, std::deque<at::Tensor>> lines_;
  at::Tensor active_, spiked_;
};

}  // namespace afterspike::nn
