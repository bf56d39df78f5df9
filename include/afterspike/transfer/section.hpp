#pragma once

#include <string>

#include "afterspike/report/document.hpp"
#include "afterspike/transfer/parity.hpp"

namespace afterspike::transfer {

/// A comparison as part of a page: the verdict, the figures, each neuron's error of the rate, and
/// how soon spikes part from those of a hard threshold. `name` is the spiking network's.
report::Section section(const Report& compared, const std::string& name);

}  // namespace afterspike::transfer
