#include "afterspike/nn/parameter_choice.hpp"

#include <algorithm>
#include <array>

#include "afterspike/base/error.hpp"

namespace afterspike::nn {
namespace {

constexpr std::array<std::string_view, 4> kGroups = {"intrinsic", "weight", "bias", "readout"};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::string_view group_of(const Network::Parameter& parameter) {
  return parameter.name.starts_with("readout.") ? "readout" : group_name(parameter.spec->group);
}

}  // namespace

ParameterChoice ParameterChoice::parse(std::string_view text, std::string_view option) {
  ParameterChoice choice;
  if (trimmed(text) == "none") return choice;
  if (trimmed(text) == "all") {
    choice.groups_.insert(kGroups.begin(), kGroups.end());
    return choice;
  }
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = trimmed(rest.substr(0, comma));
    require(std::find(kGroups.begin(), kGroups.end(), name) != kGroups.end(), ErrorKind::config,
            "option '{}': found '{}', expected all, none, or some of intrinsic, weight, bias, "
            "readout",
            option, text);
    choice.groups_.emplace(name);
    if (comma == std::string_view::npos) return choice;
    rest.remove_prefix(comma + 1);
  }
}

bool ParameterChoice::contains(const Network::Parameter& parameter) const {
  return groups_.contains(group_of(parameter));
}

}  // namespace afterspike::nn
