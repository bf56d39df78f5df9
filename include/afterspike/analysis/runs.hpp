#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/experiment/experiment.hpp"

/// Analyses of finished runs; they need only the checkpoints. All results are the same, to the bit,
/// for any number of threads.
namespace afterspike::analysis {

/// Runs that a user named with one word.
struct RunGroup {
  std::string name;                          ///< The word as given.
  std::vector<std::filesystem::path> paths;  ///< The run itself, or the run of each seed.
};

/// Returns a run or checkpoint as it is; for a directory of several seeds, the run of each. Throws
/// Error(checkpoint) if such a directory is damaged.
RunGroup find_runs(const std::string& path);

/// Loads a run for analysis. Throws as experiment::load(), and Error(numeric) naming the first
/// parameter with a value that is not finite.
experiment::Trained load_run(const std::filesystem::path& path);

/// A network with its evaluation data.
struct Subject {
  std::string name;
  std::shared_ptr<experiment::Trained> trained;
  std::shared_ptr<const tasks::Task> task;
  std::shared_ptr<const tasks::Dataset> data;

  const nn::Network& network() const { return *trained->network; }
};

/// Loads the first `limit` samples (0: all) of a split of the run's task. Throws Error(config) if
/// the task has no such split, Error(data) if its data do not fit the network.
Subject load_subject(const std::filesystem::path& path, const tasks::TaskContext& context,
                     tasks::Split split, std::int64_t limit);

/// Calls visit(emissions) for each hidden layer from the first, with its emissions [steps, batch,
/// neurons] on a batch, computed as the run is evaluated.
void for_each_hidden_layer(const Subject& subject, const tasks::Batch& batch,
                           const std::function<void(const at::Tensor&)>& visit);

/// Limits a subject to its first `limit` samples (0: all).
Subject limited(Subject subject, std::int64_t limit);

/// A run with its data; or without task and data, and the reason.
struct Partial {
  Subject subject;
  std::string missing;  ///< Reason why the data are missing; empty if they are present.
};

/// Loads a run with a whole split, or without data if they are unavailable. Throws as load_run().
Partial load_available(const std::filesystem::path& path, const tasks::TaskContext& context,
                       tasks::Split split);

/// Returns why these subjects cannot be compared: two have different tasks, or only one classifies.
/// nullopt if all have one task. REQUIRES: all have theirs.
std::optional<std::string> difference_of_tasks(const std::vector<Subject>& subjects);

}  // namespace afterspike::analysis
