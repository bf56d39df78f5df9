#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/spiking/network.hpp"

/// Fields of the file of a network (docs/network-format.md).
namespace afterspike::spiking {

inline std::string member(std::string_view group, std::string_view name) {
  return fmt::format("{}/{}", group, name);
}

/// Writes fields of groups. Arrays make their group; attributes need it to be there.
class NetworkWriter {
 public:
  explicit NetworkWriter(const std::filesystem::path& path)
      : file_(path, io::Hdf5File::Mode::create) {}

  template <typename T>
  void array(const std::string& group, std::string_view name, const std::vector<T>& values,
             std::vector<std::int64_t> shape = {}) {
    file_.write_values(member(group, name), values, std::move(shape));
  }
  void number(const std::string& group, std::string_view name, double value) {
    file_.write_attribute<double>(group, name, {{}, {value}});
  }
  void integer(const std::string& group, std::string_view name, std::int64_t value) {
    file_.write_attribute<std::int64_t>(group, name, {{}, {value}});
  }
  void text(const std::string& group, std::string_view name, std::string_view value) {
    file_.write_text_attribute(group, name, value);
  }

 private:
  io::Hdf5File file_;
};

class NetworkReader {
 public:
  explicit NetworkReader(const std::filesystem::path& path) : file_(path) {}

  const io::Hdf5File& file() const { return file_; }

  template <typename T>
  std::vector<T> array(const std::string& group, std::string_view name) const {
    return file_.read<T>(member(group, name)).values;
  }
  double number(const std::string& group, std::string_view name) const {
    return scalar<double>(group, name);
  }
  std::int64_t integer(const std::string& group, std::string_view name) const {
    return scalar<std::int64_t>(group, name);
  }
  std::string text(const std::string& group, std::string_view name) const {
    return file_.text_attribute(group, name);
  }

  /// The groups "0", "1", ... below a group.
  std::vector<std::string> numbered(const std::string& group) const {
    std::vector<std::string> names;
    if (!file_.exists(group)) return names;
    const std::size_t count = file_.members(group).size();
    for (std::size_t index = 0; index < count; ++index) {
      names.push_back(member(group, std::to_string(index)));
      require(file_.exists(names.back()), ErrorKind::data, "'{}' is missing among its {} members",
              names.back(), count);
    }
    return names;
  }

 private:
  template <typename T>
  T scalar(const std::string& group, std::string_view name) const {
    const auto values = file_.attribute<T>(group, name).values;
    require(values.size() == 1, ErrorKind::data,
            "'{}': attribute '{}': found {} values, expected 1", group, name, values.size());
    return values[0];
  }

  io::Hdf5File file_;
};

/// Injected currents and electrical synapses.
void write_stimuli(NetworkWriter& writer, const Network& network);
void read_stimuli(const NetworkReader& reader, Network& network);

/// Projections by rule.
void write_rules(NetworkWriter& writer, const Network& network);
void read_rules(const NetworkReader& reader, Network& network);

}  // namespace afterspike::spiking
