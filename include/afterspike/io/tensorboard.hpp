#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace afterspike::io {

/// Writes scalars as a TensorBoard event file (records of protobuf "Event"s, written by hand;
/// docs/checkpoint-format.md has the format). After every call TensorBoard can read the file.
class TensorBoardWriter {
 public:
  /// Creates "events.out.tfevents.<wall time>.<host>.<n>" in `directory`, never over an existing
  /// file. `resumed_at` >= 0 tells TensorBoard to discard the contents of earlier files from that
  /// step on.
  explicit TensorBoardWriter(const std::filesystem::path& directory, std::int64_t resumed_at = -1);

  /// Adds named scalars at `step` and flushes. Values that are not finite are written as they are.
  void add(std::int64_t step, std::span<const std::pair<std::string, double>> scalars);

  const std::filesystem::path& path() const { return path_; }

 private:
  void record(const std::string& event);

  std::filesystem::path path_;
};

}  // namespace afterspike::io
