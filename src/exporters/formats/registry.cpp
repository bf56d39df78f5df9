#include "afterspike/exporters/exporter.hpp"

namespace afterspike::exporters {

#define AFTERSPIKE_REGISTER(name) ExporterEntry entry_##name();
#include "export_formats.inc"
#undef AFTERSPIKE_REGISTER

std::span<const ExporterEntry> entries() {
  static const std::vector<ExporterEntry> table = {
#define AFTERSPIKE_REGISTER(name) entry_##name(),
#include "export_formats.inc"
#undef AFTERSPIKE_REGISTER
  };
  return table;
}

}  // namespace afterspike::exporters
