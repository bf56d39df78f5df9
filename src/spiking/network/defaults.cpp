#include <algorithm>
#include <cstddef>

#include "afterspike/base/registry.hpp"
#include "afterspike/spiking/network_description.hpp"

namespace afterspike::spiking {
namespace {

const Preset* preset_named(const Population& population, std::string_view name) {
  if (name.empty()) return nullptr;
  std::vector<std::string_view> names;
  for (const Preset& preset : model(population.model).presets) {
    if (preset.name == name) return &preset;
    names.push_back(preset.name);
  }
  require(!names.empty(), ErrorKind::usage, "model '{}' has no presets (found '{}')",
          population.model, name);
  fail(ErrorKind::usage, "model '{}' has no preset '{}'{}; there are: {}", population.model, name,
       did_you_mean(name, names), fmt::join(names, ", "));
}

/// The values of a parameter, one for each row.
const std::vector<double>& values_of(const Parameter& parameter, const Preset* preset) {
  if (preset != nullptr) {
    const auto found =
        std::find_if(preset->values.begin(), preset->values.end(),
                     [&](const auto& value) { return value.first == parameter.symbol; });
    if (found != preset->values.end()) return found->second;
  }
  return parameter.initial;
}

}  // namespace

void set_defaults(Population& population, std::string_view preset_name) {
  const Preset* preset = preset_named(population, preset_name);
  for (const Parameter& parameter : model(population.model).parameters) {
    const std::vector<double>& values = values_of(parameter, preset);
    auto& column = population.columns[std::string(parameter.name)];
    column.clear();
    for (const double value : values) {
      column.insert(column.end(), static_cast<std::size_t>(population.size), value);
    }
  }
}

}  // namespace afterspike::spiking
