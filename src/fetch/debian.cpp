#include "debian.hpp"

#include <chrono>

#include "afterspike/base/error.hpp"
#include "archive.hpp"
#include "program.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;

// Enough for 31 MB at 52 kB/s.
constexpr std::chrono::minutes kPatience{10};

fs::path only_package(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".deb" && entry.is_regular_file()) return entry.path();
  }
  fail(ErrorKind::data, "apt-get reports success, but wrote no .deb file");
}

}  // namespace

fs::path download_debian(const datasets::Source& source, const fs::path& folder,
                         std::int64_t limit) {
  fs::create_directories(folder);
  // apt-get writes to its working directory.
  run_program({"apt-get", "-q", "download", std::string(source.location)}, folder / "log",
              kPatience, folder);
  fs::path files = folder / "files";
  extract_deb(only_package(folder), files, limit);
  return files;
}

}  // namespace afterspike::fetch
