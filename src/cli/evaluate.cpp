#include <cmath>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/experiment/experiment.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/tasks/dataset.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "values.hpp"

namespace afterspike::cli {
namespace {

/// Returns whether the fingerprint of the samples equals the one that the run recorded for the
/// split, with a warning if not; null if it recorded none.
io::Json fingerprint_matches(const experiment::Trained& trained, const tasks::Dataset& data,
                             tasks::Split split) {
  const std::string_view name = tasks::split_name(split);
  const io::Json recorded =
      trained.content.configuration.value(experiment::fingerprint_key(split), io::Json());
  if (recorded.is_null()) return nullptr;
  const io::Json found = tasks::fingerprint(data);
  if (found != recorded) {
    log::warning(
        "the {} data are not those of the run: found fingerprint {}, recorded is {}{}", name,
        found.dump(), recorded.dump(),
        split == tasks::Split::train ? "" : "; it may have been trained with some of them");
  }
  return found == recorded;
}

int run_evaluate(std::span<const std::string> words) {
  Arguments arguments("evaluate", "Evaluates the selected network of a run on a split of its task.",
                      "RUN [--split test] [--json]");
  arguments.example("afterspike evaluate runs/a --split validation")
      .positional({"RUN"})
      .value("split", "SPLIT", "train, validation or test.", "test")
      .flag("json", "Prints one JSON object with all digits.");
  add_data_directory(add_device(add_threads(arguments)));
  if (!arguments.parse(words)) return 0;

  const tasks::Split split = tasks::parse_split(arguments.text("split"));
  const at::Device where = device(arguments);
  const experiment::Trained trained = experiment::load(arguments.words()[0]);
  trained.network->to(where);
  const auto task = trained.experiment->make_task(
      {data_directory(arguments), experiment::run_of(trained.checkpoint)});
  const auto data = task->split(split);
  require(data != nullptr, ErrorKind::config, "--split {}: the task of this run has no such split",
          tasks::split_name(split));
  const nn::NetworkShape& shape = trained.network->shape();
  require(task->shape().input_size == shape.input_size &&
              task->shape().output_size == shape.output_size,
          ErrorKind::data,
          "evaluate: the task's data have {} features and {} outputs, expected {} and {}: those of "
          "the trained network",
          task->shape().input_size, task->shape().output_size, shape.input_size, shape.output_size);
  for (const std::string& remark : task->remarks()) log::warning("{}", remark);
  const auto training = task->split(tasks::Split::train);
  if (split == tasks::Split::test && training != nullptr &&
      (data == training || tasks::fingerprint(*data) == tasks::fingerprint(*training))) {
    log::warning("the test split is the training data: the task has no test data of its own");
  }
  ThreadPool pool(threads(arguments));
  const tasks::Tally tally =
      experiment::evaluate(*trained.network, *task, *data, trained.pass, pool);

  require(
      std::isfinite(tally.loss), ErrorKind::numeric,
      "evaluate: the loss on the {} split is {}, expected a finite number: a parameter of {} or "
      "the data are not finite",
      tasks::split_name(split), tally.loss, trained.checkpoint.string());

  const auto samples = static_cast<double>(tally.samples);
  io::Json result;
  for (const tasks::Measure& measure : task->measures(tally)) {
    result[std::string(measure.name)] = measure.value;
  }
  result["loss"] = tally.loss / samples;
  result["samples"] = tally.samples;
  result["task"] = trained.experiment->task_name();
  result["neuron"] = trained.experiment->neuron_name();
  result["parameters"] = trained.network->trainable_parameters();
  result["split"] = tasks::split_name(split);
  result["fingerprint_matches"] = fingerprint_matches(trained, *data, split);
  result["checkpoint"] = trained.checkpoint.string();
  print_result(result, arguments.has("json"));
  return 0;
}

}  // namespace

CommandEntry entry_evaluate() {
  return {"evaluate", "evaluate a trained network on a split", run_evaluate};
}

}  // namespace afterspike::cli
