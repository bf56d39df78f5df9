#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif4() {
  return {"glif4", "GLIF2 with after-spike currents",
          leaky_model({.spike_threshold = true, .after_spike_currents = true})};
}

}  // namespace afterspike::spiking
