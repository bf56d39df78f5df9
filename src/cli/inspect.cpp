#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "afterspike/analysis/clusters.hpp"
#include "afterspike/analysis/inspection.hpp"
#include "afterspike/analysis/selection.hpp"
#include "afterspike/base/log.hpp"
#include "command.hpp"
#include "environment.hpp"

namespace afterspike::cli {
namespace {

Arguments inspect_arguments() {
  Arguments arguments("inspect",
                      "Shows single neurons of a trained network and the whole network: f-I "
                      "curves, step responses\n"
                      "with after-spike currents, activity during a sample, eigenvalues of the "
                      "recurrent weights, time\n"
                      "constants before and after training, and sensitivity to the input.",
                      "RUN --out DIR [--neurons 3,7 | --cluster 2] [--sample 0]");
  arguments.example("afterspike inspect runs/a --neurons 3,7 --out runs/neurons")
      .positional({"RUN"})
      .value("out", "DIR", "New directory for tables.")
      .value("neurons", "LIST", "Neurons by number, counted over all layers from 0.")
      .value("cluster", "N", "Neurons of this cluster, and their mean.")
      .value("clusters", "FILE",
             "clusters.csv written by afterspike cluster (default: clustered with its defaults).")
      .value("split", "SPLIT", "train, validation or test.", "test")
      .value("sample", "N", "Sample of the split whose activity is written, from 0.", "0")
      .value("limit", "N", "Samples in the mean sensitivity to the input.", "256");
  add_data_directory(add_threads(arguments));
  return arguments;
}

/// Loads the run, with its data if available.
analysis::Subject load(const Arguments& arguments) {
  analysis::Partial found =
      analysis::load_available(arguments.words()[0], {data_directory(arguments)},
                               tasks::parse_split(arguments.text("split")));
  if (!found.missing.empty()) log::warning("{}", found.missing);
  return std::move(found.subject);
}

/// Returns the cluster of each neuron: from a file, or as `cluster` finds them.
std::vector<std::int64_t> labels_of(const Arguments& arguments, const analysis::Subject& subject,
                                    ThreadPool& pool) {
  if (arguments.has("clusters")) {
    const analysis::Selection selection =
        analysis::select_neurons(arguments.text("clusters"), true, {subject}, pool);
    require(selection.kind == analysis::Selection::Kind::clusters, ErrorKind::usage,
            "--clusters: found '{}', expected a file such as clusters.csv",
            arguments.text("clusters"));
    return {selection.values[0].begin(), selection.values[0].end()};
  }
  return analysis::usual_clusters({{subject.name, {subject.name}}}, pool);
}

std::vector<analysis::Unit> units_of(const Arguments& arguments, const analysis::Subject& subject,
                                     ThreadPool& pool) {
  require(!arguments.has("neurons") || !arguments.has("cluster"), ErrorKind::usage,
          "inspect: --neurons and --cluster were given, expected one of them");
  require(!arguments.has("neurons") || !arguments.has("clusters"), ErrorKind::usage,
          "inspect: --neurons and --clusters were given, expected one of them");
  if (arguments.has("neurons")) {
    std::vector<std::int64_t> numbers;
    for (const double number : arguments.numbers("neurons")) {
      require(number == std::floor(number) && std::abs(number) < 1e9, ErrorKind::usage,
              "--neurons: found {}, expected whole numbers", number);
      numbers.push_back(static_cast<std::int64_t>(number));
    }
    return analysis::single_units(subject.network(), numbers);
  }
  std::vector<analysis::Unit> clusters;
  try {
    clusters = analysis::cluster_units(labels_of(arguments, subject, pool));
  } catch (const Error& error) {
    if (arguments.has("cluster") || arguments.has("clusters")) throw;
    log::info("no clusters: {}", error.what());
    return {};
  }
  if (!arguments.has("cluster")) return clusters;
  const std::int64_t wanted = arguments.integer("cluster", 0);
  for (const analysis::Unit& unit : clusters) {
    if (unit.cluster != wanted) continue;
    std::vector<analysis::Unit> units = {unit};
    for (auto& single : analysis::single_units(subject.network(), unit.neurons)) {
      units.push_back(std::move(single));
    }
    return units;
  }
  fail(ErrorKind::usage, "--cluster: found {}, expected 0 to {}", wanted, clusters.size() - 1);
}

int run_inspect(std::span<const std::string> words) {
  Arguments arguments = inspect_arguments();
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage, "inspect: expected --out DIR");
  require(!std::filesystem::exists(arguments.text("out")), ErrorKind::usage,
          "--out: '{}' is there already; expected a new directory", arguments.text("out"));
  ThreadPool pool(threads(arguments));
  analysis::InspectionOptions options;
  options.sample = arguments.integer("sample", 0);
  options.samples = arguments.integer("limit", 1);
  const analysis::Subject subject = load(arguments);
  // Checked before clustering, which takes longer.
  if (subject.data != nullptr) analysis::require_sample(subject, options.sample);
  const analysis::Inspection found =
      analysis::inspect(subject, units_of(arguments, subject, pool), options, pool);
  for (const std::string& note : found.notes) log::info("{}", note);
  analysis::write_inspection(arguments.text("out"), found, subject.network());
  log::info("everything is in {}", arguments.text("out"));
  return 0;
}

}  // namespace

CommandEntry entry_inspect() {
  return {"inspect", "show single neurons and the network at work", run_inspect};
}

}  // namespace afterspike::cli
