#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace afterspike::checkpoint {

/// The directory of a run and the checkpoints in it:
///
///   checkpoints/step-000000118/   the checkpoints
///   latest, best                  text files that name one of them, replaced by rename
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Where the checkpoint of a step belongs.
  std::filesystem::path checkpoint(std::int64_t step) const;

  /// The checkpoint that `latest` or `best` names; nothing where there is no such file. Throws
  /// Error(checkpoint) when it names one that is not there.
  std::optional<std::filesystem::path> latest() const;
  std::optional<std::filesystem::path> best() const;

  void set_latest(std::int64_t step) const;
  void set_best(std::int64_t step) const;

  /// Puts back what a crash left moved aside, while a checkpoint was being replaced by another of
  /// the same step. Call it before the first checkpoint is read or written; not while another
  /// process writes.
  void recover() const;

  /// Removes checkpoints that neither file names, and what interrupted writing left behind.
  void prune() const;

 private:
  std::optional<std::filesystem::path> named(const char* file) const;

  std::filesystem::path path_;
};

/// The checkpoint that `path` means: itself, or, of a run, the selected one (`best`, else
/// `latest`). Throws Error(checkpoint) when it is neither.
std::filesystem::path resolve(const std::filesystem::path& path);

}  // namespace afterspike::checkpoint
