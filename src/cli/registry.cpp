#include <vector>

#include "command.hpp"

namespace afterspike::cli {

#define AFTERSPIKE_REGISTER(name) CommandEntry entry_##name();
#include "commands.inc"
#undef AFTERSPIKE_REGISTER

std::span<const CommandEntry> entries() {
  static const std::vector<CommandEntry> table = {
#define AFTERSPIKE_REGISTER(name) entry_##name(),
#include "commands.inc"
#undef AFTERSPIKE_REGISTER
  };
  return table;
}

}  // namespace afterspike::cli
