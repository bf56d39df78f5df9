#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "afterspike/base/log.hpp"
#include "afterspike/train/run.hpp"
#include "support/settings.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::testing {

/// The options of a run, set by their full paths.
inline train::RunOptions run_options(const std::string& task, const std::string& neuron,
                                     const Settings& settings) {
  train::RunOptions options;
  options.seed = 1;
  options.experiment = std::make_unique<experiment::Experiment>(task, neuron);
  options::Description description;
  options.describe(description);
  for (const auto& [path, text] : settings) description.find(path).set_text(text);
  return options;
}

/// Six sines of 20 steps by eight units: one step an epoch, no validation.
inline train::RunOptions sine_options(Settings settings = {}, const std::string& neuron = "rnn") {
  settings.insert(settings.begin(), {{"task.duration", "1 ms"}, {"network.hidden", "8"}});
  return run_options("sine_generation", neuron, settings);
}

/// Quiet, one thread, with a checkpoint whenever possible (0 s) or only when due.
inline train::RunEnvironment environment(std::int64_t steps = 0, double interval_s = 0) {
  at::set_num_threads(1);
  train::RunEnvironment environment;
  environment.quiet = true;
  environment.limits.steps = steps;
  environment.checkpoint_interval_s = interval_s;
  environment.command = "a test";
  return environment;
}

/// Hides the messages of the library from the terminal.
class Silence {
 public:
  Silence() : before_(log::set_sink([](log::Level, std::string_view) {})) {}
  ~Silence() { log::set_sink(before_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  log::Sink before_;
};

/// A CSV file of two classes by the sign of the input: 24 samples for training, 12 for validation,
/// 8 for testing, of 4 steps each.
inline void write_class_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << "sequence,input_0,input_1,label,split\n";
  for (int sample = 0; sample < 44; ++sample) {
    const int label = sample % 2;
    const int split = sample < 24 ? 0 : sample < 36 ? 1 : 2;
    for (int step = 0; step < 4; ++step) {
      text << sample << ',' << (label == 1 ? 1 : -1) * (0.2 + 0.1 * (sample % 7)) << ','
           << 0.3 * (step - 1) * (sample % 5 - 2) << ',' << label << ',' << split << '\n';
    }
  }
  spill(path, text.str());
}

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::istringstream text(slurp(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// The bytes of a file of the checkpoint that `latest` or `best` names.
inline std::string checkpoint_bytes(const std::filesystem::path& run, const std::string& which,
                                    const std::string& file) {
  std::string name = slurp(run / which);
  name.pop_back();
  return slurp(run / "checkpoints" / name / file);
}

}  // namespace afterspike::testing
