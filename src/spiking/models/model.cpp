#include "afterspike/spiking/model.hpp"

#include "afterspike/base/registry.hpp"

namespace afterspike::spiking {

const Model& model(std::string_view name) {
  return find_entry(models(), name, "model of spiking neurons").model;
}

}  // namespace afterspike::spiking
