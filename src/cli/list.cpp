#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/kernels/instructions.hpp"
#include "afterspike/nn/neuron_layer.hpp"
#include "afterspike/spiking/model.hpp"
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

/// Lists instruction sets; the first is used unless another is forced.
io::Json kernel_table() {
  io::Json rows = table(kernels::instruction_sets());
  for (io::Json& row : rows) row["runs"] = row == rows.front();
  return rows;
}

struct Kind {
  std::string_view name;
  io::Json (*rows)();
};

constexpr Kind kKinds[] = {
    {"neurons", [] { return table(nn::entries()); }},
    {"models", [] { return table(spiking::models()); }},
    {"tasks", [] { return table(tasks::entries()); }},
    {"datasets", [] { return table(datasets::entries()); }},
    {"exporters", [] { return table(formats::entries()); }},
    {"kernels", kernel_table},
};

int run_list(std::span<const std::string> words) {
  Arguments arguments("list", "Lists names with their summaries, one per line.",
                      "neurons | models | tasks | datasets | exporters | kernels [--json]");
  arguments.example("afterspike list neurons")
      .positional({"neurons|models|tasks|datasets|exporters|kernels"})
      .flag("json", "Print one JSON object.");
  if (!arguments.parse(words)) return 0;
  const Kind& kind = find_entry<Kind>(kKinds, arguments.words()[0], "list");
  const io::Json rows = kind.rows();
  if (arguments.has("json")) {
    fmt::print("{}\n", io::Json{{kind.name, rows}}.dump());
    return 0;
  }
  for (const io::Json& row : rows) {
    fmt::print("{:24} {}{}\n", row["name"].get<std::string>(), row["summary"].get<std::string>(),
               row.value("runs", false) ? "; runs here" : "");
  }
  return 0;
}

}  // namespace

CommandEntry entry_list() {
  return {"list", "list neurons, spiking models, tasks, data sets, exporters or kernels", run_list};
}

}  // namespace afterspike::cli
