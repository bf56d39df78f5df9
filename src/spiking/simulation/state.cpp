// Saved states: what is asked of one, and its file.

#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/hdf5.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {

const std::vector<double>& saved_array(const State& state, const std::string& name,
                                       std::size_t length) {
  const auto found = state.arrays.find(name);
  require(found != state.arrays.end(), ErrorKind::data,
          "saved state: '{}' is missing: it is of another network", name);
  require(found->second.size() == length, ErrorKind::data,
          "saved state: '{}': found {} values, expected {}: it is of another network", name,
          found->second.size(), length);
  for (const double value : found->second) {
    require(std::isfinite(value), ErrorKind::data,
            "saved state: '{}': found {}, expected finite numbers", name, value);
  }
  return found->second;
}

std::span<const double> saved_rows(const State& state, const std::string& name, std::size_t width,
                                   const std::function<bool(const double*)>& is_possible,
                                   bool may_be_missing) {
  const auto found = state.arrays.find(name);
  if (found == state.arrays.end() && may_be_missing) return {};
  require(found != state.arrays.end() && found->second.size() % width == 0, ErrorKind::data,
          "saved state: '{}' is missing or damaged", name);
  for (std::size_t at = 0; at < found->second.size(); at += width) {
    require(is_possible(found->second.data() + at), ErrorKind::data,
            "saved state: '{}' is damaged, or of another network: row {}", name, at / width);
  }
  return found->second;
}

void write_state(const std::filesystem::path& path, const State& state) {
  io::AtomicFile staged(path);
  {
    io::Hdf5File file(staged.staging(), io::Hdf5File::Mode::create);
    file.write_text_attribute("/", "format", "afterspike-simulation-state");
    file.write_attribute<std::int64_t>("/", "version", {{}, {kStateVersion}});
    file.write_attribute<double>("/", "time_ms", {{}, {state.time_ms}});
    std::size_t number = 0;
    for (const auto& [name, values] : state.arrays) {
      const std::string path_in_file = fmt::format("/arrays/{}", number++);
      file.write<double>(path_in_file, {{static_cast<std::int64_t>(values.size())}, values});
      file.write_text_attribute(path_in_file, "name", name);
    }
  }
  staged.commit();
}

State read_state(const std::filesystem::path& path) {
  const io::Hdf5File file(path);
  const bool ours = file.has_attribute("/", "format") &&
                    file.text_attribute("/", "format") == "afterspike-simulation-state";
  require(ours, ErrorKind::data, "'{}' is not a saved state of a simulation", path.string());
  const auto version = file.attribute<std::int64_t>("/", "version").values;
  require(version.size() == 1 && version[0] == kStateVersion, ErrorKind::data,
          "'{}': found version {} of the format, expected {}", path.string(),
          fmt::join(version, ", "), kStateVersion);
  const auto time_ms = file.attribute<double>("/", "time_ms").values;
  require(time_ms.size() == 1 && std::isfinite(time_ms[0]) && time_ms[0] >= 0, ErrorKind::data,
          "'{}': found time_ms {}, expected one number, 0 or more", path.string(),
          fmt::join(time_ms, ", "));
  State state;
  state.time_ms = time_ms[0];
  for (const std::string& member : file.members("/arrays")) {
    const std::string path_in_file = "/arrays/" + member;
    state.arrays[file.text_attribute(path_in_file, "name")] =
        file.read<double>(path_in_file).values;
  }
  return state;
}

}  // namespace afterspike::spiking
