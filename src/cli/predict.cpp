#include <algorithm>
#include <filesystem>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/experiment/experiment.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/table.hpp"
#include "afterspike/tasks/sequence_file.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "outputs.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// Returns one row per sample: its class and the probability of each.
io::Table class_table(const at::Tensor& outputs, const tasks::SequenceFile& file,
                      const std::vector<std::string>& class_names) {
  const at::Tensor probability = at::softmax(outputs.to(at::kDouble), 1);
  const at::Tensor decision = outputs.argmax(1);
  io::Table table{{"sequence", "class"}, {}};
  if (!file.names.empty()) table.texts["sequence"] = file.names;
  if (!class_names.empty()) table.texts["class"] = class_names;
  for (std::int64_t i = 0; i < outputs.size(1); ++i) {
    table.columns.push_back(class_names.empty()
                                ? fmt::format("probability_{}", i)
                                : "probability_" + class_names[static_cast<std::size_t>(i)]);
  }
  for (std::int64_t sample = 0; sample < outputs.size(0); ++sample) {
    std::vector<double> row = {static_cast<double>(sample), decision[sample].item<double>()};
    const double* values = probability[sample].data_ptr<double>();
    row.insert(row.end(), values, values + outputs.size(1));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Returns one row per step of each sample.
io::Table trace_table(const at::Tensor& outputs, const tasks::SequenceFile& file) {
  const at::Tensor& lengths = file.lengths;
  const at::Tensor values = outputs.to(at::kDouble).contiguous();
  io::Table table{{"sequence", "step"}, {}};
  if (!file.names.empty()) table.texts["sequence"] = file.names;
  for (std::int64_t i = 0; i < values.size(2); ++i) {
    table.columns.push_back(fmt::format("output_{}", i));
  }
  for (std::int64_t sample = 0; sample < values.size(0); ++sample) {
    const std::int64_t steps =
        lengths.defined() ? lengths[sample].item<std::int64_t>() : values.size(1);
    for (std::int64_t step = 0; step < steps; ++step) {
      std::vector<double> row = {static_cast<double>(sample), static_cast<double>(step)};
      const double* output = values[sample][step].data_ptr<double>();
      row.insert(row.end(), output, output + values.size(2));
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

/// Refuses to overwrite the input or the run.
void require_out(const fs::path& out, const fs::path& data, const fs::path& run, bool force) {
  if (io::is_stream(out)) return;
  std::error_code ignored;
  require(!fs::equivalent(out, data, ignored), ErrorKind::usage,
          "--out: '{}' is the file that --data names, expected another", out.string());
  require_outside(out, run);
  require(!fs::is_directory(out, ignored), ErrorKind::usage,
          "--out: '{}' is a directory, expected the name of a file", out.string());
  require_free(out, force);
}

int run_predict(std::span<const std::string> words) {
  Arguments arguments("predict",
                      "Applies a trained network to your own sequences and writes its answers.",
                      "RUN --data FILE --out outputs.csv [--force]");
  arguments.example("afterspike predict runs/a --data mine.csv --out answers.csv")
      .positional({"RUN"})
      .value("data", "FILE", "Sequences in HDF5 or CSV, in the layout of the task 'file'.")
      .value("out", "FILE",
             "File to write: a class and probabilities per sequence, or the outputs of each "
             "step.")
      .flag("force", "Replaces an existing --out.");
  add_device(add_threads(arguments));
  if (!arguments.parse(words)) return 0;
  require(arguments.has("data") && arguments.has("out"), ErrorKind::usage,
          "predict: expected --data FILE and --out FILE");
  require_out(arguments.text("out"), arguments.text("data"), arguments.words()[0],
              arguments.has("force"));

  const at::Device where = device(arguments);
  const experiment::Trained trained = experiment::load(arguments.words()[0]);
  trained.network->to(where);
  const tasks::SequenceFile file = tasks::read_sequence_file(arguments.text("data"));
  const std::int64_t features = trained.network->shape().input_size;
  require(file.inputs.size(2) == features, ErrorKind::data,
          "{}: the sequences have {} features, expected {}: those of the trained network",
          arguments.text("data"), file.inputs.size(2), features);
  const tasks::Objective& objective = trained.objective;
  const tasks::Sequences sequences(file.inputs, {}, file.lengths);
  ThreadPool pool(threads(arguments));
  const at::Tensor outputs =
      experiment::predict(*trained.network, objective, sequences, trained.pass, pool);
  std::vector<std::string> class_names = objective.class_names;
  if (std::cmp_not_equal(class_names.size(), outputs.size(1))) class_names.clear();
  const bool classifies = objective.kind == tasks::Objective::Kind::classify;
  io::write_csv(arguments.text("out"),
                classifies ? class_table(outputs, file, class_names) : trace_table(outputs, file));
  log::info("{} sequences; outputs are in {}", outputs.size(0), arguments.text("out"));
  return 0;
}

}  // namespace

CommandEntry entry_predict() {
  return {"predict", "apply a trained network to your own sequences", run_predict};
}

}  // namespace afterspike::cli
