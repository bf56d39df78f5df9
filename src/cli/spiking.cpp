#include "spiking.hpp"

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/experiment/experiment.hpp"
#include "afterspike/formats/conversion.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::cli {

double positive_ms(const Arguments& arguments, const std::string& flag, double fallback) {
  if (!arguments.has(flag)) return fallback;
  const double time = units::parse(arguments.text(flag), "ms", fmt::format("--{}", flag));
  require(time > 0, ErrorKind::usage, "--{}: found '{}', expected a time above 0", flag,
          arguments.text(flag));
  return time;
}

Arguments& add_engine(Arguments& arguments) {
  return arguments
      .value("engine", "NAME", "Simulation engine: grid, in steps; exact, from event to event.",
             "grid")
      .value("as", "MODEL", "glif3: approximate GLIFR neurons by GLIF3 in continuous time.")
      .value("seed", "N", "Seed of random spikes and currents.", "1");
}

spiking::Options simulation_options(const Arguments& arguments) {
  const std::string engine = arguments.text("engine");
  require(engine == "grid" || engine == "exact", ErrorKind::usage,
          "--engine: found '{}', expected grid or exact", engine);
  spiking::Options options{static_cast<std::uint64_t>(arguments.integer("seed", 0))};
  options.engine = engine == "grid" ? spiking::Engine::grid : spiking::Engine::exact;
  return options;
}

spiking::Network converted(const Arguments& arguments, spiking::Network network) {
  if (!arguments.has("as")) return network;
  const std::string model = arguments.text("as");
  require(model == "glif3", ErrorKind::usage, "--as: found '{}', expected glif3", model);
  // Fraction of a step. Off the grid nothing else limits a neuron to one spike per step; slightly
  // below one, so that spikes arriving with the next step are not lost.
  constexpr double kPart = 0.9;
  const bool exact = arguments.text("engine") == "exact";
  formats::Conversion conversion =
      formats::as_glif3(network, exact ? kPart * network.time_step_ms : 0);
  for (const formats::Deviation& deviation : conversion.deviations) {
    log::info("{}", formats::text_of(deviation));
  }
  return std::move(conversion.network);
}

void require_of_run(const spiking::Network& network, const experiment::Trained& trained) {
  const auto found = network.provenance.find("checkpoint");
  if (found == network.provenance.end()) return;
  const std::string own = io::sha256_of_file(trained.checkpoint / "model.safetensors");
  require(found->second == own, ErrorKind::config,
          "network: it was made from another checkpoint than '{}' (of SHA-256 {}..., expected"
          " {}...): export it anew",
          trained.checkpoint.string(), found->second.substr(0, 8), own.substr(0, 8));
}

std::unique_ptr<tasks::Task> task_of(const spiking::Network& network, const std::string& name,
                                     const tasks::TaskContext& context) {
  const auto known = [&](const char* key) {
    const auto found = network.provenance.find(key);
    return found == network.provenance.end() ? std::string() : found->second;
  };
  const bool own = name.empty() || name == known("task");
  const std::string wanted = name.empty() ? known("task") : name;
  require(!wanted.empty(), ErrorKind::usage,
          "simulate: the network does not say what it was trained for; expected --task T");
  experiment::Experiment experiment(wanted, own ? known("neuron") : "glifr");
  if (own) {
    options::Description description;
    experiment.describe(description);
    const io::Json configuration = io::parse_json(
        known("configuration"), "network: provenance 'configuration'", ErrorKind::data);
    require(configuration.is_object(), ErrorKind::data,
            "network: provenance 'configuration': expected a JSON object");
    experiment::from_configuration(configuration, description);
  }
  return experiment.make_task(context);
}

std::shared_ptr<const tasks::Dataset> samples_of(const tasks::Task& task,
                                                 const Arguments& arguments) {
  return first_samples(task, tasks::parse_split(arguments.text("split")),
                       arguments.has("limit") ? arguments.integer("limit", 1) : 0);
}

std::shared_ptr<const tasks::Dataset> first_samples(const tasks::Task& task, tasks::Split split,
                                                    std::int64_t limit) {
  const auto whole = task.split(split);
  require(whole != nullptr, ErrorKind::config, "--split {}: the task has no such split",
          tasks::split_name(split));
  require(task.classifies(), ErrorKind::config,
          "the task asks for a trace, expected one that classifies");
  return tasks::first_samples(whole, limit);
}

void print_report(const transfer::Report& report, bool json) {
  io::Json result = report.json();
  if (!json) result.erase("rate_errors");
  print_result(result, json);
}

}  // namespace afterspike::cli
