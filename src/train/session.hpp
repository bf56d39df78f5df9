#pragma once

#include <memory>
#include <optional>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/train/run.hpp"

namespace afterspike::train {

/// Returns all options of a run by path, as text.
io::Json configuration_of(RunOptions& options);

/// Objects of every rank of a run, built from the options of the run.
class Session {
 public:
  /// `run` is the run to continue; empty for a new one. Throws Error(config) if the data differ
  /// from those of rank 0.
  Session(RunOptions options, const RunEnvironment& environment,
          const std::filesystem::path& run = {});

  /// Rank 0 sends the starting state, and whether there is anything to train; the others receive
  /// it. Returns whether there is.
  bool share_state(bool trains);

  /// Plans the memory and applies the limit; reports the plan unless quiet.
  void prepare(const RunEnvironment& environment);

  RunOptions options;
  std::unique_ptr<tasks::Task> task;
  std::shared_ptr<nn::Network> network;
  ThreadPool pool;
  train::Ranks& ranks;
  Trainer trainer;
};

/// Rank 0 only. Restores a checkpoint: checks that it belongs to the run and its data, and takes
/// parameters and training state.
void restore(Session& session, const std::filesystem::path& checkpoint);

/// Rank 0 only. Draws initial values from the seed, or resamples them from a donor.
void initialize(Session& session);

/// Returns the configuration of checkpoints: all options, and what is needed to rebuild the network
/// without the data.
io::Json checkpoint_configuration(Session& session);

}  // namespace afterspike::train
