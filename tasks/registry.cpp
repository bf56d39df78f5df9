#include <vector>

#include "afterspike/tasks/task.hpp"

namespace afterspike::tasks {

#define AFTERSPIKE_REGISTER(name) TaskEntry entry_##name();
#include "tasks.inc"
#undef AFTERSPIKE_REGISTER

std::span<const TaskEntry> entries() {
  static const std::vector<TaskEntry> table = {
#define AFTERSPIKE_REGISTER(name) entry_##name(),
#include "tasks.inc"
#undef AFTERSPIKE_REGISTER
  };
  return table;
}

}  // namespace afterspike::tasks
