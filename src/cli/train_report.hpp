#pragma once

#include <filesystem>
#include <string>

#include "afterspike/train/run.hpp"

/// Messages about trained runs, through the log.
namespace afterspike::cli {

/// Returns the command that continues a run from the current directory.
std::string resume_command(const std::filesystem::path& run,
                           const train::RunEnvironment& environment);

/// Reports the results of a run, or how to continue it if it was stopped.
void report_run(const std::filesystem::path& run, const train::RunResult& result,
                const train::RunEnvironment& environment);

/// Reports mean and standard deviation over several runs: of the test split, or of validation if
/// speakers were rotated. `summary` is that of train::train_several().
void report_several(const io::Json& summary);

}  // namespace afterspike::cli
