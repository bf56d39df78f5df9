#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif2() {
  return {"glif2", "GLIF1 with reset rules and a threshold that spikes raise",
          leaky_model({.spike_threshold = true})};
}

}  // namespace afterspike::spiking
