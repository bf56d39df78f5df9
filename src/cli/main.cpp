#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/io/json.hpp"
#include "command.hpp"

namespace {

void print_help() {
  fmt::print(
      "afterspike {}\nTrain, study and export networks of neurons with rich intrinsic "
      "dynamics.\n\nUsage: afterspike COMMAND [...]; afterspike COMMAND --help\n\n",
      AFTERSPIKE_VERSION);
  for (const auto& entry : afterspike::cli::entries()) {
    fmt::print("  {:10} {}\n", entry.name, entry.summary);
  }
  fmt::print(
      "\nExit status: 0 done; 2 usage; 3 configuration; 4 data; 5 checkpoint; 6 a value that "
      "is not finite;\n7 one of several processes is lost; 70 internal error, please report it; "
      "128 + signal: "
      "interrupted and saved\n(129 SIGHUP, 130 SIGINT, 138 SIGUSR1, 143 SIGTERM, 152 SIGXCPU).\n");
}

int run(const std::vector<std::string>& arguments) {
  using namespace afterspike;
  const std::string first = arguments.empty() ? "" : arguments[0];
  if (first == "help" && arguments.size() > 1) return run({arguments[1], "--help"});
  if (arguments.empty() || first == "--help" || first == "-h" || first == "help") {
    print_help();
    return arguments.empty() ? exit_status(ErrorKind::usage) : 0;
  }
  if (arguments[0] == "--version") {
    fmt::print("afterspike {}\n", AFTERSPIKE_VERSION);
    return 0;
  }
  const auto& command = find_entry<cli::CommandEntry>(cli::entries(), arguments[0], "command");
  return command.run(std::span(arguments).subspan(1));
}

int report(afterspike::ErrorKind kind, std::string_view message) {
  // A full disk or a closed terminal must not turn an error into another.
  std::fputs(fmt::format("afterspike: {}\n", afterspike::printable(message)).c_str(), stderr);
  return afterspike::exit_status(kind);
}

/// Keeps files that are opened later from becoming standard input, output or error.
void reserve_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // Opened for reading: printing fails, as it does without a stream.
    if (::fcntl(stream, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

int report_output(int reason) {
  return report(afterspike::ErrorKind::data,
                fmt::format("standard output cannot be written: {}",
                            std::error_code(reason, std::generic_category()).message()));
}

/// Returns the exit status after everything printed has reached its file.
int flushed(int status) {
  const bool failed = std::ferror(stdout) != 0;
  if (std::fflush(stdout) == 0 && !failed) return status;
  const int reason = failed && errno == 0 ? EIO : errno;
  const int own = report_output(reason);
  return status == 0 ? own : status;
}

int report_memory() {
  return report(afterspike::ErrorKind::config,
                "not enough memory; expected a smaller network.hidden or train.batch_size, shorter "
                "sequences, fewer --threads, or a machine with more");
}

/// LibTorch has no exception type for lack of memory.
bool is_out_of_memory(const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  const auto has = [text](std::string_view part) { return text.find(part) != text.npos; };
  return has("can't allocate memory") || has("not enough memory") ||
         has("Storage size calculation overflowed");
}

/// Returns "'a/b': cannot be looked up: Permission denied".
std::string sentence_of(const std::filesystem::filesystem_error& error) {
  constexpr std::string_view kBegin = "filesystem error: ";
  std::string action = error.what();
  if (action.starts_with(kBegin)) action.erase(0, kBegin.size());
  action.erase(std::min(action.find(':'), action.size()));
  if (!action.starts_with("cannot")) action = "cannot be looked up";
  return fmt::format("'{}': {}: {}", error.path1().string(), action, error.code().message());
}

}  // namespace

int main(int argc, char** argv) {
  reserve_standard_streams();
  afterspike::use_better_openblas_core();
  // Our threads divide the work; threads inside an operation would only wait for each other.
  at::set_num_threads(1);
  try {
    return flushed(run(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const afterspike::Error& error) {
    return report(error.kind(), error.what());
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) return report_memory();
    return report(afterspike::ErrorKind::internal, error.what_without_backtrace());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(afterspike::ErrorKind::data, sentence_of(error));
  } catch (const std::bad_alloc&) {
    return report_memory();
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0) return report_output(error.code().value());
    return report(afterspike::ErrorKind::internal, error.what());
  } catch (const afterspike::io::Json::type_error& error) {
    constexpr int kInvalidUtf8 = 316;
    if (error.id != kInvalidUtf8) return report(afterspike::ErrorKind::internal, error.what());
    return report(
        afterspike::ErrorKind::usage,
        "the name of a file or folder is not UTF-8, and records of runs are. Rename it, or"
        " work in another folder.");
  } catch (const std::exception& error) {
    return report(afterspike::ErrorKind::internal, error.what());
  }
}
