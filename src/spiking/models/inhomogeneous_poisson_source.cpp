#include "simulation/sources.hpp"

namespace afterspike::spiking {

ModelEntry entry_inhomogeneous_poisson_source() {
  Model model;
  model.make_source = make_stepped_poisson_source;
  model.source_input = SourceInput::rates;
  return {"inhomogeneous_poisson_source", "independent Poisson spikes at a rate in steps",
          std::move(model),
          "The rate is 0 before the first of `rate_times` (ms) and changes to the next of"
          " `rate_values` (spikes/s) at each. All neurons have the same rate and independent"
          " spikes.",
          "NEST 3.10, inhomogeneous_poisson_generator"};
}

}  // namespace afterspike::spiking
