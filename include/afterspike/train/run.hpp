#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/train/options.hpp"
#include "afterspike/train/ranks.hpp"
#include "afterspike/train/trainer.hpp"

namespace afterspike::train {

/// Options that decide a run: experiment, training, seed, and a donor of initial values.
struct RunOptions {
  std::unique_ptr<experiment::Experiment> experiment;
  TrainOptions train;
  std::int64_t seed = 0;  ///< The library has no default; the program's is 1.
  std::string inherit;    ///< Run from which initial values are resampled; empty: none.

  /// Describes all of it as options: "seed", "inherit", and the sections task, neuron, network,
  /// train.
  void describe(options::Description& description);
};

/// Settings that do not decide the result.
struct RunEnvironment {
  std::filesystem::path data_directory;
  int threads = 1;
  at::Device device = at::kCPU;           ///< Device of the network; other devices have no kernels.
  train::Ranks* ranks = &train::alone();  ///< Processes that train together; must
                                          ///< outlive the training.
  Limits limits;
  std::size_t memory_limit = 0;  ///< Bytes of the whole process; 0: no limit.
  double checkpoint_interval_s = 60;
  bool quiet = false;                ///< Print no progress.
  bool terminal = false;             ///< Progress may redraw its line.
  std::string command;               ///< Command line, for the record.
  std::vector<Observer*> observers;  ///< Follow the training, after those of the run.
};

/// State of a run after a session.
struct RunResult {
  End end = End::finished;
  io::Json summary;  ///< Content of summary.json; null unless the training has ended.
};

/// Several runs of one experiment in one directory, by seeds or by speakers held out for
/// validation.
struct Several {
  std::vector<std::int64_t> seeds;
  std::vector<std::vector<std::int64_t>> speakers;

  bool any() const { return !seeds.empty() || !speakers.empty(); }
};

/// Creates the directory of a run, with config.toml and run.json; it appears completely or not at
/// all. With `several` it is the directory of these runs: seeds.json or speakers.json names them.
/// Throws Error(usage) if the directory exists already.
void create_run(const std::filesystem::path& directory, RunOptions& options,
                const RunEnvironment& environment, const Several& several = {});

/// Returns the options that a run was created with. Throws Error(checkpoint).
RunOptions load_run_options(const std::filesystem::path& directory);

/// How the learning rate continues when epochs are added to a schedule that has ended.
enum class Continuation {
  stretch,  ///< The schedule spans all epochs, which moves the present one within it.
  restart,  ///< The schedule begins anew and spans the added epochs.
  hold,     ///< The last learning rate of the schedule.
};

/// Replaces the number of epochs in the recorded options. Throws Error(config) if it contradicts
/// the other options.
void record_epochs(const std::filesystem::path& directory, std::int64_t epochs,
                   Continuation continuation = Continuation::stretch);

/// Trains a run from its latest checkpoint, or from the start if there is none. When the training
/// ends, evaluates the selected network on all splits (the test split exactly once) and writes
/// summary.json. `epochs` > 0 replaces the run's number of epochs, for later sessions too. Returns
/// the summary of a run that has ended already. Of several ranks, only rank 0 calls this, and reads
/// and writes the directory; the others are in follow_runs().
RunResult continue_run(const std::filesystem::path& directory, const RunEnvironment& environment,
                       std::int64_t epochs = 0, Continuation continuation = Continuation::stretch);

/// Runs a rank other than 0: takes part in every continue_run() of rank 0, until it calls
/// end_runs(). Returns how the last run ended. Needs the data, but no directory of a run.
End follow_runs(const RunEnvironment& environment);
void end_runs(train::Ranks& ranks);

}  // namespace afterspike::train
