#pragma once

#include <span>
#include <string>

namespace afterspike::cli {

/// Runs a command line without the program's name and returns the exit status. Every exception
/// becomes a message on standard error. REQUIRES: prepare_blas() or use_better_openblas_core().
int run_program(std::span<const std::string> words);

}  // namespace afterspike::cli
