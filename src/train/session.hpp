#pragma once

#include <memory>
#include <optional>

#include "afterspike/checkpoint/run_directory.hpp"
#include "afterspike/experiment/experiment.hpp"
#include "afterspike/train/run.hpp"

namespace afterspike::train {

/// All options of a run by path, as text.
io::Json configuration_of(RunOptions& options);

/// What every rank of a run has, built from the options of the run.
class Session {
 public:
  /// Throws Error(config) when the data are not those of rank 0.
  Session(RunOptions options, const RunEnvironment& environment);

  /// Rank 0 gives where the training begins, and whether it is trained at all; the others take it.
  /// False where there is nothing to train.
  bool share_state(bool trains);

  /// Plans the memory and keeps to its limit; reports the plan unless it is to be quiet.
  void prepare(const RunEnvironment& environment);

  RunOptions options;
  std::unique_ptr<tasks::Task> task;
  std::shared_ptr<nn::Network> network;
  ThreadPool pool;
  distributed::Ranks& ranks;
  Trainer trainer;
};

/// Of rank 0. Goes on from a checkpoint: checks that it belongs to the run and its data, and takes
/// parameters and training state.
void restore(Session& session, const std::filesystem::path& checkpoint);

/// Of rank 0. Initial values: drawn from the seed, or resampled from a donor.
void initialize(Session& session);

/// The configuration that checkpoints carry: all options, and what is needed to rebuild the network
/// without the data.
io::Json checkpoint_configuration(Session& session);

}  // namespace afterspike::train
