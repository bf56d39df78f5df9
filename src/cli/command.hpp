#pragma once

#include <span>
#include <string>
#include <string_view>

/// The commands of the program. A command parses options, builds, calls one library function, and
/// writes the product.
namespace afterspike::cli {

/// A command in the list of commands. `run` takes the arguments after the command's name and
/// returns the exit status; errors are thrown.
struct CommandEntry {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<const std::string> arguments);
};

/// Returns all commands; each has a file in this folder.
std::span<const CommandEntry> entries();

}  // namespace afterspike::cli
