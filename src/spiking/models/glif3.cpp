#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif3() {
  return {"glif3", "GLIF1 with after-spike currents", glif_model(false, true, false)};
}

}  // namespace afterspike::spiking
