#include "spike_task.hpp"

namespace afterspike::tasks {
namespace {

/// Classifies spoken words. The set has its own validation part.
class Ssc final : public TaskModel {
 public:
  void describe(options::Section section) override {
    spikes_.describe(section);
    describe_duration(section, spikes_.bins);
    describe_sizes(section, train_samples_, test_samples_);
  }

  std::unique_ptr<Task> make(const TaskContext& context) const override {
    const datasets::SpikeForm& form = datasets::kSsc;
    Task::Parts parts;
    const auto read = [&](std::string_view file) {
      SpikeWriter writer = spikes_.read_file(context, "ssc", file, form, parts.remarks);
      writer.set_partners(
          tasks::split_numbers(std::ssize(writer.set().recordings), 0, Rng(0)).rest);
      return std::make_shared<SpikeRecordings>(std::move(writer));
    };
    parts.train = tasks::first_samples(read("ssc_train.h5"), train_samples_);
    parts.validation = read("ssc_valid.h5");
    parts.test = tasks::first_samples(read("ssc_test.h5"), test_samples_);
    const TaskShape shape{spikes_.input.channels, form.classes, spikes_.bins.steps(),
                          spikes_.step_ms()};
    return std::make_unique<Task>(shape, spikes_.objective(), std::move(parts));
  }

 private:
  SpikeTaskOptions spikes_;
  std::int64_t train_samples_ = 0;
  std::int64_t test_samples_ = 0;
};

}  // namespace

TaskEntry entry_ssc() {
  return {"ssc", "spoken words as spikes (Spiking Speech Commands): 700 inputs, 35 classes",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<Ssc>()); }};
}

}  // namespace afterspike::tasks
