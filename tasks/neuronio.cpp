#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "neuron_windows.hpp"
#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

namespace fs = std::filesystem;
using datasets::NeuronSimulations;

using Simulations = std::shared_ptr<const NeuronSimulations>;

/// Predicts the output of a cortical pyramidal cell from its input spikes (Beniaguev, Segev, London
/// 2021, in the form of Spieler et al. 2023).
class NeuronIo final : public TaskModel {
 public:
  void describe(options::Section section) override {
    section
        .quantity("dt", dt_ms_, "ms",
                  "Duration of one step in the neurons; in the simulations it is 1 ms.")
        .at_least(1e-6)
        .at_most(1e6);
    section.add("train", train_,
                "Files of simulations for training, separated by commas; in neuronio of the data "
                "directory, or absolute.");
    section.add("validation_files", validation_,
                "Files for validation; empty: runs of the training files.");
    section.add("test", test_, "Files for testing.");
    section
        .add("validation_runs", validation_runs_,
             "Training runs for validation if there are no files for it; -1: a twelfth.")
        .at_least(-1);
    section.add("split_seed", split_seed_, "Seed of their choice.").at_least(0);
    describe_window(section, "window", window_ms_, "Length of a training window.");
    describe_window(section, "burn_in", burn_in_ms_,
                    "Start of a window that is excluded from the loss.");
    describe_window(section, "evaluation_window", evaluation_window_ms_,
                    "Length of a window in validation and testing.");
    describe_window(section, "evaluation_burn_in", evaluation_burn_in_ms_,
                    "Start of each but a run's first window that is not scored.");
    describe_window(section, "skip", skip_ms_, "Start of each run that is not used.");
    section
        .add("most_spikes", most_spikes_,
             "Runs with more spikes are left out of validation and testing.")
        .at_least(0);
    section.add("train_samples", train_samples_, "Windows per training epoch.")
        .at_least(1)
        .at_most(kMaxWindows);
    section.add("test_samples", test_samples_, "Number of test windows, the first ones; 0: all.")
        .at_least(0);
  }

  std::unique_ptr<Task> make(const TaskContext& context) const override {
    Task::Parts parts;
    Files seen;
    const auto read = [&](std::string_view option, const std::string& files) {
      return NeuronIo::read(context, option, files, seen, parts.remarks);
    };
    const Simulations train = read("train", train_);
    const Simulations test = read("test", test_);
    require_same_cell(*train, *test, "test");
    const WindowRule drawn = rule(*train, "", window_ms_, burn_in_ms_);
    tasks::NumberParts runs = split_runs(*train);
    if (!validation_.empty()) {
      const Simulations validation = read("validation_files", validation_);
      require_same_cell(*train, *validation, "validation_files");
      parts.validation = cover(validation, all_runs(*validation), "validation", parts.remarks);
    } else if (!runs.part.empty()) {
      parts.validation = cover(train, runs.part, "validation", parts.remarks);
    }
    const Rng rng = Rng(static_cast<std::uint64_t>(split_seed_)).stream("windows");
    parts.train = std::make_shared<RandomNeuronWindows>(train, std::move(runs.rest), drawn,
                                                        train_samples_, rng);
    parts.test =
        tasks::first_samples(cover(test, all_runs(*test), "test", parts.remarks), test_samples_);
    const std::int64_t longest = std::max(drawn.length, steps("", evaluation_window_ms_));
    Objective objective;
    objective.kind = Objective::Kind::spikes_and_voltage;
    objective.voltage_unit_mV = VoltageTarget::kUnit_mV;
    return std::make_unique<Task>(TaskShape{2 * train->segments, 2, longest, dt_ms_}, objective,
                                  std::move(parts));
  }

 private:
  static constexpr double kMaxWindows = 10'000'000;

  /// Files read so far, and the option that named each.
  using Files = std::map<fs::path, std::string>;

  static void describe_window(options::Section section, std::string_view name, double& ms,
                              std::string_view help) {
    section.quantity(name, ms, "ms", help).at_least(0).at_most(1e6);
  }

  /// Converts a time to steps of the simulations.
  static std::int64_t steps(std::string_view option, double ms) {
    require(ms == std::trunc(ms), ErrorKind::config,
            "option 'task.{}': found {} ms, expected whole milliseconds, the steps of the "
            "simulations",
            option, ms);
    return static_cast<std::int64_t>(ms);
  }

  /// Reads the runs of one or several files as one set; adds a remark if a file was read before.
  static Simulations read(const TaskContext& context, std::string_view option,
                          const std::string& files, Files& seen,
                          std::vector<std::string>& remarks) {
    auto all = std::make_shared<NeuronSimulations>();
    std::istringstream list(files);
    for (std::string name; std::getline(list, name, ',');) {
      name.erase(0, name.find_first_not_of(' '));
      const fs::path path = context.data_directory / "neuronio" / name;
      require(fs::is_regular_file(path), ErrorKind::data,
              "option 'task.{}': there is no '{}'; scripts/convert_neuronio.py makes such files "
              "from the published simulations (docs/data-format.md)",
              option, path.string());
      const auto [before, is_new] = seen.try_emplace(fs::canonical(path), option);
      if (!is_new) {
        remarks.push_back(
            before->second == option
                ? fmt::format("'{}' is named twice in task.{}: its runs count double",
                              path.string(), option)
                : fmt::format("'{}' is named in task.{} and in task.{}: their runs are not "
                              "independent",
                              path.string(), before->second, option));
      }
      NeuronSimulations one = datasets::read_neuronio(path);
      require(all->runs.empty() || (one.segments == all->segments && one.steps == all->steps),
              ErrorKind::data, "'{}': found {} segments and {} steps, expected {} and {} as before",
              path.string(), one.segments, one.steps, all->segments, all->steps);
      all->segments = one.segments;
      all->steps = one.steps;
      std::move(one.runs.begin(), one.runs.end(), std::back_inserter(all->runs));
    }
    require(!all->runs.empty(), ErrorKind::config,
            "option 'task.{}': found '{}', expected names of files", option, files);
    return all;
  }

  static void require_same_cell(const NeuronSimulations& train, const NeuronSimulations& other,
                                std::string_view option) {
    require(train.segments == other.segments, ErrorKind::data,
            "option 'task.{}': found a cell of {} segments, expected the {} of the training files",
            option, other.segments, train.segments);
  }

  /// Returns the rule of the windows; the names of its options begin with `prefix`.
  WindowRule rule(const NeuronSimulations& simulations, const std::string& prefix, double window_ms,
                  double burn_in_ms) const {
    const std::string name = prefix + "window";
    const WindowRule rule{steps(name, window_ms), steps(prefix + "burn_in", burn_in_ms),
                          steps("skip", skip_ms_)};
    require(rule.burn_in < rule.length && rule.skip + rule.length <= simulations.steps,
            ErrorKind::config,
            "option 'task.{}': found {} ms, expected more than the burn-in of {} ms, and at most "
            "the {} ms of a run after the {} ms that are skipped",
            name, rule.length, rule.burn_in, simulations.steps, rule.skip);
    return rule;
  }

  static std::vector<std::int64_t> all_runs(const NeuronSimulations& simulations) {
    return tasks::split_numbers(std::ssize(simulations.runs), 0, Rng(0)).rest;
  }

  tasks::NumberParts split_runs(const NeuronSimulations& train) const {
    const std::int64_t runs = std::ssize(train.runs);
    std::int64_t part =
        validation_runs_ < 0 ? std::max<std::int64_t>(1, runs / 12) : validation_runs_;
    if (!validation_.empty()) part = 0;
    require(part < runs, ErrorKind::config,
            "option 'task.validation_runs': found {}, expected less than the {} training runs",
            part, runs);
    const Rng rng(static_cast<std::uint64_t>(split_seed_));
    return tasks::split_numbers(runs, part, rng.stream("validation"));
  }

  /// Returns windows over whole runs, for validation and testing.
  std::shared_ptr<const tasks::Dataset> cover(const Simulations& simulations,
                                              std::vector<std::int64_t> runs,
                                              std::string_view split,
                                              std::vector<std::string>& remarks) const {
    const WindowRule covering =
        rule(*simulations, "evaluation_", evaluation_window_ms_, evaluation_burn_in_ms_);
    const auto all = std::ssize(runs);
    const auto left_out = std::erase_if(runs, [&](std::int64_t run) {
      const auto& spikes = simulations->runs[static_cast<std::size_t>(run)].spikes;
      return std::ssize(spikes) > most_spikes_;
    });
    if (left_out > 0 && !runs.empty()) {
      remarks.push_back(
          fmt::format("{} of the {} {} runs are left out: they have more than task.most_spikes, {}",
                      left_out, all, split, most_spikes_));
    }
    std::vector<NeuronWindow> windows = covering_windows(*simulations, runs, covering);
    require(!windows.empty(), ErrorKind::config,
            "option 'task.most_spikes': found {}, but no run for validation or testing has so few",
            most_spikes_);
    return std::make_shared<NeuronWindows>(simulations, covering.length, std::move(windows));
  }

  std::string train_ = "train.h5", validation_, test_ = "test.h5";
  double dt_ms_ = 1;
  std::int64_t validation_runs_ = -1, split_seed_ = 1;
  double window_ms_ = 500, burn_in_ms_ = 0;
  double evaluation_window_ms_ = 500, evaluation_burn_in_ms_ = 150, skip_ms_ = 500;
  std::int64_t most_spikes_ = 24;
  std::int64_t train_samples_ = 80'000, test_samples_ = 0;
};

}  // namespace

TaskEntry entry_neuronio() {
  return {"neuronio",
          "spikes and voltage of a cortical neuron from its 1278 synapses (NeuronIO): 2 traces",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<NeuronIo>()); }};
}

}  // namespace afterspike::tasks
