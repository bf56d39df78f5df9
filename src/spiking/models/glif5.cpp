#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif5() {
  return {"glif5", "GLIF4 with a threshold that follows the voltage", glif_model(true, true, true)};
}

}  // namespace afterspike::spiking
