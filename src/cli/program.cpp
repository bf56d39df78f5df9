#include "program.hpp"

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

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/io/json.hpp"
#include "command.hpp"

namespace afterspike::cli {
namespace {

void print_help() {
  fmt::print(
      "afterspike {}\nTrain, study, export and simulate networks of neurons with rich intrinsic "
      "dynamics.\n\nUsage:\n  afterspike COMMAND [...]\n  afterspike COMMAND --help\n\n"
      "Commands:\n",
      AFTERSPIKE_VERSION);
  for (const auto& entry : entries()) {
    fmt::print("  {:10} {}\n", entry.name, entry.summary);
  }
  fmt::print(
      "\nExample:\n"
      "  afterspike train --task line_mnist --neuron glifr --epochs 10 --out runs/a\n"
      "\nExit status: 0 done; 2 usage; 3 configuration; 4 data; 5 checkpoint; 6 a value that "
      "is not finite;\n7 one of several processes is lost; 70 internal error, please report it; "
      "128 + signal: "
      "interrupted and saved\n(129 SIGHUP, 130 SIGINT, 138 SIGUSR1, 143 SIGTERM, 152 SIGXCPU).\n");
}

int dispatch(std::span<const std::string> arguments) {
  const std::string first = arguments.empty() ? "" : arguments[0];
  if (first == "help" && arguments.size() > 1) {
    return dispatch(std::vector<std::string>{arguments[1], "--help"});
  }
  if (arguments.empty() || first == "--help" || first == "-h" || first == "help") {
    print_help();
    return arguments.empty() ? exit_status(ErrorKind::usage) : 0;
  }
  if (arguments[0] == "--version") {
    fmt::print("afterspike {}\n", AFTERSPIKE_VERSION);
    return 0;
  }
  const auto& command = find_entry<CommandEntry>(entries(), arguments[0], "command");
  return command.run(arguments.subspan(1));
}

/// Cuts the middle out of a long message, such as one that quotes a whole file.
std::string shortened(std::string message) {
  constexpr std::size_t kBegin = 1500, kEnd = 500;
  const auto continues = [&](std::size_t place) {
    return (static_cast<unsigned char>(message[place]) & 0xc0) == 0x80;
  };
  if (message.size() <= kBegin + kEnd) return message;
  std::size_t begin = kBegin, end = message.size() - kEnd;
  while (continues(begin)) --begin;  // Does not cut a letter of UTF-8.
  while (continues(end)) ++end;
  return message.substr(0, begin) + " ... " + message.substr(end);
}

int report_error(ErrorKind kind, std::string_view message) {
  // A full disk or a closed terminal must not turn an error into another.
  std::fputs(fmt::format("afterspike: {}\n", shortened(printable(message))).c_str(), stderr);
  return exit_status(kind);
}

int report_output(int reason) {
  return report_error(ErrorKind::data,
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
  return report_error(
      ErrorKind::config,
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

int run_program(std::span<const std::string> words) {
  try {
    return flushed(dispatch(words));
  } catch (const Error& error) {
    return report_error(error.kind(), error.what());
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) return report_memory();
    return report_error(ErrorKind::internal, error.what_without_backtrace());
  } catch (const std::filesystem::filesystem_error& error) {
    return report_error(ErrorKind::data, sentence_of(error));
  } catch (const std::bad_alloc&) {
    return report_memory();
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0) return report_output(error.code().value());
    return report_error(ErrorKind::internal, error.what());
  } catch (const io::Json::type_error& error) {
    constexpr int kInvalidUtf8 = 316;
    if (error.id != kInvalidUtf8) return report_error(ErrorKind::internal, error.what());
    return report_error(
        ErrorKind::usage,
        "the name of a file or folder is not UTF-8, and records of runs are. Rename it, or"
        " work in another folder.");
  } catch (const std::exception& error) {
    return report_error(ErrorKind::internal, error.what());
  }
}

}  // namespace afterspike::cli
