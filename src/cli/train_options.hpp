#pragma once

#include <span>
#include <string>

#include "afterspike/train/run.hpp"
#include "arguments.hpp"

/// The flags of `train`, and the options and environment of a run that they state.
namespace afterspike::cli {

/// Returns the flags of `train`, with the options of the chosen task and neuron below their help.
Arguments train_arguments();

/// Returns the options of a new run: defaults, then --config, then flags, then --set. Throws
/// Error(usage) or Error(config) that names the flag or the option.
train::RunOptions new_options(const Arguments& arguments);

/// Prints the options of a new run in TOML, or as JSON with --json.
void print_options(const Arguments& arguments);

/// Returns the settings that do not decide a result. `words` are recorded as the command of a new
/// run.
train::RunEnvironment environment_of(const Arguments& arguments, std::span<const std::string> words,
                                     train::Ranks& ranks);

/// Refuses flags that contradict --resume: a run continues as it was created.
void require_resume_flags(const Arguments& arguments);

}  // namespace afterspike::cli
