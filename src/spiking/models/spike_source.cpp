#include "simulation/sources.hpp"

namespace afterspike::spiking {

ModelEntry entry_spike_source() {
  Model model;
  model.make_source = make_trains_source;
  model.source_input = SourceInput::trains;
  return {"spike_source", "recorded spikes", std::move(model)};
}

}  // namespace afterspike::spiking
