#include <algorithm>
#include <filesystem>
#include <system_error>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/tasks/sequence_file.hpp"
#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

namespace fs = std::filesystem;

/// Returns where the file at `path` is now: there, or, if it was moved together with the run, at
/// the same last folders of its path below the run or a folder above the run. Empty if it is
/// nowhere.
fs::path located(const fs::path& path, const fs::path& run) {
  std::error_code ignored;
  if (run.empty() || fs::exists(path, ignored)) return path;
  constexpr int kMaxAbove = 3;
  fs::path above = fs::absolute(run, ignored).lexically_normal();
  if (!above.has_filename()) above = above.parent_path();
  for (int level = 0; level <= kMaxAbove; ++level, above = above.parent_path()) {
    fs::path tail;
    for (fs::path rest = path; rest.has_filename(); rest = rest.parent_path()) {
      tail = tail.empty() ? rest.filename() : rest.filename() / tail;
      if (fs::is_regular_file(above / tail, ignored)) return above / tail;
    }
  }
  return {};
}

/// Each class is an output of the network.
constexpr std::int64_t kMaxClasses = 100'000;

/// A user's own sequences; the layout of the file is in docs/data-format.md.
class FileTask final : public TaskModel {
 public:
  FileTask() { common_.validation = -1; }

  void describe(options::Section section) override {
    section.add("data", path_, "The file: HDF5 or CSV.");
    section.add("classes", classes_, "Number of classes; 0: largest label plus one.")
        .at_least(0)
        .at_most(kMaxClasses);
    section.add("test", test_, "Samples for testing if the file has no split; 0: a fifth.")
        .at_least(0);
    common_.describe(section);
  }

  std::unique_ptr<Task> make(const TaskContext& context) const override {
    require(!path_.empty(), ErrorKind::config,
            "task 'file': no file was named; expected --data FILE or [task] data = \"FILE\"");
    const tasks::SequenceFile file = read(context.run);
    require(file.labels.defined() || file.targets.defined(), ErrorKind::data,
            "{}: there is nothing to learn; expected labels or targets", path_);
    const at::Tensor& targets = file.labels.defined() ? file.labels : file.targets;
    const auto whole = std::make_shared<tasks::Sequences>(file.inputs, targets, file.lengths);
    const std::int64_t outputs = file.labels.defined() ? classes(file) : file.targets.size(2);
    const TaskShape shape{file.inputs.size(2), outputs, file.inputs.size(1), common_.dt_ms};
    Objective objective{Objective::Kind::classify, common_.read, common_.over, file.class_names};
    if (!file.labels.defined()) objective.kind = Objective::Kind::trace;
    return std::make_unique<Task>(shape, objective, parts(file, whole));
  }

 private:
  tasks::SequenceFile read(const fs::path& run) const {
    const fs::path path = located(path_, run);
    require(!path.empty(), ErrorKind::data,
            "{}: cannot be read: there is no such file. If it was moved, put it beside the run, or"
            " correct task.data in {}",
            path_, (run / "run.json").string());
    if (path != path_) log::info("data: {} is gone; using {}", path_, path.string());
    return tasks::read_sequence_file(path);
  }

  std::int64_t classes(const tasks::SequenceFile& file) const {
    const std::int64_t needed = file.labels.max().item<std::int64_t>() + 1;
    require(classes_ == 0 || classes_ >= needed, ErrorKind::data,
            "{}: there is a label {}; expected labels below the {} classes", path_, needed - 1,
            classes_);
    require(needed <= kMaxClasses, ErrorKind::data,
            "{}: there is a label {}; expected labels below {}", path_, needed - 1, kMaxClasses);
    return std::max(classes_, needed);
  }

  Task::Parts parts(const tasks::SequenceFile& file,
                    const std::shared_ptr<const tasks::Dataset>& whole) const {
    if (file.split.defined()) return parts_by_split(file.split, whole);
    require(whole->size() > 1, ErrorKind::data, "{}: there is one sample; expected at least 2",
            path_);
    const std::int64_t test = test_ > 0 ? test_ : std::max<std::int64_t>(1, whole->size() / 5);
    require(test < whole->size(), ErrorKind::config,
            "option 'task.test': found {}, expected less than the {} samples of {}", test,
            whole->size(), path_);
    const Rng rng(static_cast<std::uint64_t>(common_.split_seed));
    const tasks::Parts split = tasks::split(whole, test, rng.stream("test"));
    return make_parts(split.rest, split.part, common_);
  }

  Task::Parts parts_by_split(const at::Tensor& split,
                             const std::shared_ptr<const tasks::Dataset>& whole) const {
    std::array<std::vector<std::int64_t>, 3> numbers;
    for (std::int64_t i = 0; i < split.size(0); ++i) {
      numbers[static_cast<std::size_t>(split[i].item<std::int64_t>())].push_back(i);
    }
    require(
        !numbers[0].empty() && !numbers[2].empty(), ErrorKind::data,
        "{}: {} samples for training and {} for testing; expected at least one of each (split 0 "
        "and 2)",
        path_, numbers[0].size(), numbers[2].size());
    const bool own_validation = !numbers[1].empty();
    CommonTaskOptions common = common_;
    if (own_validation) common.validation = 0;
    Task::Parts parts = make_parts(std::make_shared<tasks::Subset>(whole, numbers[0]),
                                   std::make_shared<tasks::Subset>(whole, numbers[2]), common);
    if (own_validation) parts.validation = std::make_shared<tasks::Subset>(whole, numbers[1]);
    return parts;
  }

  std::string path_;
  std::int64_t classes_ = 0;
  std::int64_t test_ = 0;
  CommonTaskOptions common_;
};

}  // namespace

TaskEntry entry_file() {
  return {"file", "your own sequences from an HDF5 or CSV file (--data FILE)",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<FileTask>()); }};
}

}  // namespace afterspike::tasks
