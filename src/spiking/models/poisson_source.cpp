#include "simulation/sources.hpp"

namespace afterspike::spiking {

ModelEntry entry_poisson_source() {
  Model model;
  model.make_source = make_poisson_source;
  model.parameters = {{"rate", "rate", "1/s", Range::not_negative, Extent::neuron, {0}}};
  return {"poisson_source", "independent Poisson spikes", std::move(model)};
}

}  // namespace afterspike::spiking
