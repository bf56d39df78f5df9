#include "afterspike/glifnet/model.hpp"

#include "afterspike/base/registry.hpp"

namespace afterspike::glifnet {

const Model& model(std::string_view name) {
  return find_entry(models(), name, "model of spiking neurons").model;
}

}  // namespace afterspike::glifnet
