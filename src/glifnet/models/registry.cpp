#include "afterspike/base/registry.hpp"
#include "afterspike/glifnet/model.hpp"

namespace afterspike::glifnet {

#define AFTERSPIKE_REGISTER(name) ModelEntry entry_##name();
#include "glif_models.inc"
#undef AFTERSPIKE_REGISTER

std::span<const ModelEntry> models() {
  static const std::vector<ModelEntry> table = {
#define AFTERSPIKE_REGISTER(name) entry_##name(),
#include "glif_models.inc"
#undef AFTERSPIKE_REGISTER
  };
  return table;
}

const Model& model(std::string_view name) {
  return find_entry(models(), name, "model of spiking neurons").model;
}

}  // namespace afterspike::glifnet
