#include <cstdlib>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/transfer/lower.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "outputs.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

Arguments export_arguments() {
  Arguments arguments("export",
                      "Writes the selected network of a run as a network of spiking neurons\n"
                      "(docs/export-semantics.md).",
                      "RUN --out PATH [--format native] [--mode threshold]");
  std::string formats;
  for (const formats::ExporterEntry& entry : formats::entries()) {
    formats += fmt::format("{}{}: {}", formats.empty() ? "" : ";\n", entry.name, entry.summary);
  }
  arguments.example("afterspike export runs/a --format sonata --approximate --out network")
      .positional({"RUN"})
      .value("out", "PATH", "File or directory to write; must not exist.")
      .value("format", "NAME", formats, "native")
      .value("mode", "MODE",
             "threshold: spike if the voltage exceeds the threshold; escape: spike with the "
             "probability of the rate; population: escape with several copies of each neuron.",
             "threshold")
      .value("copies", "N", "Copies of each neuron, for --mode population.", "1")
      .value("time-step", "T", "Duration of a step, such as 1ms (default: as in training).")
      .group("Other simulators")
      .flag("approximate", "Replaces and lists features that the format cannot represent.")
      .value("resolution", "T", "Step of the other simulator (default: the time step).")
      .value("synapse", "T",
             "Time constant of currents that replace jumps (default: a quarter of the step).")
      .group("Check")
      .value("verify", "N", "Compares the result with the run on the first N test samples.")
      .value("seed", "N", "Seed of --verify.", "1")
      .group("Output")
      .flag("json",
            "Prints the comparison, and all replacements with every neuron, as one JSON object.")
      .flag("force", "Replaces a former export at --out.");
  add_data_directory(add_threads(arguments));
  return arguments;
}

/// Returns a time in the range of a training step; 0 if the flag is not given.
double bounded_ms(const Arguments& arguments, const std::string& flag) {
  constexpr double kMinMs = 1e-6, kMaxMs = 1e6;
  const double time = positive_ms(arguments, flag);
  require(!arguments.has(flag) || (time >= kMinMs && time <= kMaxMs), ErrorKind::config,
          "--{}: found {} ms, expected {} to {} ms", flag, time, kMinMs, kMaxMs);
  return time;
}

/// Refuses flags without a meaning for the format, before anything is done.
void require_flags_of(const formats::ExporterEntry& format, const Arguments& arguments) {
  for (const char* flag : {"resolution", "synapse"}) {
    require(format.has_steps || !arguments.has(flag), ErrorKind::usage,
            "--{}: found format '{}', expected one for simulators of their own step", flag,
            format.name);
  }
  require(!arguments.has("seed") || arguments.has("verify"), ErrorKind::usage,
          "--seed: expected --verify, in which alone something is random");
  require(format.deaf.empty() || !arguments.has("verify"), ErrorKind::usage,
          "--verify: found format '{}', expected another: its network {}, and cannot be shown the"
          " samples of a task",
          format.name, format.deaf);
}

/// Compares the network to be written with the run, on the test split.
std::optional<transfer::Report> verify(const Arguments& arguments,
                                       const experiment::Trained& trained,
                                       const formats::Conversion& written) {
  if (!arguments.has("verify")) return std::nullopt;
  const auto task = trained.experiment->make_task(
      {data_directory(arguments), experiment::run_of(trained.checkpoint)});
  const auto data = first_samples(*task, tasks::Split::test, arguments.integer("verify", 1));
  ThreadPool pool(threads(arguments));
  spiking::Options options{static_cast<std::uint64_t>(arguments.integer("seed", 0))};
  options.dt_ms = written.resolution_ms;
  return transfer::compare(trained, written.to_verify(), *data, options, pool);
}

/// Prints the report, if any; as JSON with all deviations.
void print(const std::optional<transfer::Report>& report, const formats::Conversion& written,
           bool json) {
  if (!json) {
    if (report) print_report(*report, false);
    return;
  }
  io::Json result = report ? report->json() : io::Json::object();
  io::Json& deviations = result["deviations"] = io::Json::array();
  for (const formats::Deviation& each : written.deviations) {
    deviations.push_back(formats::json_of(each));
  }
  print_result(result, true);
}

/// Warns if deterministic spikes replace the rates of a soft threshold. The figures are those of
/// docs/results.md.
void warn_if_soft(const spiking::Network& network, transfer::Mode mode, const fs::path& run,
                  const fs::path& out) {
  constexpr double kHard_mV = 0.2;
  const auto found = network.provenance.find("sigma_mV");
  if (mode != transfer::Mode::threshold || found == network.provenance.end()) return;
  const double sigma_mV = std::strtod(found->second.c_str(), nullptr);
  if (sigma_mV <= kHard_mV) return;
  const std::vector<std::string> command = {"afterspike", "parity", run.string(), out.string()};
  log::warning(
      "the threshold is soft (sigma {} mV), so spikes differ from the rates that were trained. Of"
      " line_mnist, 98.22 % were right with spikes and 98.49 % with rates at sigma 0.15 mV, but"
      " 83.66 % and 98.76 % at 1 mV. Train with train.sigma_schedule to lower sigma, or export with"
      " --mode population --copies 32. To compare: {}",
      found->second, shell_command(command));
}

int run_export(std::span<const std::string> words) {
  Arguments arguments = export_arguments();
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage, "export: expected --out PATH");
  const fs::path out = arguments.text("out");
  require_free(out, arguments.has("force"));
  require_apart(out, arguments.words()[0]);
  const auto& format =
      find_entry<formats::ExporterEntry>(formats::entries(), arguments.text("format"), "format");
  require_replaceable(out, format.files);
  require_flags_of(format, arguments);
  transfer::Options options;
  options.mode = transfer::parse_mode(arguments.text("mode"));
  options.copies = arguments.integer("copies", 1, kMaxCopies);
  const formats::Options how{arguments.has("approximate"), bounded_ms(arguments, "resolution"),
                             bounded_ms(arguments, "synapse")};
  options.time_step_ms = bounded_ms(arguments, "time-step");

  const experiment::Trained trained = experiment::load(arguments.words()[0]);
  const spiking::Network network = transfer::lower(trained, options);
  const formats::Conversion written = formats::converted(format, network, how);
  const auto report = verify(arguments, trained, written);
  replace(out, [&] { format.write(written, out); });
  for (const formats::Deviation& deviation : written.deviations) {
    log::warning("{}", formats::text_of(deviation));
  }
  const spiking::Population& neurons = network.populations.front();
  log::info("{} neurons, {}, in {}", neurons.cells(), transfer::mode_name(options.mode),
            out.string());
  warn_if_soft(network, options.mode, arguments.words()[0], out);
  print(report, written, arguments.has("json"));
  return 0;
}

}  // namespace

CommandEntry entry_export() {
  return {"export", "write a trained network as spiking neurons", run_export};
}

}  // namespace afterspike::cli
