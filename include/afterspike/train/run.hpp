#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "afterspike/distributed/ranks.hpp"
#include "afterspike/experiment/experiment.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/train/options.hpp"
#include "afterspike/train/trainer.hpp"

namespace afterspike::train {

/// What decides a run: an experiment, how it is trained, the seed, and a donor of initial values.
struct RunOptions {
  std::unique_ptr<experiment::Experiment> experiment;
  TrainOptions train;
  std::int64_t seed = 0;  ///< The library has no default; the program's is 1.
  std::string inherit;    ///< A run from which initial values are resampled; empty: none.

  /// All of it as options: "seed", "inherit", and the sections task, neuron, network, train.
  void describe(options::Description& description);
};

/// What does not decide the result.
struct RunEnvironment {
  std::filesystem::path data_directory;
  int threads = 1;
  at::Device device = at::kCPU;  ///< Where the network is; elsewhere without kernels.
  distributed::Ranks* ranks = &distributed::alone();  ///< Who trains; must outlive the training.
  Limits limits;
  std::size_t memory_limit = 0;  ///< Bytes, of the whole process; 0: none.
  double checkpoint_interval_s = 60;
  bool quiet = false;     ///< No progress.
  bool terminal = false;  ///< Progress may redraw its line.
  std::string command;    ///< For the record.
};

/// How a run stands after a session.
struct RunResult {
  End end = End::finished;
  io::Json summary;  ///< Content of summary.json; null unless the training has ended.
};

/// Creates the directory of a run, with config.toml and run.json; it appears complete or not at
/// all. With `seeds` it is the directory of the runs of those, and seeds.json names them. Throws
/// Error(usage) when there is something of that name already.
void create_run(const std::filesystem::path& directory, RunOptions& options,
                const RunEnvironment& environment, const std::vector<std::int64_t>& seeds = {});

/// The options that a run was created with. Throws Error(checkpoint).
RunOptions load_run_options(const std::filesystem::path& directory);

/// Replaces the number of epochs in what load_run_options() gives. Throws Error(config) when it
/// does not go with the other options.
void record_epochs(const std::filesystem::path& directory, std::int64_t epochs);

/// Trains a run from its latest checkpoint, or from the beginning where there is none; when the
/// training ends, evaluates the selected network on all splits, the test split once, and writes
/// summary.json. `epochs` > 0 replaces the number of epochs that the run was created with, for
/// later sessions too. A run that has ended already gives its summary. Of several ranks, rank 0
/// calls this, and it alone reads and writes the directory; the others are in follow_runs().
RunResult continue_run(const std::filesystem::path& directory, const RunEnvironment& environment,
                       std::int64_t epochs = 0);

/// What ranks other than 0 do: takes part in every continue_run() of rank 0, until it calls
/// end_runs(). Gives how the last run ended. Needs the data, but no directory of a run.
End follow_runs(const RunEnvironment& environment);
void end_runs(distributed::Ranks& ranks);

/// Number, mean and sample standard deviation of the measures in the summaries of several seeds,
/// and all values by seed: null where a seed does not have that measure.
io::Json summarise_seeds(const std::vector<io::Json>& summaries);

}  // namespace afterspike::train
