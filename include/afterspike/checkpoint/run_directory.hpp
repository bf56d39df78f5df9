#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace afterspike::checkpoint {

/// The directory of a run and the checkpoints in it:
///
///   checkpoints/step-000000118/   the checkpoints; step-000000118-2 where a step is saved again
///   latest, best                  text files that name one of them, replaced by rename
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// A free place for a checkpoint of a step. What is there is never replaced: `latest` may name
  /// it.
  std::filesystem::path place(std::int64_t step) const;

  /// The checkpoint that `latest` or `best` names; nothing where there is no such file. Throws
  /// Error(checkpoint) when it names one that is not there.
  std::optional<std::filesystem::path> latest() const;
  std::optional<std::filesystem::path> best() const;

  /// All checkpoints, in the order of their steps. They are complete: writing gives them their
  /// names last.
  std::vector<std::filesystem::path> checkpoints() const;

  /// Makes the file name `checkpoint`, which is a place() of this directory.
  void set_latest(const std::filesystem::path& checkpoint) const;
  void set_best(const std::filesystem::path& checkpoint) const;

  /// Removes checkpoints that neither file names, and what interrupted writing left behind; what
  /// has another name stays.
  void prune() const;

 private:
  std::optional<std::filesystem::path> named(const char* file) const;

  std::filesystem::path path_;
};

/// The checkpoint that `path` means: itself, or, of a run, the selected one (`best`, else
/// `latest`). Throws Error(checkpoint) when it is neither.
std::filesystem::path resolve(const std::filesystem::path& path);

/// The run that goes on where `path` is told to: itself, or that of a checkpoint which its `latest`
/// names. Throws Error(checkpoint) for any other checkpoint, since what its run trained later would
/// be lost, and for one that is in no run.
std::filesystem::path resolve_run(const std::filesystem::path& path);

}  // namespace afterspike::checkpoint
