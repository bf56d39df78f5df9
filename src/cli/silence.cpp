#include <utility>

#include <fmt/format.h>

#include "afterspike/analysis/selection.hpp"
#include "afterspike/analysis/silencing_files.hpp"
#include "afterspike/base/log.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "progress.hpp"
#include "silencing_text.hpp"

namespace afterspike::cli {
namespace {

using analysis::Perturbation;

constexpr std::int64_t kMaxTrials = 1000000;

/// Flags of perturbations; the first is the default.
constexpr std::pair<const char*, Perturbation> kPerturbations[] = {
    {"fractions", Perturbation::silence},
    {"weight-noise", Perturbation::weight_noise},
    {"jitter", Perturbation::jitter},
    {"deletion", Perturbation::deletion}};

Arguments silence_arguments() {
  Arguments arguments(
      "silence",
      "Evaluates trained networks with neurons silenced, or with other damage, without "
      "retraining.\n"
      "Several runs are compared; a directory of several seeds is a group of runs.",
      "RUN... --out DIR [--fractions 0,0.2,0.4,0.6,0.8,1] [--trials 10] [--seed 1]");
  arguments.example("afterspike silence runs/a runs/b --fractions 0,0.2,0.5 --out runs/silencing")
      .any_number("RUN", 1)
      .value("out", "DIR", "Directory of the study; an interrupted study continues.")
      .group("Damage")
      .value("fractions", "LIST", "Fractions of the hidden neurons to silence.",
             "0,0.2,0.4,0.6,0.8,1")
      .value("by", "WHICH",
             "Selection: random; by rank of rate or of a parameter such as threshold_mV; or a file "
             "of "
             "clusters (columns layer, neuron, cluster): each cluster alone, with a control.",
             "random")
      .value("order", "ORDER", "Order of ranks: highest or lowest first.", "highest")
      .value("weight-noise", "LIST",
             "Other damage: normal noise on all weights, in standard deviations of their matrix.")
      .value("jitter", "LIST", "Other damage: input events moved in time, sd in steps.")
      .value("deletion", "LIST", "Other damage: input events deleted with this probability.")
      .group("Measurement")
      .value("trials", "N", "Random draws at each level.", "10")
      .value("seed", "N", "Seed of the draws.", "1")
      .value("split", "SPLIT", "train, validation or test.", "test")
      .value("limit", "N", "Use only the first N samples.")
      .group("Output")
      .flag("quiet", "Prints no progress.")
      .flag("json", "Prints the summary as one JSON object.");
  add_data_directory(add_threads(arguments));
  return arguments;
}

/// Reads the requested perturbation and its levels.
void read_perturbation(const Arguments& arguments, analysis::Protocol& protocol) {
  const char* chosen = nullptr;
  for (const auto& [flag, perturbation] : kPerturbations) {
    if (!arguments.has(flag)) continue;
    require(chosen == nullptr, ErrorKind::usage,
            "silence: --{} and --{} were given, expected one of them", chosen ? chosen : "", flag);
    chosen = flag;
    protocol.perturbation = perturbation;
  }
  protocol.levels = arguments.numbers(chosen ? chosen : "fractions");
  for (double& level : protocol.levels) {
    analysis::require_level(protocol.perturbation, level);
    level += 0.0;  // -0 becomes 0.
  }
  require(protocol.perturbation == Perturbation::silence || arguments.text("by") == "random",
          ErrorKind::usage, "--by: neurons are selected with --fractions only, found --{}",
          chosen ? chosen : "");
}

bool highest_first(const Arguments& arguments) {
  const std::string order = arguments.text("order");
  require(order == "highest" || order == "lowest", ErrorKind::usage,
          "--order: found '{}', expected highest or lowest", order);
  return order == "highest";
}

void load_subjects(const Arguments& arguments, analysis::Study& study) {
  study.split = tasks::parse_split(arguments.text("split"));
  const std::int64_t limit = arguments.has("limit") ? arguments.integer("limit", 1) : 0;
  for (const std::string& word : arguments.words()) {
    study.names.groups.push_back(analysis::find_runs(word));
    for (const auto& path : study.names.groups.back().paths) {
      study.subjects.push_back(
          analysis::load_subject(path, {data_directory(arguments)}, study.split, limit));
    }
  }
  study.names.classifies = study.subjects.front().task->classifies();
  const auto difference = analysis::difference_of_tasks(study.subjects);
  require(!difference, ErrorKind::usage, "silence: {}", difference.value_or(""));
}

analysis::Study make_study(const Arguments& arguments, ThreadPool& pool) {
  analysis::Study study;
  read_perturbation(arguments, study.protocol);
  const bool highest = highest_first(arguments);
  study.protocol.trials = arguments.integer("trials", 1, kMaxTrials);
  // Larger seeds could not be distinguished in the table's column.
  constexpr std::int64_t kLargestSeed = std::int64_t{1} << 53;
  study.protocol.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0, kLargestSeed));
  load_subjects(arguments, study);
  study.by = arguments.text("by");
  study.protocol.selection = analysis::select_neurons(study.by, highest, study.subjects, pool);
  const auto kind = study.protocol.selection.kind;
  study.names.perturbation = study.protocol.perturbation;
  study.names.seed = study.protocol.seed;
  study.names.by_cluster = kind == analysis::Selection::Kind::clusters;
  if (study.names.by_cluster) study.by_file = std::exchange(study.by, "clusters");
  require(kind == analysis::Selection::Kind::ranked || !arguments.has("order"), ErrorKind::usage,
          "--order: neurons have an order only by rank; expected --by rate or a parameter");
  if (kind == analysis::Selection::Kind::ranked && study.protocol.trials > 1) {
    if (arguments.has("trials")) log::info("ranks are fixed: --trials has no effect");
    study.protocol.trials = 1;
  }
  return study;
}

int run_silence(std::span<const std::string> words) {
  Arguments arguments = silence_arguments();
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage, "silence: expected --out DIR");
  ThreadPool pool(threads(arguments));
  const analysis::Study study = make_study(arguments, pool);
  catch_interruptions();
  std::optional<analysis::SilencingSummary> summary;
  {
    Progress progress("evaluations", arguments.has("quiet"));
    summary = analysis::run_study(study, arguments.text("out"), pool,
                                  [&](std::size_t done, std::size_t total) {
                                    progress.update(done, total);
                                    return interruption() == 0;
                                  });
  }
  if (!summary) {
    log::info("stopped and saved; the same command goes on");
    return 128 + interruption();
  }
  if (arguments.has("json")) {
    fmt::print("{}\n", analysis::to_json(*summary).dump());
  } else {
    print_summary(*summary, study.names.classifies ? "accuracy" : "loss");
  }
  log::info("everything is in {}", arguments.text("out"));
  return 0;
}

}  // namespace

CommandEntry entry_silence() {
  return {"silence", "evaluate networks with neurons silenced or other damage", run_silence};
}

}  // namespace afterspike::cli
