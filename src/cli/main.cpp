#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
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
      "is not finite;\n7 one of several processes is lost; 70 a mistake of ours; 130 and 143 "
      "interrupted (SIGINT, SIGTERM) and "
      "saved.\n");
}

int run(const std::vector<std::string>& arguments) {
  using namespace afterspike;
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "help") {
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
  fmt::print(stderr, "afterspike: {}\n", message);
  return afterspike::exit_status(kind);
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
  afterspike::use_better_openblas_core();
  // Our threads divide the work; threads inside an operation would only wait for each other.
  at::set_num_threads(1);
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const afterspike::Error& error) {
    return report(error.kind(), error.what());
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) return report_memory();
    return report(afterspike::ErrorKind::internal, error.what_without_backtrace());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(afterspike::ErrorKind::data, sentence_of(error));
  } catch (const std::bad_alloc&) {
    return report_memory();
  } catch (const std::exception& error) {
    return report(afterspike::ErrorKind::internal, error.what());
  }
}
