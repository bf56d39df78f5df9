#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_glif1() {
  return {"glif1", "leaky integrate-and-fire (Teeter et al. 2018)", leaky_model({})};
}

}  // namespace afterspike::spiking
