#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/io/hdf5.hpp"

namespace afterspike::testing {

/// A file of spikes, in the published layout unless a test changes it.
struct SpikeFile {
  std::vector<std::vector<double>> times;  ///< s
  std::vector<std::vector<std::int64_t>> units;
  std::vector<std::int64_t> labels;
  std::optional<std::vector<std::int64_t>> speakers;
  io::Hdf5Type time_type = io::Hdf5Type::float16;
  io::Hdf5Type unit_type = io::Hdf5Type::uint16;

  template <typename T>
  static io::Hdf5Rows<T> rows(const std::vector<std::vector<T>>& lists) {
    io::Hdf5Rows<T> result;
    for (const auto& list : lists) {
      result.values.insert(result.values.end(), list.begin(), list.end());
      result.offsets.push_back(static_cast<std::int64_t>(result.values.size()));
    }
    return result;
  }

  void write(const std::filesystem::path& path) const {
    const auto array = [](const std::vector<std::int64_t>& values) {
      return io::Hdf5Array<std::int64_t>{{static_cast<std::int64_t>(values.size())}, values};
    };
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    io::Hdf5File file(path, io::Hdf5File::Mode::create);
    file.write_variable_rows("/spikes/times", rows(times), time_type);
    file.write_variable_rows("/spikes/units", rows(units), unit_type);
    file.write("/labels", array(labels));
    if (speakers) file.write("/extra/speaker", array(*speakers));
  }
};

/// Returns `count` recordings of random spikes; labels and speakers alternate, so that all occur.
/// Times up to 1.2 s are multiples of 1/1024 s, which half precision represents.
inline SpikeFile random_spikes(std::int64_t count, std::vector<std::int64_t> speakers, Rng rng,
                               std::uint64_t classes = 20) {
  SpikeFile file;
  file.speakers.emplace();
  for (std::int64_t row = 0; row < count; ++row) {
    std::vector<double> times;
    std::vector<std::int64_t> units;
    const std::uint64_t spikes = 30 + rng.below(40);
    for (std::uint64_t i = 0; i < spikes; ++i) {
      if (i > 0 && rng.below(4) == 0) {  // Again, so that counts exceed 1.
        times.push_back(times.back());
        units.push_back(units.back());
        continue;
      }
      times.push_back(static_cast<double>(rng.below(1228)) / 1024);
      units.push_back(static_cast<std::int64_t>(rng.below(700)));
    }
    file.times.push_back(std::move(times));
    file.units.push_back(std::move(units));
    file.labels.push_back(row % static_cast<std::int64_t>(classes));
    file.speakers->push_back(speakers[static_cast<std::size_t>(row) % speakers.size()]);
  }
  return file;
}

/// A file of real data, for tests that are skipped without it: in the directory
/// AFTERSPIKE_SHARED_DATA, else in ../shared/data beside the source tree.
inline std::filesystem::path shared_data(const std::string& name) {
  const std::filesystem::path source = AFTERSPIKE_TEST_SOURCE_DIR;
  const char* directory = std::getenv("AFTERSPIKE_SHARED_DATA");
  return (directory != nullptr ? std::filesystem::path(directory)
                               : source / ".." / "shared" / "data") /
         name;
}

}  // namespace afterspike::testing
