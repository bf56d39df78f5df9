#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif5() {
  return {"glif5", "GLIF4 with a threshold that follows the voltage",
          leaky_model(
              {.spike_threshold = true, .after_spike_currents = true, .voltage_threshold = true})};
}

}  // namespace afterspike::spiking
