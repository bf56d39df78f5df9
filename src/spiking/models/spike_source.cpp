#include "afterspike/spiking/model.hpp"

namespace afterspike::spiking {

ModelEntry entry_spike_source() {
  Model model;
  model.dynamics = Dynamics::spike_source;
  return {"spike_source", "recorded spikes", std::move(model)};
}

}  // namespace afterspike::spiking
