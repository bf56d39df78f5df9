#include "afterspike/formats/exporter.hpp"
#include "afterspike/spiking/network_file.hpp"

namespace afterspike::formats {

ExporterEntry entry_native() {
  return {"native", "our own file, lossless: docs/network-format.md",
          [](const spiking::Network& network, const Options&) {
            return Conversion{network, {}, network.time_step_ms};
          },
          [](const Conversion& conversion, const std::filesystem::path& path) {
            spiking::write_network(path, conversion.network);
          }};
}

}  // namespace afterspike::formats
