#include "afterspike/train/resume.hpp"

#include <system_error>

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

/// Returns whether the schedule ended before the epochs of the run did.
bool schedule_has_ended(const TrainOptions& options) {
  return options.schedule_epochs > 0 &&
         options.schedule_start + options.schedule_epochs <= options.epochs;
}

}  // namespace

bool has_summary(const fs::path& run) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run, ignored)) {
    if (entry.path().filename() == "summary.json" || fs::exists(entry.path() / "summary.json")) {
      return true;
    }
  }
  return false;
}

Continuation choose_continuation(const fs::path& run, std::int64_t epochs, std::string_view asked) {
  const TrainOptions options = load_run_options(run).train;
  if (asked == "restart") return Continuation::restart;
  if (asked == "hold") return Continuation::hold;
  require(asked.empty(), ErrorKind::usage, "--schedule: found '{}', expected restart or hold",
          asked);
  const bool ambiguous = options.schedule == Schedule::one_cycle && epochs > options.epochs &&
                         !schedule_has_ended(options) && has_summary(run);
  require(
      !ambiguous, ErrorKind::usage,
      "--epochs: the one_cycle schedule of '{}' has ended after {} epochs. Add --schedule restart"
      " for a new cycle over the next {}, or --schedule hold to keep the last learning rate.",
      run.string(), options.epochs, epochs - options.epochs);
  return Continuation::stretch;
}

bool has_begun(const fs::path& run) {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(run, ignored)) {
    if (entry.path().filename() == "metrics.jsonl" || entry.path().filename() == "checkpoints") {
      return true;
    }
  }
  return false;
}

void remove_unless_begun(const fs::path& run) {
  std::error_code ignored;
  if (!has_begun(run)) fs::remove_all(run, ignored);
}

}  // namespace afterspike::train
