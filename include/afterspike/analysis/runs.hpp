#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/experiment/experiment.hpp"

/// What was learned, asked of finished runs: nothing is needed but their checkpoints. Everything
/// here computes the same, to the bit, for any number of threads.
namespace afterspike::analysis {

/// Runs that a user named with one word.
struct RunGroup {
  std::string name;                          ///< As it was given.
  std::vector<std::filesystem::path> paths;  ///< Itself, or, of runs of several seeds, each.
};

/// A run or checkpoint as it is; of a directory of several seeds, the run of each. Throws
/// Error(checkpoint) where such a directory is damaged.
RunGroup find_runs(const std::string& path);

/// Loads a run for analysis. Throws as experiment::load(), and Error(numeric) naming the first
/// parameter with a value that is not finite.
experiment::Trained load_run(const std::filesystem::path& path);

/// A network with the data that it is evaluated on.
struct Subject {
  std::string name;
  std::shared_ptr<experiment::Trained> trained;
  std::shared_ptr<const tasks::Task> task;
  std::shared_ptr<const data::Dataset> data;

  const nn::Network& network() const { return *trained->network; }
};

/// The first `limit` samples (0: all) of a split of the run's task. Throws Error(config) when the
/// task has no such split, Error(data) when its data do not fit the network.
Subject load_subject(const std::filesystem::path& path, const tasks::TaskContext& context,
                     tasks::Split split, std::int64_t limit);

/// The same on its first `limit` samples (0: all).
Subject limited(Subject subject, std::int64_t limit);

/// A run with its data; or without task and data, and why.
struct Partial {
  Subject subject;
  std::string missing;  ///< Empty: the data are there.
};

/// load_subject() of a whole split, or what there is of it. Throws as load_run().
Partial load_available(const std::filesystem::path& path, const tasks::TaskContext& context,
                       tasks::Split split);

/// Why these are not to be compared: the two that have different tasks, or of which one only
/// classifies. Nothing where all have one task. REQUIRES: all have theirs.
std::optional<std::string> difference_of_tasks(const std::vector<Subject>& subjects);

}  // namespace afterspike::analysis
