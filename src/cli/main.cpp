#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

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
      "is not finite;\n70 a mistake of ours; 130 and 143 interrupted (SIGINT, SIGTERM) and "
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

int report(afterspike::ErrorKind kind, const char* message) {
  std::fprintf(stderr, "afterspike: %s\n", message);
  return afterspike::exit_status(kind);
}

}  // namespace

int main(int argc, char** argv) {
  // We share out the work ourselves; threads inside an operation would only wait for each other.
  at::set_num_threads(1);
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const afterspike::Error& error) {
    return report(error.kind(), error.what());
  } catch (const c10::Error& error) {
    return report(afterspike::ErrorKind::internal, error.what_without_backtrace());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(afterspike::ErrorKind::data, error.what());
  } catch (const std::bad_alloc&) {
    return report(afterspike::ErrorKind::internal, "out of memory");
  } catch (const std::exception& error) {
    return report(afterspike::ErrorKind::internal, error.what());
  }
}
