#pragma once

#include <string>

namespace afterspike::spiking {

/// docs/models.md: every model with its equations, parameters, receptors, variables and presets, as
/// Markdown.
std::string models_page();

}  // namespace afterspike::spiking
