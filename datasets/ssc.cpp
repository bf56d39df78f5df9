#include "afterspike/datasets/datasets.hpp"
#include "afterspike/datasets/spikes.hpp"

namespace afterspike::datasets {
namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 34;  // Several times the size of the
                                                           // largest.

std::string inspect(const std::filesystem::path& path) {
  return inspect_spikes(path, kSsc);
}

constexpr FileSpec kFiles[] = {
    {.name = "ssc_train.h5", .bytes = kMaxBytes, .inspect = inspect},
    {.name = "ssc_valid.h5", .bytes = kMaxBytes, .inspect = inspect},
    {.name = "ssc_test.h5", .bytes = kMaxBytes, .inspect = inspect},
};

constexpr Source kSources[] = {
    {.kind = Source::Kind::https, .location = "https://zenkelab.org/datasets"},
    {.kind = Source::Kind::https, .location = "https://compneuro.net/datasets"},
};

}  // namespace

DatasetEntry entry_ssc() {
  return {.name = "ssc",
          .summary =
              "Spiking Speech Commands: 75,466 + 9,981 + 20,382 recordings, 700 units, 35 "
              "classes",
          .licence =
              "CC BY 4.0 (Benjamin Cramer, Yannik Stradmann, Johannes Schemmel, Friedemann "
              "Zenke)",
          .files = kFiles,
          .sources = kSources};
}

}  // namespace afterspike::datasets
