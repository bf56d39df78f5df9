#pragma once

#include <set>
#include <string>
#include <string_view>

#include "afterspike/nn/network.hpp"

namespace afterspike::nn {

/// Some of a network's parameters, chosen by group: "all", "none", or names with commas, of
/// "intrinsic", "weight" and "bias" (parameters of the layers by ParameterGroup) and "readout" (its
/// weight and bias).
class ParameterChoice {
 public:
  /// Throws Error(config) naming `option` for any other text.
  static ParameterChoice parse(std::string_view text, std::string_view option);

  bool contains(const Network::Parameter& parameter) const;

 private:
  std::set<std::string, std::less<>> groups_;
};

}  // namespace afterspike::nn
