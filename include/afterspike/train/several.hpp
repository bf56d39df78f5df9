#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/train/run.hpp"

/// Several runs of one experiment in one directory, by seeds or by speakers held out for
/// validation. Each run has a subdirectory: seed-1, seed-2; speakers-3-9, speakers-0.
namespace afterspike::train {

/// Returns `count` seeds from `first` on. Throws Error(usage) if they exceed 64 bits.
std::vector<std::int64_t> consecutive_seeds(std::int64_t first, std::int64_t count);

/// Parses lists of speakers, "3,9; 0,7". Throws Error(usage).
std::vector<std::vector<std::int64_t>> parse_speakers(std::string_view text);

/// Selects these speakers for validation and omits the test split. Throws Error(usage) if the task
/// has no option for speakers, Error(config) for an invalid list.
void hold_out(RunOptions& options, const std::vector<std::int64_t>& speakers);

/// Returns the subdirectory of each run, in their order.
std::vector<std::string> names_of(const Several& several);

/// Returns the runs that seeds.json or speakers.json of a directory names; nullopt if it has
/// neither. Throws Error(checkpoint) for a damaged file.
std::optional<Several> load_several(const std::filesystem::path& directory);

/// Called after each run with its directory and result.
using RunReport = std::function<void(const std::filesystem::path& run, const RunResult& result)>;

/// Trains or resumes the runs in `directory` one after the other. The time limit is for all of
/// them. `epochs` > 0 replaces their number of epochs once the first run has accepted it.
///
/// Returns the result of a run that was stopped; else the summary of all runs (summarise_runs()),
/// which it also writes to summary.json. Throws as continue_run().
RunResult train_several(const std::filesystem::path& directory, const RunEnvironment& environment,
                        const Several& several, const RunReport& report, std::int64_t epochs = 0,
                        Continuation continuation = Continuation::stretch);

/// Returns number, mean and sample standard deviation of each measure in the summaries of several
/// runs, and all values in their order: null if a run does not have that measure.
io::Json summarise_runs(const std::vector<io::Json>& summaries);

}  // namespace afterspike::train
