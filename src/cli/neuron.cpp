#include <filesystem>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/single_neuron/study_files.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "outputs.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

constexpr std::int64_t kMaxStudyTrials = 10000;

Arguments neuron_arguments() {
  Arguments arguments(
      "neuron",
      "Studies one neuron under injected currents: step response, f-I curve, adaptation, response\n"
      "to a sinusoid and, for models of one or two variables, phase plane with fixed points. "
      "Writes\n"
      "CSV files and a page, report.html.",
      "MODEL --out DIR [--preset P] [--set C_m=200] [--current 500pA]");
  arguments.positional({"MODEL"})
      .group("Model")
      .value("preset", "NAME", "Published parameter set (docs/models.md).")
      .values("set", "NAME=VALUE",
              "A parameter by symbol or name: C_m=200, tau_w=0.1s; repeatable.")
      .value("dt", "T", "Step of the grid (default: 0.1 ms; 1 ms in discrete time).")
      .group("Stimulus")
      .value(
          "current", "I",
          "Current of the step, in the model's unit or with a unit (default: above the rheobase).")
      .value("duration", "T", "Duration of the step, also of those of the f-I curve.", "1s")
      .value("currents", "LIST", "Currents of the f-I curve, or LOW:HIGH:COUNT (default: chosen).")
      .value("frequencies", "LIST", "Frequencies of the sinusoid in Hz (default: 1 to 500 Hz).")
      .value("trials", "N", "Trials of models with random spikes (default: 20).")
      .value("seed", "N", "Seed of random spikes and currents.", "1")
      .group("Output")
      .value("out", "DIR", "New directory for the page and the tables.")
      .flag("force", "Replace a former study at --out.")
      .flag("json", "Print the summary as one JSON object.")
      .example(
          "afterspike neuron aeif_psc_exp --preset regular_bursting --current 210pA --out "
          "runs/bursting")
      .epilogue([](const Arguments&) {
        return std::string("\n`afterspike list models` prints the names of models.\n");
      });
  add_threads(arguments);
  return arguments;
}

std::vector<single_neuron::Setting> neuron_settings(const Arguments& arguments) {
  std::vector<single_neuron::Setting> settings;
  for (const std::string& setting : arguments.list("set")) {
    const auto equals = setting.find('=');
    require(equals != std::string::npos && equals > 0, ErrorKind::usage,
            "--set: '{}' has no value. Give NAME=VALUE, such as C_m=200", setting);
    settings.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
  }
  return settings;
}

single_neuron::StudyOptions study_options(const Arguments& arguments,
                                          const single_neuron::Neuron& neuron) {
  single_neuron::StudyOptions options;
  if (arguments.has("current")) {
    options.current = single_neuron::parse_current(neuron, arguments.text("current"), "--current");
  }
  if (arguments.has("currents")) {
    options.currents =
        single_neuron::parse_currents(neuron, arguments.text("currents"), "--currents");
  }
  if (arguments.has("frequencies")) options.frequencies_hz = arguments.numbers("frequencies");
  options.duration_ms = units::parse(arguments.text("duration"), "ms", "--duration");
  if (arguments.has("trials")) options.trials = arguments.integer("trials", 1, kMaxStudyTrials);
  require(neuron.is_random || !arguments.has("trials"), ErrorKind::usage,
          "--trials: spikes of model '{}' are not random. Leave it out", neuron.population.model);
  options.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0));
  options.threads = threads(arguments);
  return options;
}

void print_measures(const single_neuron::Study& study, bool json) {
  io::Json summary = single_neuron::summary_of(study);
  if (!json) {
    // Lists and objects are for programs; the page shows them.
    for (const char* key :
         {"impedance", "rate_modulation", "fixed_points", "notes", "parameters"}) {
      summary.erase(key);
    }
  }
  print_result(summary, json);
}

int run_neuron(std::span<const std::string> words) {
  Arguments arguments = neuron_arguments();
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage,
          "neuron: no --out. Give a new directory, such as --out runs/{}", arguments.words()[0]);
  const std::filesystem::path out = arguments.text("out");
  require_free(out, arguments.has("force"));
  require_replaceable(out, single_neuron::kStudyFiles);
  const single_neuron::Neuron neuron = single_neuron::make_neuron(
      arguments.words()[0], arguments.has("preset") ? arguments.text("preset") : "",
      neuron_settings(arguments), positive_ms(arguments, "dt"));
  const single_neuron::Study study = single_neuron::study(neuron, study_options(arguments, neuron));
  std::vector<std::string> command = {"afterspike", "neuron"};
  command.insert(command.end(), words.begin(), words.end());
  replace(out, [&] { single_neuron::write_study(out, study, shell_command(command)); });
  for (const std::string& note : study.notes) log::warning("{}", note);
  log::info("the page is {}", (out / "report.html").string());
  print_measures(study, arguments.has("json"));
  return 0;
}

}  // namespace

CommandEntry entry_neuron() {
  return {"neuron", "study one spiking neuron under injected currents", run_neuron};
}

}  // namespace afterspike::cli
