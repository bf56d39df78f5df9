#include "afterspike/spiking/model.hpp"

namespace afterspike::spiking {

ModelEntry entry_poisson_source() {
  Model model;
  model.dynamics = Dynamics::poisson_source;
  model.columns = {{"rate", "rate", "1/s", Range::not_negative}};
  return {"poisson_source", "independent Poisson spikes", std::move(model)};
}

}  // namespace afterspike::spiking
