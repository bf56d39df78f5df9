#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif4() {
  return {"glif4", "GLIF2 with after-spike currents", glif_model(true, true, false)};
}

}  // namespace afterspike::spiking
