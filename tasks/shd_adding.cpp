#include <cmath>

#include "afterspike/base/error.hpp"
#include "spike_task.hpp"

namespace afterspike::tasks {
namespace {

/// The sum of two spoken digits, whatever the language (Spieler et al. 2023): two recordings of
/// exactly one second each. Every training epoch draws new pairs; those for validation and testing
/// are fixed.
class ShdAdding final : public TaskModel {
 public:
  ShdAdding() { spikes_.bins.bin_ms = 2; }

  void describe(options::Section section) override {
    spikes_.describe(section);
    validation_.describe(section);
    section.add("pair_seed", pair_seed_, "Seed of the pairs for validation and testing.")
        .at_least(0);
    describe_pairs(section, "train_samples", train_pairs_, "Pairs per training epoch.");
    describe_pairs(section, "validation_samples", validation_pairs_, "Pairs for validation.");
    describe_pairs(section, "test_samples", test_pairs_, "Pairs for testing.");
  }

  std::unique_ptr<Task> make(const TaskContext& context) const override {
    const datasets::SpikeForm& form = datasets::kShd;
    require_whole_bins();
    Task::Parts parts;
    SpikeWriter train = spikes_.read_file(context, "shd", "shd_train.h5", form, parts.remarks);
    const SpikeWriter test = spikes_.read_file(context, "shd", "shd_test.h5", form, parts.remarks);
    tasks::NumberParts split = validation_.split(train.set());
    train.set_partners(split.rest);
    const Rng rng(static_cast<std::uint64_t>(pair_seed_));
    const auto pairs = [&](const SpikeWriter& writer, std::vector<std::int64_t> recordings,
                           std::int64_t count, std::string_view name) {
      return std::make_shared<SpikePairs>(writer, std::move(recordings), count,
                                          rng.stream("pairs").stream(name));
    };
    if (!split.part.empty()) {
      parts.validation = pairs(train, std::move(split.part), validation_pairs_, "validation");
    }
    parts.train = pairs(train, std::move(split.rest), train_pairs_, "train");
    const std::int64_t tests = std::ssize(test.set().recordings);
    parts.test = pairs(test, tasks::split_numbers(tests, 0, rng).rest, test_pairs_, "test");
    const TaskShape shape{train.channels(), kSums, 2 * train.steps(), spikes_.step_ms()};
    return std::make_unique<Task>(shape, spikes_.objective(), std::move(parts));
  }

 private:
  static constexpr std::int64_t kSums = 19;  // 0 + 0 ... 9 + 9

  static void describe_pairs(options::Section section, std::string_view name, std::int64_t& pairs,
                             std::string_view help) {
    constexpr double kMaxPairs = 10'000'000;
    section.add(name, pairs, help).at_least(1).at_most(kMaxPairs);
  }

  void require_whole_bins() const {
    const auto steps = static_cast<double>(spikes_.bins.steps());
    require(
        std::fabs(steps * spikes_.bins.bin_ms - spikes_.bins.duration_ms) < 1e-6, ErrorKind::config,
        "option 'task.bin': found '{} ms', expected a divisor of 1000 ms, the length of a digit",
        spikes_.bins.bin_ms);
  }

  SpikeTaskOptions spikes_;
  RecordingSplitOptions validation_;
  std::int64_t pair_seed_ = 1;
  std::int64_t train_pairs_ = 16'000;
  std::int64_t validation_pairs_ = 4'000;
  std::int64_t test_pairs_ = 16'000;
};

}  // namespace

TaskEntry entry_shd_adding() {
  return {"shd_adding", "the sum of two spoken digits as spikes: 700 inputs, 19 classes",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<ShdAdding>()); }};
}

}  // namespace afterspike::tasks
