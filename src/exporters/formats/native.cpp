#include "afterspike/exporters/exporter.hpp"
#include "afterspike/glifnet/file.hpp"

namespace afterspike::exporters {

ExporterEntry entry_native() {
  return {"native", "our own file, lossless: docs/glifnet-format.md",
          [](const glifnet::Network& network, const Options&) {
            return Conversion{network, {}, network.time_step_ms};
          },
          [](const Conversion& conversion, const std::filesystem::path& path) {
            glifnet::write_network(path, conversion.network);
          }};
}

}  // namespace afterspike::exporters
