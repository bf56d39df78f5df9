#pragma once

#include <span>
#include <string>
#include <string_view>

/// The commands of the program. A command's body is four acts: parse options, build, call one
/// library function, write the product.
namespace afterspike::cli {

/// A command as it is listed. `run` takes the arguments after the command's name and gives the exit
/// status; errors are thrown.
struct CommandEntry {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<const std::string> arguments);
};

/// All commands, one file of this folder each.
std::span<const CommandEntry> entries();

}  // namespace afterspike::cli
