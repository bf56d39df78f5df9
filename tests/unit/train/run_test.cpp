#include "afterspike/train/run.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cmath>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/train/observers.hpp"
#include "afterspike/train/several.hpp"
#include "small_run.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

using testing::checkpoint_bytes;
using testing::environment;
using testing::expect_error;
using testing::run_options;
using testing::Settings;
using testing::sine_options;
using testing::slurp;
using testing::spill;

class Run : public ::testing::Test {
 protected:
  /// Creates a run and returns its directory.
  fs::path create(const std::string& name, RunOptions options) {
    create_run(directory_ / name, options, environment());
    return directory_ / name;
  }

  /// Options of a run on a file of two classes, with validation.
  RunOptions class_options(Settings settings = {}) {
    const fs::path data = directory_ / "data.csv";
    if (!fs::exists(data)) testing::write_class_file(data);
    settings.insert(settings.begin(), {{"task.data", data.string()},
                                       {"network.hidden", "6"},
                                       {"train.batch_size", "8"},
                                       {"train.learning_rate", "0.02"},
                                       {"train.epochs", "4"}});
    return run_options("file", "gru", settings);
  }

  static void expect_same_checkpoints(const fs::path& found, const fs::path& expected,
                                      const std::string& which) {
    for (const char* file : {"model.safetensors", "training.safetensors"}) {
      EXPECT_EQ(checkpoint_bytes(found, which, file), checkpoint_bytes(expected, which, file))
          << which << ": " << file;
    }
    EXPECT_EQ(slurp(found / which), slurp(expected / which));
  }

  testing::TempDir directory_;
  testing::Silence silence_;
};

/// The choice decides the result: all later parts of the run take it from the record.
TEST_F(Run, RecordsThePrecisionThatWasMeasured) {
  RunOptions options = class_options({{"train.precision", "auto"}});
  EXPECT_FALSE(options.train.precision.has_value());
  create_run(directory_ / "run", options, environment());
  // A gru has no kernel for bfloat16.
  EXPECT_EQ(options.train.precision, nn::Precision::float32);
  EXPECT_EQ(load_run_options(directory_ / "run").train.precision, nn::Precision::float32);
  EXPECT_EQ(continue_run(directory_ / "run", environment()).end, End::finished);
}

TEST_F(Run, MeasuresEitherPrecisionOfGlifr) {
  RunOptions options = sine_options();
  options.train.precision = std::nullopt;
  create_run(directory_ / "run", options, environment());
  ASSERT_TRUE(options.train.precision.has_value());
  EXPECT_EQ(load_run_options(directory_ / "run").train.precision, options.train.precision);
}

TEST_F(Run, AppearsWithItsOptionsAndGivesThemBack) {
  RunOptions options = class_options({{"seed", "7"}, {"train.schedule", "cosine"}});
  options::Description description;
  options.describe(description);
  const io::Json expected = experiment::to_configuration(description);
  const fs::path run =
      create("deep/below/run", class_options({{"seed", "7"}, {"train.schedule", "cosine"}}));
  RunOptions found = load_run_options(run);
  options::Description read;
  found.describe(read);
  EXPECT_EQ(experiment::to_configuration(read), expected);
  EXPECT_EQ(found.seed, 7);
  EXPECT_EQ(found.train.schedule, Schedule::cosine);
  EXPECT_EQ(found.experiment->task_name(), "file");
  EXPECT_THAT(slurp(run / "config.toml"), ::testing::HasSubstr("seed = 7"));
  EXPECT_THAT(slurp(run / "run.json"), ::testing::HasSubstr("a test"));
}

TEST_F(Run, IsNotCreatedOverSomethingElse) {
  const fs::path run = create("run", sine_options());
  RunOptions options = sine_options();
  expect_error(ErrorKind::usage, {"exists already", "--resume " + run.string()},
               [&] { create_run(run, options, environment()); });
  spill(directory_ / "file", "mine");
  fs::create_directory(directory_ / "empty");
  for (const char* name : {"file", "empty", "."}) {
    expect_error(ErrorKind::usage, {name, "exists already and is no run; expected a new name"},
                 [&] { create_run(directory_ / name, options, environment()); });
  }
  expect_error(ErrorKind::data, {"Not a directory"},
               [&] { create_run(directory_ / "file" / "run", options, environment()); });
  EXPECT_EQ(slurp(directory_ / "file"), "mine");
}

TEST_F(Run, IsNotCreatedWithOptionsThatContradictEachOther) {
  RunOptions options = sine_options({{"train.patience", "1"}, {"train.select", "last"}});
  expect_error(ErrorKind::config, {"train.patience"},
               [&] { create_run(directory_ / "run", options, environment()); });
  EXPECT_FALSE(fs::exists(directory_ / "run"));
}

TEST_F(Run, TenStepsAreFiveAResumeAndFiveMore) {
  for (const char* neuron : {"glifr", "rnn"}) {
    const std::string name = neuron;
    const Settings settings = {{"train.epochs", "10"}};
    const fs::path whole = create(name + "-whole", sine_options(settings, neuron));
    EXPECT_EQ(continue_run(whole, environment()).end, End::finished);
    const fs::path parted = create(name + "-parted", sine_options(settings, neuron));
    const RunResult stopped = continue_run(parted, environment(5));
    EXPECT_EQ(stopped.end, End::step_limit);
    EXPECT_TRUE(stopped.summary.is_null());
    EXPECT_FALSE(fs::exists(parted / "summary.json"));
    EXPECT_EQ(slurp(parted / "latest"), "step-000000005\n");
    EXPECT_EQ(continue_run(parted, environment()).end, End::finished);
    expect_same_checkpoints(parted, whole, "latest");
  }
}

TEST_F(Run, HoldsAcrossEpochsWithDropoutValidationAndSelection) {
  const Settings settings = {{"neuron.dropout", "0.2"}};
  const fs::path whole = create("whole", class_options(settings));
  const io::Json expected = continue_run(whole, environment()).summary;
  const fs::path parted = create("parted", class_options(settings));
  RunResult result;
  for (const std::int64_t steps : {1, 3, 4, 8, 11, 0}) {  // Three steps an epoch.
    result = continue_run(parted, environment(steps, steps % 2 == 0 ? 0 : 1e9));
  }
  expect_same_checkpoints(parted, whole, "latest");
  expect_same_checkpoints(parted, whole, "best");
  for (const char* member : {"train", "validation", "test", "selected_epoch", "parameters"}) {
    EXPECT_EQ(result.summary.at(member), expected.at(member)) << member;
  }
  EXPECT_GE(expected.at("selected_epoch").get<int>(), 1);
  EXPECT_EQ(expected.at("train").at("samples"), 24);
  EXPECT_EQ(expected.at("validation").at("samples"), 12);
  EXPECT_EQ(expected.at("test").at("samples"), 8);
}

TEST_F(Run, SummaryIsOfTheSelectedNetwork) {
  const fs::path run = create("run", class_options());
  const io::Json summary = continue_run(run, environment()).summary;
  const io::Json written = io::read_json(run / "summary.json", ErrorKind::data);
  EXPECT_EQ(written, summary);
  const experiment::Trained selected = experiment::load(run);
  EXPECT_EQ(selected.checkpoint.parent_path(), run / "checkpoints");
  EXPECT_EQ(selected.content.progress.at("epoch"), summary.at("selected_epoch"));
  EXPECT_EQ(selected.content.progress.at("best_accuracy"), summary.at("validation").at("accuracy"));
  EXPECT_EQ(summary.at("task"), "file");
  EXPECT_EQ(summary.at("neuron"), "gru");
  EXPECT_EQ(summary.at("stopped_early"), false);
}

TEST_F(Run, ThatHasEndedGivesItsSummaryAgain) {
  const fs::path run = create("run", sine_options({{"train.epochs", "3"}}));
  const io::Json summary = continue_run(run, environment()).summary;
  const std::string rows = slurp(run / "metrics.csv");
  EXPECT_EQ(continue_run(run, environment()).summary, summary);
  EXPECT_EQ(continue_run(run, environment(), 3).summary, summary);
  EXPECT_EQ(slurp(run / "metrics.csv"), rows) << "nothing was trained";
}

TEST_F(Run, GoesOnWhereItsSummaryIsDamaged) {
  const fs::path run = create("run", class_options());
  std::int64_t steps = 2;
  for (const std::string content : {"{\"task\": \"fi", "[]", "{}", ""}) {
    continue_run(run, environment(steps++));
    spill(run / "summary.json", content);
    EXPECT_EQ(continue_run(run, environment(steps++)).end, End::step_limit) << content;
  }
  const io::Json summary = continue_run(run, environment()).summary;
  spill(run / "summary.json", "{");
  const io::Json again = continue_run(run, environment()).summary;
  for (const char* split : {"train", "validation", "test"}) {
    EXPECT_EQ(again.at(split), summary.at(split)) << "of a run that has ended it is written again";
  }
}

/// Each member that is read later, missing or of another type.
TEST_F(Run, WritesAnIncompleteSummaryAgain) {
  const fs::path run = create("run", class_options());
  const io::Json summary = continue_run(run, environment()).summary;
  std::vector<std::string> damaged = {R"({"configuration": {}})", "[1]", "null"};
  for (const char* key : {"task", "neuron", "version", "parameters", "seed", "epochs", "wall_s",
                          "selected_epoch", "peak_memory_mib", "configuration", "test"}) {
    for (const io::Json& value : {io::Json(), io::Json::array(), io::Json{{"loss", "low"}}}) {
      if (value.is_object() && std::string(key) == "configuration") continue;
      if (value.is_null() && std::string(key) == "configuration") continue;
      io::Json changed = summary;
      changed[key] = value;
      damaged.push_back(changed.dump());
    }
  }
  damaged.resize(std::min<std::size_t>(damaged.size(), 40));
  for (const std::string& text : damaged) {
    if (text == summary.dump()) continue;
    spill(run / "summary.json", text);
    const io::Json again = continue_run(run, environment()).summary;
    EXPECT_EQ(again.at("test"), summary.at("test")) << text;
    EXPECT_EQ(again.at("neuron"), summary.at("neuron"));
  }
}

/// A run from somebody else cannot have other files written, nor checkpoints removed elsewhere.
TEST_F(Run, WritesNoFileThroughALink) {
  const Settings settings = {{"train.epochs", "4"}};
  const fs::path run = create("run", sine_options(settings));
  continue_run(run, environment(2));
  for (const char* name : {"metrics.csv", "metrics.jsonl", "latest", "run.json", "config.toml"}) {
    const fs::path victim = directory_ / ("victim-" + std::string(name));
    fs::copy(run / name, victim);
    fs::remove(run / name);
    fs::create_symlink(victim, run / name);
  }
  spill(directory_ / "victim-summary.json", "mine");
  fs::create_symlink(directory_ / "victim-summary.json", run / "summary.json");
  std::map<std::string, std::string> before;
  for (const auto& entry : fs::directory_iterator(directory_.path())) {
    if (entry.is_regular_file()) before[entry.path().string()] = slurp(entry.path());
  }
  EXPECT_EQ(continue_run(run, environment(), 5).end, End::finished);
  for (const auto& [path, content] : before) EXPECT_EQ(slurp(path), content) << path;
  EXPECT_EQ(before.size(), 6U);
  for (const auto& entry : fs::directory_iterator(run)) EXPECT_FALSE(entry.is_symlink()) << entry;
  fs::rename(run / "checkpoints", directory_ / "elsewhere");
  fs::create_directory_symlink(directory_ / "elsewhere", run / "checkpoints");
  expect_error(ErrorKind::checkpoint, {"checkpoints", "found a link"},
               [&] { continue_run(run, environment(), 6); });
}

TEST_F(Run, IsNotMadeAnewAfterItWasRemoved) {
  const fs::path run = create("run", sine_options({{"train.epochs", "3"}}));
  const RunOptions options = load_run_options(run);
  experiment::RunDirectory directory(run);
  fs::remove_all(run);
  auto task = options.experiment->make_task({});
  ThreadPool pool(1);
  auto network = options.experiment->make_network(*task);
  Trainer trainer(*network, *task, options.train, Rng(1), pool);
  Checkpointer checkpointer(directory, {}, 0);
  expect_error(ErrorKind::data, {"run", "was removed while it trained"},
               [&] { checkpointer.on_end(trainer, End::interrupted); });
  EXPECT_FALSE(fs::exists(run));
}

/// A reader of a run in training: `best` names what is removed when it looks.
TEST_F(Run, IsReadWhileItSelectsAnotherCheckpoint) {
  const fs::path run = create("run", class_options({{"train.epochs", "200"}}));
  std::atomic<bool> done = false;
  continue_run(run, environment(3));
  std::thread training([&] {
    continue_run(run, environment(400));
    done = true;
  });
  int reads = 0;
  while (!done) {
    EXPECT_NO_THROW(experiment::load(run));
    ++reads;
  }
  training.join();
  EXPECT_GT(reads, 3);
}

TEST_F(Run, CannotBecomeShorterThanItIs) {
  const fs::path run = create("run", sine_options({{"train.epochs", "4"}}));
  continue_run(run, environment(3));
  expect_error(ErrorKind::config, {"--epochs: found 2", "at least the 3 epochs"},
               [&] { continue_run(run, environment(), 2); });
  EXPECT_EQ(continue_run(run, environment(), 3).end, End::finished);
  EXPECT_EQ(slurp(run / "latest"), "step-000000003\n");
}

TEST_F(Run, CannotEndBeforeTheEpochThatHasBegun) {
  const fs::path run = create("run", class_options());  // Three steps an epoch.
  continue_run(run, environment(5));
  const std::string record = slurp(run / "run.json");
  expect_error(ErrorKind::config, {"--epochs: found 1", "at least the 2 epochs", "step 5"},
               [&] { continue_run(run, environment(), 1); });
  expect_error(ErrorKind::config, {"'train.epochs'", "1000000000 or less"},
               [&] { continue_run(run, environment(), std::int64_t{1} << 62); });
  EXPECT_EQ(slurp(run / "run.json"), record);
  EXPECT_EQ(continue_run(run, environment(), 2).end, End::finished);
  EXPECT_EQ(slurp(run / "latest"), "step-000000006\n");
}

TEST_F(Run, IsTrainedByOneProcessAtATime) {
  const fs::path run = create("run", sine_options());
  const int other = ::open(run.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  expect_error(ErrorKind::checkpoint, {run.string(), "another process"},
               [&] { continue_run(run, environment(1)); });
  ::close(other);
  EXPECT_EQ(continue_run(run, environment(1)).end, End::step_limit);
}

TEST_F(Run, WithMoreEpochsIsTheLongerRun) {
  const fs::path longer = create("longer", class_options({{"train.epochs", "5"}}));
  continue_run(longer, environment());
  const fs::path run = create("run", class_options({{"train.epochs", "2"}}));
  continue_run(run, environment());
  // Interrupted while it is extended: the longer duration is kept.
  EXPECT_EQ(continue_run(run, environment(7), 5).end, End::step_limit);
  EXPECT_FALSE(fs::exists(run / "summary.json"));
  const RunResult result = continue_run(run, environment());
  EXPECT_EQ(result.summary.at("epochs"), 5);
  EXPECT_EQ(result.summary.at("configuration").at("train.epochs"), "5");
  expect_same_checkpoints(run, longer, "latest");
  expect_same_checkpoints(run, longer, "best");
}

TEST_F(Run, EndsWhenPatienceIsOutHoweverItIsStopped) {
  const Settings settings = {
      {"train.patience", "2"}, {"train.epochs", "9"}, {"train.learning_rate", "1e-30"}};
  const fs::path run = create("run", class_options(settings));
  const RunResult result = continue_run(run, environment());
  EXPECT_EQ(result.end, End::patience);
  EXPECT_EQ(result.summary.at("stopped_early"), true);
  EXPECT_EQ(result.summary.at("epochs"), 3);
  EXPECT_EQ(result.summary.at("selected_epoch"), 1);
  // As if killed before the summary was written.
  fs::remove(run / "summary.json");
  EXPECT_EQ(continue_run(run, environment()).end, End::patience);
  EXPECT_EQ(slurp(run / "latest"), "step-000000009\n");
}

TEST_F(Run, NamesTheLastGoodCheckpointWhenTheLossIsNotFinite) {
  const Settings settings = {{"train.learning_rate", "1e30"}, {"train.epochs", "9"}};
  const fs::path run = create("run", sine_options(settings));
  const fs::path good = run / "checkpoints" / "step-000000001";
  expect_error(ErrorKind::numeric,
               {"step 2:", "first tensor that is not finite is ",
                "the last good checkpoint is " + good.string()},
               [&] { continue_run(run, environment()); });
  EXPECT_EQ(experiment::load(good).content.progress.at("step"), 1) << "it can be loaded";
  const fs::path without = create("without", sine_options(settings));
  expect_error(ErrorKind::numeric, {"step 2:", "the last good checkpoint is none"},
               [&] { continue_run(without, environment(0, 1e9)); });
}

TEST_F(Run, EvaluatesAtTheFinalSoftness) {
  const fs::path run = create("run", sine_options({{"train.epochs", "2"},
                                                   {"train.sigma_schedule", "linear"},
                                                   {"train.sigma_final", "0.25 mV"}},
                                                  "glifr"));
  continue_run(run, environment());
  EXPECT_EQ(experiment::load(run).pass.sigma_mV, 0.25);
}

TEST_F(Run, InheritsFromADonorThatWasTrainedWithTheSameSettings) {
  const fs::path donor =
      create("donor", sine_options({{"train.epochs", "3"}, {"neuron.variant", "lheta"}}, "glifr"));
  continue_run(donor, environment());
  const fs::path run = create(
      "run", sine_options(
                 {{"train.epochs", "0"}, {"neuron.variant", "fheta"}, {"inherit", donor.string()}},
                 "glifr"));
  EXPECT_EQ(continue_run(run, environment()).end, End::finished);
  const auto given = experiment::load(donor).content.model.at("layers.0.threshold");
  const auto taken = experiment::load(run).content.model.at("layers.0.threshold");
  for (std::int64_t i = 0; i < taken.numel(); ++i) {
    EXPECT_TRUE(given.eq(taken[i]).any().item<bool>()) << "threshold " << i << " is not a donor's";
  }
}

TEST_F(Run, RefusesToInheritWithoutSenseOrDonor) {
  const fs::path donor = create("donor", sine_options({{"train.epochs", "1"}}, "glifr"));
  continue_run(donor, environment());
  const fs::path other =
      create("other", sine_options({{"train.epochs", "1"}, {"task.dt", "0.1 ms"}}, "glifr"));
  continue_run(other, environment());
  const fs::path rnn = create("rnn", sine_options({{"train.epochs", "1"}}));
  continue_run(rnn, environment());
  struct Case {
    Settings settings;
    ErrorKind kind;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{{"neuron.variant", "rheta"}}, ErrorKind::config, "expected --inherit RUN"},
      {{{"inherit", donor.string()}}, ErrorKind::config, "the initial values are not inherited"},
      {{{"neuron.variant", "rheta"}, {"inherit", (directory_ / "none").string()}},
       ErrorKind::checkpoint,
       "there is no such run"},
      {{{"neuron.variant", "rheta"}, {"inherit", donor.string()}, {"network.layers", "2"}},
       ErrorKind::config,
       "the donor has no parameter 'layers.1."},
      {{{"neuron.variant", "rheta"}, {"inherit", rnn.string()}},
       ErrorKind::config,
       "the donor has neurons 'rnn', expected 'glifr'"},
      {{{"neuron.variant", "rheta"}, {"inherit", other.string()}},
       ErrorKind::config,
       "has the transform"},
  };
  int number = 0;
  for (const Case& c : cases) {
    const fs::path run =
        create("run-" + std::to_string(number++), sine_options(c.settings, "glifr"));
    expect_error(c.kind, {c.message}, [&] { continue_run(run, environment()); });
  }
}

TEST_F(Run, RefusesADirectoryThatIsDamagedOrNoRun) {
  struct Case {
    const char* what;
    std::string content;
    std::vector<std::string> message;
  };
  const std::vector<Case> cases = {
      {"not JSON", "{\"version\": ", {"run.json", "not valid JSON"}},
      {"no format", "{\"configuration\": {}}", {"run.json", "'format' is missing"}},
      {"newer format", "{\"format\": 2}", {"found format 2, expected 1", "a newer afterspike"}},
      {"an unknown option",
       R"({"format": 1, "configuration": {"task.name": "sine_generation", "neuron.name": "rnn",
           "train.colour": "red"}})",
       {"run.json", "no option called 'train.colour'"}},
      {"no configuration", "{\"format\": 1}", {"'configuration' is missing", "run.json"}},
      {"no task",
       R"({"format": 1, "configuration": {"neuron.name": "rnn"}})",
       {"'task.name' is missing", ""}},
      {"unknown task",
       R"({"format": 1, "configuration": {"task.name": "sinus", "neuron.name": "rnn"}})",
       {"no task called 'sinus'", "sine_generation"}},
      {"a value out of range",
       R"({"format": 1, "configuration": {"task.name": "sine_generation", "neuron.name": "rnn",
           "train.epochs": "-3"}})",
       {"train.epochs", "-3"}},
      {"a value of another type",
       R"({"format": 1, "configuration": {"task.name": "sine_generation", "neuron.name": "rnn",
           "train.epochs": 3}})",
       {"train.epochs", "expected text"}},
  };
  for (const Case& c : cases) {
    const fs::path run = create(c.what, sine_options());
    spill(run / "run.json", c.content);
    try {
      continue_run(run, environment());
      ADD_FAILURE() << c.what;
    } catch (const Error& error) {
      for (const std::string& part : c.message) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(part)) << c.what;
      }
    }
  }
  fs::create_directory(directory_ / "empty");
  expect_error(ErrorKind::checkpoint, {"empty: not a run: there is no run.json"},
               [&] { continue_run(directory_ / "empty", environment()); });
}

TEST_F(Run, RefusesACheckpointOfAnotherModelOrOtherData) {
  const fs::path rnn = create("rnn", sine_options());
  const fs::path glifr = create("glifr", sine_options({}, "glifr"));
  const fs::path wide = create("wide", sine_options({{"network.hidden", "9"}}));
  for (const fs::path& run : {rnn, glifr, wide}) continue_run(run, environment(2));
  for (const auto& [donor, message] :
       {std::pair(glifr, "option 'neuron.name': found \"rnn\" in run.json, expected \"glifr\""),
        std::pair(wide, "option 'network.hidden': found \"8\" in run.json, expected \"9\"")}) {
    fs::remove_all(rnn / "checkpoints");
    fs::copy(donor / "checkpoints", rnn / "checkpoints", fs::copy_options::recursive);
    expect_error(ErrorKind::checkpoint, {"step-000000002", message},
                 [&] { continue_run(rnn, environment()); });
  }
  const fs::path run = create("file", class_options());
  continue_run(run, environment(4));
  const std::string data = slurp(directory_ / "data.csv");
  spill(directory_ / "data.csv",
        data.substr(0, data.find("\n10,")) + data.substr(data.find("\n24,")));
  expect_error(ErrorKind::checkpoint, {"the train data are not those", "fingerprint"},
               [&] { continue_run(run, environment()); });
  std::string tested = data;
  tested.replace(tested.rfind("0.2"), 3, "0.7");
  spill(directory_ / "data.csv", tested);
  expect_error(ErrorKind::checkpoint, {"the test data are not those", "fingerprint"},
               [&] { continue_run(run, environment()); });
  std::string changed = data;
  changed.replace(changed.find("0.2"), 3, "0.7");
  spill(directory_ / "data.csv", changed);
  expect_error(ErrorKind::checkpoint, {"the train data are not those", "fingerprint"},
               [&] { continue_run(run, environment()); });
  spill(directory_ / "data.csv", data);
  EXPECT_EQ(continue_run(run, environment()).end, End::finished);
}

TEST_F(Run, RefusesOptionsThatWereChangedMeanwhile) {
  const fs::path run = create("run", class_options());
  continue_run(run, environment(4));
  const std::string record = slurp(run / "run.json");
  const std::vector<std::array<const char*, 3>> table = {
      {"train.learning_rate", "0.02", "0.03"}, {"seed", "1", "2"},
      {"neuron.dropout", "0", "0.5"},          {"task.split_seed", "1", "4"},
      {"train.optimizer", "adam", "adamw"},    {"task.read", "auto", "2"}};
  for (const auto& [option, before, after] : table) {
    io::Json edited = io::Json::parse(record);
    ASSERT_EQ(edited["configuration"][option], before);
    edited["configuration"][option] = after;
    spill(run / "run.json", edited.dump());
    expect_error(ErrorKind::checkpoint,
                 {"step-000000004", std::string("'") + option + "'",
                  std::string("found \"") + after + "\" in run.json"},
                 [&] { continue_run(run, environment()); });
  }
  // The place of the data may change; the data are compared.
  fs::rename(directory_ / "data.csv", directory_ / "moved.csv");
  io::Json moved = io::Json::parse(record);
  moved["configuration"]["task.data"] = (directory_ / "moved.csv").string();
  spill(run / "run.json", moved.dump());
  EXPECT_EQ(continue_run(run, environment()).end, End::finished);
}

TEST_F(Run, ResumesWithSettingsThatStandForOthers) {
  const fs::path run = create("run", sine_options({{"neuron.variant", "lheta"},
                                                   {"neuron.initial", "reference"},
                                                   {"network.match_params", "400"},
                                                   {"train.epochs", "4"}},
                                                  "glifr"));
  EXPECT_EQ(continue_run(run, environment(2)).end, End::step_limit);
  EXPECT_EQ(continue_run(run, environment()).end, End::finished);
}

TEST_F(Run, ClearsAwayWhatACrashLeft) {
  const Settings settings = {{"train.epochs", "6"}};
  const fs::path whole = create("whole", sine_options(settings));
  continue_run(whole, environment());
  const fs::path run = create("run", sine_options(settings));
  continue_run(run, environment(3));
  // A checkpoint being written, and one that nothing named yet.
  fs::create_directory(run / "checkpoints" / ".step-000000004.77-0.tmp");
  fs::copy(run / "checkpoints" / "step-000000003", run / "checkpoints" / "step-000000004");
  continue_run(run, environment());
  expect_same_checkpoints(run, whole, "latest");
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    left.push_back(entry.path().filename().string());
  }
  EXPECT_EQ(left, std::vector<std::string>{"step-000000006"}) << "nothing else is left";
}

TEST(SeedSummary, HasMeanAndSampleStandardDeviation) {
  const auto summary = [](int seed, double accuracy, double loss) {
    return io::Json{{"task", "t"},
                    {"neuron", "n"},
                    {"parameters", 3},
                    {"version", "v"},
                    {"seed", seed},
                    {"wall_s", 2.0 * seed},
                    {"train", {{"loss", loss}}},
                    {"test", {{"loss", loss}, {"accuracy", accuracy}}}};
  };
  const io::Json result =
      summarise_runs({summary(1, 0.5, 1), summary(2, 0.75, 2), summary(3, 1.0, 6)});
  EXPECT_EQ(result.at("seeds"), (io::Json{1, 2, 3}));
  EXPECT_DOUBLE_EQ(result.at("test").at("accuracy").at("mean").get<double>(), 0.75);
  EXPECT_DOUBLE_EQ(result.at("test").at("accuracy").at("sd").get<double>(), 0.25);
  EXPECT_DOUBLE_EQ(result.at("test").at("loss").at("mean").get<double>(), 3);
  EXPECT_DOUBLE_EQ(result.at("test").at("loss").at("sd").get<double>(), std::sqrt(7));
  EXPECT_EQ(result.at("test").at("loss").at("values"), (io::Json{1.0, 2.0, 6.0}));
  EXPECT_DOUBLE_EQ(result.at("wall_s").at("mean").get<double>(), 4);
  EXPECT_FALSE(result.contains("validation"));
  const io::Json one = summarise_runs({summary(4, 0.5, 1)});
  EXPECT_EQ(one.at("test").at("loss").at("mean"), 1);
  EXPECT_EQ(one.at("test").at("loss").at("sd"), 0) << "of one value there is none";
}

TEST(SummariseSeeds, CountsTheSeedsThatHaveAMeasure) {
  const auto summary = [](int seed, const io::Json& test) {
    return io::Json{{"task", "t"},  {"neuron", "n"}, {"parameters", 9}, {"version", "v"},
                    {"seed", seed}, {"wall_s", 1},   {"test", test}};
  };
  const io::Json result = summarise_runs({summary(1, {{"samples", 4}, {"loss", 2}}),
                                          summary(2, {{"samples", 4}, {"loss", 4}, {"auc", 0.5}}),
                                          summary(3, {{"samples", 4}, {"loss", 6}, {"auc", 1.0}})});
  const io::Json& auc = result.at("test").at("auc");
  EXPECT_EQ(auc.at("n"), 2);
  EXPECT_DOUBLE_EQ(auc.at("mean").get<double>(), 0.75);
  EXPECT_DOUBLE_EQ(auc.at("sd").get<double>(), std::sqrt(0.125));
  EXPECT_EQ(auc.at("values"), (io::Json{nullptr, 0.5, 1.0}));
  EXPECT_EQ(result.at("test").at("loss").at("n"), 3);
  EXPECT_FALSE(result.at("test").contains("samples"));
}

}  // namespace
}  // namespace afterspike::train
