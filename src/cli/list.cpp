#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/nn/neuron_layer.hpp"
#include "afterspike/tasks/task.hpp"
#include "command.hpp"
#include "environment.hpp"

namespace afterspike::cli {
namespace {

template <typename Entry>
io::Json table(std::span<const Entry> entries) {
  io::Json rows = io::Json::array();
  for (const Entry& entry : entries)
    rows.push_back({{"name", entry.name}, {"summary", entry.summary}});
  return rows;
}

struct Kind {
  std::string_view name;
  io::Json (*rows)();
};

constexpr Kind kKinds[] = {
    {"neurons", [] { return table(nn::entries()); }},
    {"tasks", [] { return table(tasks::entries()); }},
    {"datasets", [] { return table(datasets::entries()); }},
};

int run(std::span<const std::string> words) {
  Arguments arguments("list", "Lists what there is: a name a line with its summary.",
                      "neurons | tasks | datasets [--json]");
  arguments.positional({"neurons|tasks|datasets"}).flag("json", "Print JSON.");
  if (!arguments.parse(words)) return 0;
  const Kind& kind = find_entry<Kind>(kKinds, arguments.words()[0], "list");
  const io::Json rows = kind.rows();
  if (arguments.has("json")) {
    fmt::print("{}\n", rows.dump());
    return 0;
  }
  for (const io::Json& row : rows) {
    fmt::print("{:17} {}\n", row["name"].get<std::string>(), row["summary"].get<std::string>());
  }
  return 0;
}

}  // namespace

CommandEntry entry_list() {
  return {"list", "list neurons, tasks or data sets", run};
}

}  // namespace afterspike::cli
