#include "afterspike/glifnet/model.hpp"

namespace afterspike::glifnet {

ModelEntry entry_spike_source() {
  Model model;
  model.dynamics = Dynamics::spike_source;
  return {"spike_source", "recorded spikes", std::move(model)};
}

}  // namespace afterspike::glifnet
