#include <filesystem>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/exporters/exporter.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/lowering/lower.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostCopies = 1'000'000;

Arguments make_arguments() {
  Arguments arguments("export",
                      "Writes the selected network of a run as a network of spiking neurons\n"
                      "(docs/export-semantics.md).",
                      "RUN --out PATH [--format native] [--mode threshold]");
  std::string formats;
  for (const exporters::ExporterEntry& entry : exporters::entries()) {
    formats += fmt::format("{}{}: {}", formats.empty() ? "" : ";\n", entry.name, entry.summary);
  }
  arguments.positional({"RUN"})
      .value("out", "PATH", "Where to write; must not exist.")
      .value("format", "NAME", formats, "native")
      .value("mode", "MODE",
             "threshold: spikes where the voltage is above the threshold; escape: spikes with the\n"
             "probability that the rate gives; population: so by several copies of each neuron.",
             "threshold")
      .value("copies", "N", "Of each neuron, for --mode population.", "1")
      .value("time-step", "T", "What a step stands for, such as 1ms (default: as in training).")
      .flag("approximate", "Replace what the format cannot say, and list it.")
      .value("resolution", "T", "Step of the other simulator (default: the time step).")
      .value("synapse", "T",
             "Time constant of currents that stand for jumps (default: a quarter of it).")
      .value("verify", "N", "Then compare with the run on the first N samples of the test split.")
      .value("seed", "N", "Seed of whatever is random in that.", "1")
      .flag("json", "Print the comparison as one JSON object.")
      .flag("force", "Replace what is at --out.");
  add_data_directory(add_threads(arguments));
  return arguments;
}

/// A time that may be left out.
double milliseconds(const Arguments& arguments, const char* flag) {
  return arguments.has(flag) ? units::parse(arguments.text(flag), "ms", fmt::format("--{}", flag))
                             : 0;
}

/// Compares what was written with the run, on the test split.
void verify(const Arguments& arguments, const experiment::Trained& trained,
            const exporters::Conversion& written) {
  const auto task = trained.experiment->make_task({data_directory(arguments)});
  const auto data = first_samples(*task, tasks::Split::test, arguments.integer("verify", 1));
  ThreadPool pool(threads(arguments));
  sim::Options options{static_cast<std::uint64_t>(arguments.integer("seed", 0))};
  options.dt_ms = written.resolution_ms;
  print_report(parity::compare(trained, written.network, *data, options, pool),
               arguments.has("json"));
}

/// Calls write(), with what is at `path` out of its way, and back there should that fail.
template <typename Write>
void replace(const fs::path& path, const Write& write) {
  io::SetAside before(path);
  write();
  before.discard();
}

int run(std::span<const std::string> words) {
  Arguments arguments = make_arguments();
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage, "export: expected --out PATH");
  const fs::path out = arguments.text("out");
  require_free(out, arguments.has("force"));
  const auto& format = find_entry<exporters::ExporterEntry>(exporters::entries(),
                                                            arguments.text("format"), "format");
  lowering::Options options;
  options.mode = lowering::parse_mode(arguments.text("mode"));
  options.copies = arguments.integer("copies", 1, kMostCopies);
  options.time_step_ms = milliseconds(arguments, "time-step");

  const experiment::Trained trained = experiment::load(arguments.words()[0]);
  const glifnet::Network network = lowering::lower(trained, options);
  const exporters::Options how{arguments.has("approximate"), milliseconds(arguments, "resolution"),
                               milliseconds(arguments, "synapse")};
  const exporters::Conversion written = exporters::converted(format, network, how);
  replace(out, [&] { format.write(written, out); });
  for (const exporters::Deviation& deviation : written.deviations) {
    log::warning("{}", exporters::text_of(deviation));
  }
  const glifnet::Population& neurons = network.populations.front();
  log::info("{} neurons, {}, in {}", neurons.cells(), lowering::mode_name(options.mode),
            out.string());
  if (arguments.has("verify")) verify(arguments, trained, written);
  return 0;
}

}  // namespace

CommandEntry entry_export() {
  return {"export", "write a trained network as spiking neurons", run};
}

}  // namespace afterspike::cli
