#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif3() {
  return {"glif3", "GLIF1 with after-spike currents", leaky_model({.after_spike_currents = true})};
}

}  // namespace afterspike::spiking
