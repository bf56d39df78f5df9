#include "afterspike/spiking/models_page.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "afterspike/spiking/model.hpp"

namespace afterspike::spiking {
namespace {

std::string_view range_words(Range range) {
  switch (range) {
    case Range::positive:
      return "above 0";
    case Range::not_negative:
      return "0 or above";
    case Range::fraction:
      return "0 to 1";
    default:
      return "";
  }
}

std::string_view shape_words(SynapseShape shape) {
  switch (shape) {
    case SynapseShape::alpha:
      return "alpha";
    case SynapseShape::exponential:
      return "exponential";
    default:
      return "jump";
  }
}

std::string numbers(const std::vector<double>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

/// Text in lines of at most 110 characters; its own line breaks stay.
std::string wrapped(std::string_view text, std::string_view indent = "") {
  constexpr std::size_t kWidth = 110;
  std::string result;
  std::size_t line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    if (line > 0 && line + 1 + word.size() > kWidth) {
      result += fmt::format("\n{}", indent);
      line = indent.size();
    } else if (line > 0) {
      result += ' ';
      ++line;
    }
    result += word;
    line += word.size();
    if (end < text.size() && text[end] == '\n') {
      result += '\n';
      line = 0;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string parameters_of(const Model& model) {
  std::string text = "\n| Symbol | Name | Unit | Default | Range |\n|---|---|---|---|---|\n";
  for (const Parameter& each : model.parameters) {
    text += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", each.symbol, each.name, each.unit,
                        numbers(each.initial), range_words(each.range));
  }
  return text;
}

std::string receptors_of(const Model& model) {
  std::vector<std::string> items;
  for (const Receptor& each : model.receptors) {
    items.push_back(fmt::format("`{}` ({}, {})", each.name, each.unit, shape_words(each.shape)));
  }
  for (const SynapseShape shape : model.shapes) items.push_back(std::string(shape_words(shape)));
  if (items.empty()) return "";
  return fmt::format("\n{}: {}\n",
                     model.receptors.empty() ? "Receptors, each with a time constant" : "Receptors",
                     fmt::join(items, ", "));
}

std::string variables_of(const Model& model) {
  std::vector<std::string> items;
  for (const Variable& each : model.variables) {
    items.push_back(fmt::format("`{}` ({})", each.name, each.unit));
  }
  if (items.empty()) return "";
  return wrapped(fmt::format("\nVariables: {}\n", fmt::join(items, ", ")));
}

std::string presets_of(const Model& model) {
  if (model.presets.empty()) return "";
  std::string text = "\nPresets:\n\n";
  for (const Preset& preset : model.presets) {
    std::vector<std::string> values;
    for (const auto& [symbol, value] : preset.values) {
      values.push_back(fmt::format("{} = {}", symbol, numbers(value)));
    }
    const std::string all =
        values.empty() ? "defaults" : fmt::format("{}", fmt::join(values, ", "));
    text += wrapped(fmt::format("- `{}`, {}: {}", preset.name, preset.source, all), "  ") + "\n";
  }
  return text;
}

std::string engines_of(const Model& model) {
  if (model.is_source()) return "";
  if (model.make_exact != nullptr) {
    return fmt::format("\nEngines: grid, exact{}{}\n", model.exact_limit.empty() ? "" : " ",
                       model.exact_limit);
  }
  return fmt::format("\nEngine: grid. The exact engine has no model {}.\n", model.no_exact);
}

}  // namespace

std::string models_page() {
  std::string text =
      "# Neuron models\n\n"
      "Find a model, its equations, parameters and published parameter sets. This page is generated"
      " from the entries in\n`src/spiking/models`; `afterspike list models` prints the names. I is"
      " the injected current. Units: mV, pA, pF, nS, ms\nunless a table says otherwise.\n";
  for (const ModelEntry& entry : models()) {
    text += fmt::format("\n## {}\n\n{}.\n", entry.name, entry.summary);
    if (!entry.equations.empty()) text += fmt::format("\n{}\n", wrapped(entry.equations));
    if (!entry.model.parameters.empty()) text += parameters_of(entry.model);
    text += receptors_of(entry.model) + variables_of(entry.model) + presets_of(entry.model) +
            engines_of(entry.model);
    if (!entry.source.empty()) text += fmt::format("\nSource: {}.\n", entry.source);
  }
  return text;
}

}  // namespace afterspike::spiking
