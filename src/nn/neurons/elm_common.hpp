#pragma once

#include <string_view>

#include <ATen/core/Tensor.h>

#include "afterspike/kernels/elm.hpp"
#include "afterspike/nn/elm.hpp"

/// Shared parts of ELM neurons and layers of them; equations in docs/numerics.md.
namespace afterspike::nn {

at::Tensor activate(const at::Tensor& values, Activation activation);

kernels::ElmActivation kernel_activation(Activation activation);

/// 1.7159 tanh(2 x / 3): LeCun's.
at::Tensor squash(const at::Tensor& values);

/// exp(-dt / tau): what is left of a trace after a step; tau is at least 1e-6 ms.
at::Tensor keep_of(const at::Tensor& tau_ms, double dt_ms);

/// lambda (1 - exp(-dt / tau)), or 1 - exp(-lambda dt / tau) where lambda scales the timescale:
/// what of the new enters memory; no digits are lost for long timescales.
at::Tensor memory_gain_of(const at::Tensor& tau_ms, double dt_ms, double lambda,
                          bool lambda_as_timescale);

void describe_activation(options::Section section, std::string_view name, Activation& member,
                         std::string_view help);

/// The row of the memory timescales in the table of parameters. Throws Error(config) naming the
/// model for timescales that are out of order, or learned with nowhere to go.
ParameterSpec memory_tau_spec(const MemoryTimescales& timescales, std::vector<std::int64_t> shape,
                              bool learned, std::string_view model);

/// Throws Error(config) naming the model where timescales are learned, and the outer ones are
/// drawn at the bounds of their range, which have no raw values.
void require_room(const MemoryTimescales& timescales, bool learned, std::string_view model);

/// The row of the fixed (or learned) timescale of traces.
ParameterSpec trace_tau_spec(std::string name, double tau_ms, std::vector<std::int64_t> shape,
                             bool learned);

}  // namespace afterspike::nn
