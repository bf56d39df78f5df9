#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif2() {
  return {"glif2", "GLIF1 with reset rules and a threshold that spikes raise",
          glif_model(true, false, false)};
}

}  // namespace afterspike::spiking
