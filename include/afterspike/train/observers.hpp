#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/io/tensorboard.hpp"
#include "afterspike/train/trainer.hpp"

namespace afterspike::train {

/// Reports progress through the log: a line per epoch and, if standard error is a terminal, a
/// redrawn line in between with rate and remaining time; otherwise a line every half minute.
/// Short epochs are not all printed, and a line says so.
class ProgressPrinter final : public Observer {
 public:
  explicit ProgressPrinter(bool terminal) : terminal_(terminal) {}
  ~ProgressPrinter() override { clear_line(); }
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;
  void on_step(const Trainer& trainer) override;
  void on_epoch(const Trainer& trainer, const EpochReport& report) override;
  void on_end(const Trainer& trainer, End end) override;

 private:
  void clear_line();

  bool terminal_;
  bool drawn_ = false;
  std::int64_t skipped_ = 0;      ///< Epochs since the last line that were not printed.
  bool told_of_skipped_ = false;  ///< Whether a line has said so.
  bool told_of_star_ = false;     ///< Whether a line has explained "*".
  double last_s_ = 0;             ///< Time of the last line.
  double first_s_ = -1;           ///< End of this session's first step ...
  std::int64_t first_step_ = 0;   ///< ... and its number.
};

/// Appends each epoch to metrics.csv, metrics.jsonl and a TensorBoard event file. When a run is
/// resumed, removes rows after the checkpoint's step first, and warns of epochs up to
/// `epochs_before` that have no row. A value that only some epochs have is a column with empty
/// cells.
class MetricsFiles final : public Observer {
 public:
  MetricsFiles(std::filesystem::path directory, std::int64_t resumed_at_step, bool resumed,
               std::int64_t epochs_before = 0);
  void on_epoch(const Trainer& trainer, const EpochReport& report) override;

 private:
  std::filesystem::path directory_;
  std::vector<std::string> columns_;  ///< Written columns of metrics.csv.
  io::TensorBoardWriter tensorboard_;
};

/// Saves the training when an epoch is the best so far, at the end, and at steps or epochs in
/// between when `interval_s` has passed since the last save.
class Checkpointer final : public Observer {
 public:
  /// `configuration` goes into every checkpoint; `saved_step` is the step of the checkpoint from
  /// which the training resumes, -1 if there is none.
  Checkpointer(experiment::RunDirectory run, io::Json configuration, double interval_s,
               std::int64_t saved_step = -1);
  void on_step(const Trainer& trainer) override;
  void on_epoch(const Trainer& trainer, const EpochReport& report) override;
  void on_end(const Trainer& trainer, End end) override;

 private:
  void save(const Trainer& trainer, bool best);

  experiment::RunDirectory run_;
  io::Json configuration_;
  double interval_s_;
  double last_s_;
  std::int64_t saved_step_;
};

}  // namespace afterspike::train
