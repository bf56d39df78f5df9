#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "afterspike/base/options.hpp"
#include "afterspike/nn/parameter.hpp"

/// Shared parts of the descriptions of neuron models.
namespace afterspike::nn {

/// An option that holds a distribution of initial values.
void describe_initial(options::Section section, std::string_view name, Initial& member,
                      std::string_view help);

/// An option that holds a dropout probability.
void describe_dropout(options::Section section, std::string_view name, double& member,
                      std::string_view help);

/// Steps of a synaptic delay; 0 acts as 1. Throws Error(config) naming the model for a delay that
/// is not a whole number of steps, or longer than a delay line may be.
std::int64_t delay_steps(const units::Duration& delay, double dt_ms, std::string_view model);

/// Marks as trainable the intrinsic parameters that `learn` says: "all", "none", or names separated
/// by commas. Throws Error(config) for a name that is not among them.
void set_trainable(std::vector<ParameterSpec>& intrinsic, std::string_view learn);

}  // namespace afterspike::nn
