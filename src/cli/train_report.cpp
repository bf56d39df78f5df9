#include "train_report.hpp"

#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/base/text.hpp"
#include "environment.hpp"
#include "values.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// Returns "98.62 % (loss 0.0512)" or "loss 0.0194, auc 0.948".
std::string measures_text(const io::Json& split) {
  if (split.contains("accuracy")) {
    return fmt::format("{:.2f} % (loss {:.4f})", 100 * split["accuracy"].get<double>(),
                       split["loss"].get<double>());
  }
  std::string text = "loss " + value_text("loss", split["loss"]);
  for (const auto& [name, value] : split.items()) {
    if (name == "samples" || name == "loss") continue;
    text += fmt::format(", {} {}", name, value_text(name, value));
  }
  return text;
}

}  // namespace

std::string resume_command(const fs::path& run, const train::RunEnvironment& environment) {
  std::vector<std::string> words = {"afterspike", "train", "--resume", run.string()};
  if (environment.data_directory != usual_data_directory()) {
    words.insert(words.end(), {"--data-dir", environment.data_directory.string()});
  }
  return shell_command(words);
}

void report_run(const fs::path& run, const train::RunResult& result,
                const train::RunEnvironment& environment) {
  const io::Json& summary = result.summary;
  if (summary.is_null()) {
    log::info("stopped and saved; to go on: {}", resume_command(run, environment));
    return;
  }
  log::info("{}, {} parameters, seed {}, epoch {} selected:", summary["neuron"].get<std::string>(),
            summary["parameters"].get<int>(), summary["seed"].get<std::int64_t>(),
            summary["selected_epoch"].get<std::int64_t>());
  for (const char* split : {"train", "validation", "test"}) {
    if (!summary.contains(split)) continue;
    const bool same =
        std::string_view(split) == "test" && summary.contains("test_is_training_data");
    log::info("  {:10} {}{}", split, measures_text(summary[split]),
              same ? "; no test data: these are the training data" : "");
  }
  log::info("{:.0f} s, {:.0f} MiB; everything is in {}", summary["wall_s"].get<double>(),
            summary["peak_memory_mib"].get<double>(), run.string());
}

void report_several(const io::Json& summary) {
  const bool by_seed = !summary.contains("speakers");
  const char* split = summary.contains("test") ? "test" : "validation";
  const io::Json measures = summary.value(split, io::Json::object());
  for (const auto& [measure, over] : measures.items()) {
    const int count = over["n"];
    const std::string mean = value_text(measure, over["mean"]);
    if (count == 1) {
      log::info("{} {} of one {}: {}", split, measure, by_seed ? "seed" : "list of speakers", mean);
    } else {
      log::info("{} {} of {} {}: mean {}, sd {}", split, measure, count,
                by_seed ? "seeds" : "lists of speakers", mean, value_text(measure, over["sd"]));
    }
  }
}

}  // namespace afterspike::cli
