#include "afterspike/datasets/datasets.hpp"
#include "afterspike/datasets/spikes.hpp"

namespace afterspike::datasets {
namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 31;  // Six times the size of the larger one.

std::string inspect(const std::filesystem::path& path) {
  return inspect_spikes(path, kShd);
}

constexpr FileSpec kFiles[] = {
    {.name = "shd_train.h5",
     .bytes = kMaxBytes,
     .inspect = inspect,
     .zip_md5 = "f3252aeb598ac776c1b526422d90eecb"},
    {.name = "shd_test.h5",
     .bytes = kMaxBytes,
     .inspect = inspect,
     .zip_md5 = "1503a5064faa34311c398fb0a1ed0a6f"},
};

constexpr Source kSources[] = {
    {.kind = Source::Kind::https, .location = "https://zenkelab.org/datasets"},
    {.kind = Source::Kind::https, .location = "https://compneuro.net/datasets"},
};

}  // namespace

DatasetEntry entry_shd() {
  return {.name = "shd",
          .summary = "Spiking Heidelberg Digits: 8,156 + 2,264 recordings, 700 units, 20 classes",
          .licence =
              "CC BY 4.0 (Benjamin Cramer, Yannik Stradmann, Johannes Schemmel, Friedemann "
              "Zenke)",
          .files = kFiles,
          .sources = kSources};
}

}  // namespace afterspike::datasets
