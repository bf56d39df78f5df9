#pragma once

#include <string>

#include "afterspike/parity/parity.hpp"
#include "afterspike/report/document.hpp"

namespace afterspike::parity {

/// A comparison as part of a page: the verdict, the figures, each neuron's error of the rate, and
/// how soon spikes part from those of a hard threshold. `name` is the spiking network's.
report::Section section(const Report& compared, const std::string& name);

}  // namespace afterspike::parity
