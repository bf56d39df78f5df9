#include "afterspike/analysis/runs.hpp"
#include "afterspike/experiment/run_directory.hpp"

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/json.hpp"

namespace afterspike::analysis {

namespace fs = std::filesystem;

RunGroup find_runs(const std::string& path) {
  const fs::path record = fs::path(path) / "seeds.json";
  if (!fs::exists(record)) return {path, {path}};
  const auto seeds =
      io::member<std::vector<std::int64_t>>(io::read_json(record, ErrorKind::checkpoint), "seeds",
                                            record.string(), ErrorKind::checkpoint);
  require(!seeds.empty(), ErrorKind::checkpoint, "{}: expected one seed or more, found none",
          record.string());
  RunGroup group{path, {}};
  for (const std::int64_t seed : seeds) {
    group.paths.push_back(fs::path(path) / fmt::format("seed-{}", seed));
    require(fs::exists(group.paths.back()), ErrorKind::checkpoint,
            "{}: {} of {} seeds were trained, expected all; to go on: afterspike train --resume {}",
            path, group.paths.size() - 1, seeds.size(), path);
  }
  return group;
}

experiment::Trained load_run(const fs::path& path) {
  experiment::Trained trained = experiment::load(path);
  for (const nn::Network::Parameter& parameter : trained.network->named()) {
    require(parameter.tensor.isfinite().all().item<bool>(), ErrorKind::numeric,
            "{}: parameter '{}' has a value that is not finite", path.string(), parameter.name);
  }
  return trained;
}

Subject load_subject(const fs::path& path, const tasks::TaskContext& context, tasks::Split split,
                     std::int64_t limit) {
  Subject subject{path.string(), std::make_shared<experiment::Trained>(load_run(path)), {}, {}};
  tasks::TaskContext own = context;
  own.run = experiment::run_of(subject.trained->checkpoint);
  subject.task = subject.trained->experiment->make_task(own);
  subject.data = subject.task->split(split);
  require(subject.data != nullptr, ErrorKind::config, "{}: the task of this run has no split '{}'",
          path.string(), tasks::split_name(split));
  const nn::NetworkShape& shape = subject.network().shape();
  const tasks::TaskShape& found = subject.task->shape();
  require(found.input_size == shape.input_size && found.output_size == shape.output_size,
          ErrorKind::data,
          "{}: the task's data have {} features and {} outputs, expected {} and {}: those of the "
          "trained network",
          path.string(), found.input_size, found.output_size, shape.input_size, shape.output_size);
  return limited(std::move(subject), limit);
}

void for_each_hidden_layer(const Subject& subject, const tasks::Batch& batch,
                           const std::function<void(const at::Tensor&)>& visit) {
  const nn::LayerPass pass{subject.trained->pass, {}};
  at::Tensor signal = batch.input;
  for (std::size_t layer = 0; layer < subject.network().hidden_layers(); ++layer) {
    signal = subject.network().layer(layer)->emissions(signal, pass);
    visit(signal);
  }
}

Subject limited(Subject subject, std::int64_t limit) {
  subject.data = tasks::first_samples(std::move(subject.data), limit);
  return subject;
}

Partial load_available(const fs::path& path, const tasks::TaskContext& context,
                       tasks::Split split) {
  try {
    return {load_subject(path, context, split, 0), ""};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data && error.kind() != ErrorKind::config) throw;
    return {
        {path.string(), std::make_shared<experiment::Trained>(load_run(path)), nullptr, nullptr},
        error.what()};
  }
}

std::optional<std::string> difference_of_tasks(const std::vector<Subject>& subjects) {
  const auto text = [](const Subject& subject) {
    return fmt::format("{} {} on {}", subject.name,
                       subject.task->classifies() ? "classifies" : "makes traces",
                       subject.trained->experiment->task_name());
  };
  for (const Subject& subject : subjects) {
    const Subject& first = subjects.front();
    const bool same =
        subject.trained->experiment->task_name() == first.trained->experiment->task_name() &&
        subject.task->classifies() == first.task->classifies();
    if (!same) {
      return fmt::format("{}, {}; expected runs of one task", text(subject), text(first));
    }
  }
  return std::nullopt;
}

}  // namespace afterspike::analysis
