#pragma once

#include <string>
#include <utility>
#include <vector>

#include "afterspike/base/options.hpp"

namespace afterspike::testing {

/// Options by name, as flags set them.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// Sets options of any object with describe().
template <typename Described>
void apply(Described& described, const Settings& settings) {
  options::Description description;
  described.describe(options::Section(description, ""));
  for (const auto& [name, text] : settings) description.find(name).set_text(text);
}

/// Returns whether there is an option of this name.
template <typename Described>
bool has_option(Described& described, const std::string& name) {
  options::Description description;
  described.describe(options::Section(description, ""));
  return description.find_if(name) != nullptr;
}

}  // namespace afterspike::testing
