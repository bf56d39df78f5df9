#include "afterspike/spiking/model.hpp"

namespace afterspike::spiking {

ModelEntry entry_analog_source() {
  Model model;
  model.dynamics = Dynamics::analog_source;
  return {"analog_source", "one number for each step, times the weight at its targets",
          std::move(model)};
}

}  // namespace afterspike::spiking
