#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <ATen/Parallel.h>

#include "afterspike/base/blas.hpp"
#include "program.hpp"

namespace {

/// Keeps files that are opened later from becoming standard input, output or error.
void reserve_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // Opened for reading: printing fails, as it does without a stream.
    if (::fcntl(stream, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

}  // namespace

int main(int argc, char** argv) {
  reserve_standard_streams();
  afterspike::use_better_openblas_core();
  // Our threads divide the work; threads inside an operation would only wait for each other.
  at::set_num_threads(1);
  return afterspike::cli::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
