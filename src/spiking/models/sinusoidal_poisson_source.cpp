#include "simulation/sources.hpp"

namespace afterspike::spiking {

ModelEntry entry_sinusoidal_poisson_source() {
  Model model;
  model.make_source = make_sinusoidal_poisson_source;
  model.parameters = {{"rate", "rate", "1/s", Range::not_negative, Extent::neuron, {0}},
                      {"amplitude", "amplitude", "1/s", Range::any, Extent::neuron, {0}},
                      {"frequency", "frequency", "Hz", Range::not_negative, Extent::neuron, {0}},
                      {"phase", "phase", "degrees", Range::any, Extent::neuron, {0}}};
  return {"sinusoidal_poisson_source", "independent Poisson spikes at a rate that is a sinusoid",
          std::move(model), "The rate is max(0, rate + amplitude sin(2 pi frequency t + phase)).",
          "NEST 3.10, sinusoidal_poisson_generator"};
}

}  // namespace afterspike::spiking
