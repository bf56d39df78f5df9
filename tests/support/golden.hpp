#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace afterspike::testing {

/// The golden file or folder `name`, such as "spiking/golden_glif_net.h5": in AFTERSPIKE_GOLDEN_DIR
/// if it is set and has it, else in ../shared/golden beside the source tree (whole traces), else in
/// tests/golden, made of the former by scripts/thin_golden.py.
inline std::filesystem::path golden_path(const std::string& name) {
  const std::filesystem::path source = AFTERSPIKE_TEST_SOURCE_DIR;
  if (const char* directory = std::getenv("AFTERSPIKE_GOLDEN_DIR")) {
    const std::filesystem::path given = std::filesystem::path(directory) / name;
    if (std::filesystem::exists(given)) return given;
  }
  const std::filesystem::path beside = source / ".." / "shared" / "golden" / name;
  return std::filesystem::exists(beside) ? beside : source / "tests" / "golden" / name;
}

}  // namespace afterspike::testing
