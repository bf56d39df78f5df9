#pragma once

#include <ATen/Parallel.h>

#include "afterspike/base/blas.hpp"
#include "cli/program.hpp"
#include "support/program.hpp"

namespace afterspike::testing {

/// Sends standard output or error to a file for as long as the object lives.
class Redirection {
 public:
  Redirection(std::FILE* stream, const std::filesystem::path& path)
      : stream_(stream), before_(::dup(::fileno(stream))) {
    std::fflush(stream_);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (before_ < 0 || file < 0 || ::dup2(file, ::fileno(stream)) < 0) {
      throw std::runtime_error("a stream cannot be redirected");
    }
    ::close(file);
  }
  ~Redirection() {
    std::fflush(stream_);
    ::dup2(before_, ::fileno(stream_));
    ::close(before_);
  }
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;

 private:
  std::FILE* stream_;
  int before_;
};

/// Runs commands in the process of the test, which spares the second that LibTorch takes to load.
/// Tests of signals, streams and memory start processes instead.
class CommandTest : public ProgramTest {
 protected:
  static void SetUpTestSuite() {
    use_better_openblas_core();
    at::set_num_threads(1);
  }

  Outcome run(const Words& words) const override {
    Outcome outcome;
    {
      const Redirection out(stdout, directory_ / "stdout"), err(stderr, directory_ / "stderr");
      outcome.status = cli::run_program(words);
    }
    outcome.out = slurp(directory_ / "stdout");
    outcome.err = slurp(directory_ / "stderr");
    return outcome;
  }

  /// Runs the program as a process.
  Outcome start(const Words& words) const { return ProgramTest::run(words); }
};

}  // namespace afterspike::testing
