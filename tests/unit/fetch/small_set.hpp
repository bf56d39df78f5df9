#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/datasets/datasets.hpp"
#include "afterspike/fetch/fetch.hpp"
#include "afterspike/io/bytes.hpp"
#include "unit/datasets/test_files.hpp"

namespace afterspike::test_files {

/// Returns incompressible bytes.
inline Bytes noise(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return bytes;
}

/// A data set of three small files, with the test's sources.
class SmallSet {
 public:
  explicit SmallSet(std::vector<datasets::Source> sources = {}) : sources_(std::move(sources)) {
    for (const Bytes& content : contents_) checksums_.push_back(io::sha256(content));
    for (std::size_t file = 0; file < contents_.size(); ++file) {
      files_.push_back({.name = kNames[file],
                        .sha256 = checksums_[file],
                        .bytes = static_cast<std::int64_t>(contents_[file].size())});
    }
  }
  SmallSet(const SmallSet&) = delete;
  SmallSet& operator=(const SmallSet&) = delete;

  static constexpr std::string_view kNames[] = {"first", "second", "third"};

  datasets::DatasetEntry entry() const {
    return {.name = "small",
            .summary = "for tests",
            .licence = "none",
            .files = files_,
            .sources = sources_};
  }
  const Bytes& content(std::size_t file) const { return contents_[file]; }

  /// Writes all files to a folder, plain.
  void write_to(const fs::path& folder) const {
    for (std::size_t file = 0; file < 3; ++file) write(folder / kNames[file], contents_[file]);
  }

 private:
  std::vector<Bytes> contents_ = {Bytes(5000, 1), {0, 0, 8, 1, 0, 0, 0, 0}, noise(3000)};
  std::vector<std::string> checksums_;
  std::vector<datasets::FileSpec> files_;
  std::vector<datasets::Source> sources_;
};

/// A fetch into its own data directory, and its reports.
struct Fetching {
  Folder data;
  std::vector<std::string> reports;

  fetch::FetchResult operator()(const SmallSet& set, std::optional<fs::path> from = {}) {
    return fetch::fetch(set.entry(),
                        {.data_directory = data.path(),
                         .from = std::move(from),
                         .report = [this](std::string_view line) { reports.emplace_back(line); }});
  }

  /// Returns the contents of the data directory.
  std::vector<std::string> there() const { return listing(data.path()); }
};

/// An environment variable, restored at the end.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Environment() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace afterspike::test_files
