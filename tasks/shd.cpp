#include "spike_task.hpp"

namespace afterspike::tasks {
namespace {

/// Classifies spoken digits in two languages.
class Shd final : public TaskModel {
 public:
  void describe(options::Section section) override {
    spikes_.describe(section);
    describe_duration(section, spikes_.bins);
    validation_.describe(section);
    describe_sizes(section, train_samples_, test_samples_);
  }

  std::unique_ptr<Task> make(const TaskContext& context) const override {
    const datasets::SpikeForm& form = datasets::kShd;
    Task::Parts parts;
    SpikeWriter train = spikes_.read_file(context, "shd", "shd_train.h5", form, parts.remarks);
    const SpikeWriter test = spikes_.read_file(context, "shd", "shd_test.h5", form, parts.remarks);
    tasks::NumberParts split = validation_.split(train.set());
    train.set_partners(split.rest);
    const auto recordings = std::make_shared<SpikeRecordings>(train);
    if (!split.part.empty()) {
      parts.validation = std::make_shared<tasks::Subset>(recordings, std::move(split.part));
    }
    parts.train = tasks::first_samples(
        std::make_shared<tasks::Subset>(recordings, std::move(split.rest)), train_samples_);
    parts.test = tasks::first_samples(std::make_shared<SpikeRecordings>(test), test_samples_);
    const TaskShape shape{train.channels(), form.classes, train.steps(), spikes_.step_ms()};
    return std::make_unique<Task>(shape, spikes_.objective(), std::move(parts));
  }

 private:
  SpikeTaskOptions spikes_;
  RecordingSplitOptions validation_;
  std::int64_t train_samples_ = 0;
  std::int64_t test_samples_ = 0;
};

}  // namespace

TaskEntry entry_shd() {
  return {"shd", "spoken digits as spikes (Spiking Heidelberg Digits): 700 inputs, 20 classes",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<Shd>()); }};
}

}  // namespace afterspike::tasks
