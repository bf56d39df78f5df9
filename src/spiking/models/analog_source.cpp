#include "simulation/sources.hpp"

namespace afterspike::spiking {

ModelEntry entry_analog_source() {
  Model model;
  model.make_source = make_analog_source;
  model.source_input = SourceInput::signal;
  return {"analog_source", "one number for each step, times the weight at its targets",
          std::move(model)};
}

}  // namespace afterspike::spiking
