#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace afterspike::experiment {

/// The directory of a run and its checkpoints:
///
///   checkpoints/step-000000118/   the checkpoints; step-000000118-2 if a step is saved again
///   latest, best                  text files that name one of them, replaced by rename
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Returns a free path for a checkpoint of a step. Existing checkpoints are never replaced,
  /// because `latest` may name them.
  std::filesystem::path place(std::int64_t step) const;

  /// Returns the checkpoint that `latest` or `best` names; nullopt if there is no such file. Throws
  /// Error(checkpoint) if the named checkpoint does not exist.
  std::optional<std::filesystem::path> latest() const;
  std::optional<std::filesystem::path> best() const;

  /// Returns all checkpoints, in the order of their steps. They are complete, because they get
  /// their names last.
  std::vector<std::filesystem::path> checkpoints() const;

  /// Makes the file name `checkpoint`, which is a place() of this directory.
  void set_latest(const std::filesystem::path& checkpoint) const;
  void set_best(const std::filesystem::path& checkpoint) const;

  /// Removes checkpoints that neither file names, and remains of interrupted writing; other names
  /// stay.
  void prune() const;

 private:
  std::optional<std::filesystem::path> named(const char* file) const;

  std::filesystem::path path_;
};

/// Returns the checkpoint that `path` means: itself, or the selected one of a run (`best`, else
/// `latest`), or the only checkpoint in a folder. Throws Error(checkpoint) if it is none of these.
std::filesystem::path resolve(const std::filesystem::path& path);

/// Returns the folder of the run that a checkpoint belongs to, or the folder that holds it.
std::filesystem::path run_of(const std::filesystem::path& checkpoint);

/// Returns the run to resume: `path` itself, or the run whose `latest` checkpoint is `path`. Throws
/// Error(checkpoint) for any other checkpoint, since the later training of its run would be lost,
/// and for one that is in no run.
std::filesystem::path resolve_run(const std::filesystem::path& path);

}  // namespace afterspike::experiment
