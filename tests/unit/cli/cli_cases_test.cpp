// Odd environments: full disks, closed streams, signals, moved files, names that are no UTF-8.

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/table.hpp"
#include "command.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::Outcome;
using testing::Program;
using testing::Words;

class CliCases : public testing::CommandTest {
 protected:
  std::string path(std::string_view name) const { return (directory_ / name).string(); }

  /// Runs the program by a shell with redirections; returns its exit status.
  int shell(const std::string& words, const std::string& redirections) const {
    const std::string command = fmt::format("cd '{}' && '{}' {} {}", directory_.path().string(),
                                            AFTERSPIKE_TEST_PROGRAM, words, redirections);
    const int status = std::system(command.c_str());
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  /// Six sequences of two named classes.
  void write_named(const std::string& file) const {
    std::string text = "sequence,input,label,split\n";
    for (int sample = 0; sample < 6; ++sample) {
      text += fmt::format("cell {0},{1},{2},{3}\ncell {0},{1},{2},{3}\n", 'A' + sample % 26,
                          sample % 2 == 0 ? 1 : -1, sample % 2 == 0 ? "left" : "right",
                          sample < 4 ? 0 : 2);
    }
    testing::spill(file, text);
  }

  Words train_file(const std::string& file, const std::string& out) const {
    return {"train", "--task",    "file", "--data", file, "--neuron", "rnn", "--hidden",
            "4",     "--threads", "1",    "--out",  out,  "--epochs", "1"};
  }
};

TEST_F(CliCases, AFullDiskBehindStandardOutputIsAnError) {
  succeed(train_sines(path("run"), {"--epochs", "1"}));
  for (const char* words : {"list tasks", "--version", "evaluate run --json", "info run --json"}) {
    EXPECT_EQ(shell(words, ">/dev/full 2>err"), 4) << words;
    EXPECT_THAT(testing::slurp(path("err")),
                HasSubstr("standard output cannot be written: No space left on device"))
        << words;
  }
  EXPECT_EQ(shell("list tasks", ">&- 2>err"), 4);
  EXPECT_EQ(shell("list tasks", ">out 2>err"), 0);
}

TEST_F(CliCases, MessagesThatCannotBeWrittenAreLostAndNothingElse) {
  const std::string words =
      "train --task sine_generation --neuron glifr --hidden 8 --set 'task.duration=1 ms' --threads"
      " 1 --epochs 3 --out ";
  EXPECT_EQ(shell(words + "full", "2>/dev/full"), 0);
  EXPECT_TRUE(fs::exists(path("full/summary.json")));
  EXPECT_EQ(shell("info nothing", "2>/dev/full"), 5);
  // Without a standard error, no file of the run may take its place.
  EXPECT_EQ(shell(words + "closed", "2>&- >&- <&-"), 0);
  EXPECT_TRUE(fs::exists(path("closed/summary.json")));
  for (const auto& entry : fs::recursive_directory_iterator(path("closed"))) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(testing::slurp(entry.path()).find("epoch 3/3"), std::string::npos) << entry.path();
  }
}

TEST_F(CliCases, AReaderThatStopsDoesNotEndATraining) {
  const std::string words =
      "train --task sine_generation --neuron glifr --hidden 8 --set 'task.duration=1 ms' --threads"
      " 1 --epochs 300 --out read";
  shell(words, "2>&1 >/dev/null | head -c 1 >/dev/null");
  EXPECT_TRUE(fs::exists(path("read/summary.json")));
}

TEST_F(CliCases, HangUpUserSignalAndTimeLimitSaveAndStop) {
  for (const int signal : {SIGHUP, SIGUSR1, SIGXCPU}) {
    const std::string run = path(fmt::format("run-{}", signal));
    Program training(train_sines(run, {"--epochs", "1000000", "--quiet"}), directory_.path());
    ASSERT_TRUE(training.wait_until([&] { return fs::exists(fs::path(run) / "metrics.csv"); }));
    // Twice, as a closed terminal and a processor limit send them.
    training.send(signal);
    training.send(signal);
    const Outcome outcome = training.wait();
    EXPECT_EQ(outcome.status, 128 + signal) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("stopped and saved"));
    EXPECT_TRUE(fs::exists(fs::path(run) / "latest"));
  }
}

TEST_F(CliCases, AHintCanBePasted) {
  const Outcome stopped = succeed(train_sines(
      path("my run"), {"--epochs", "3", "--max-steps", "1", "--data-dir", path("it's here")}));
  EXPECT_THAT(stopped.err,
              HasSubstr(fmt::format("afterspike train --resume '{}' --data-dir '{}/it'\\''s here'",
                                    path("my run"), directory_.path().string())));
  const io::Json record = io::read_json(path("my run/run.json"), ErrorKind::data);
  const auto command = record.at("command").get<std::string>();
  EXPECT_THAT(command, HasSubstr("--set 'task.duration=1 ms'"));
  const Outcome again = refused(2, train_sines(path("my run")), {"--resume '"});
}

TEST_F(CliCases, DataMovedTogetherWithTheRunAreFound) {
  fs::create_directories(path("old/data"));
  write_named(path("old/data/mine.csv"));
  succeed(train_file(path("old/data/mine.csv"), path("old/runs/a")));
  fs::rename(path("old"), path("new"));
  const Outcome outcome = succeed({"evaluate", path("new/runs/a")});
  EXPECT_THAT(outcome.err, HasSubstr("old/data/mine.csv is gone; using " + path("new/data")));
  succeed({"train", "--resume", path("new/runs/a"), "--epochs", "2"});
  fs::remove_all(path("new/data"));
  refused(4, {"evaluate", path("new/runs/a")},
          {"mine.csv", "there is no such file", "task.data in", "run.json"});
}

TEST_F(CliCases, NamesThatAreNoUtf8AreRefusedInASentence) {
  const Outcome outcome =
      refused(2, train_sines(path("l\xe4ufe"), {"--epochs", "1"}), {"l\\xe4ufe", "expected UTF-8"});
  EXPECT_FALSE(fs::exists(path("l\xe4ufe")));
  fs::create_directories(path("f\xfcr"));
  EXPECT_EQ(shell("list tasks", ">out"), 0);
  const std::string folder = path("f\xfcr");
  refused(5, {"info", folder}, {"f\\xfcr", "neither a run nor a checkpoint"});
}

TEST_F(CliCases, NamesOfClassesAndSequencesAreKept) {
  write_named(path("mine.csv"));
  succeed(train_file(path("mine.csv"), path("run")));
  testing::spill(path("new.csv"), "sequence,input\n1000,1\n1001,-1\n1001,-1\n");
  succeed({"predict", path("run"), "--data", path("new.csv"), "--out", path("out.csv")});
  constexpr std::string_view kTexts[] = {"class"};
  const io::Table table = io::read_csv(path("out.csv"), "", io::Gaps::refused, kTexts);
  EXPECT_EQ(table.columns, (Words{"sequence", "class", "probability_left", "probability_right"}));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0][0], 1000);
  EXPECT_EQ(table.rows[1][0], 1001);
  for (const std::string& name : table.texts.at("class")) {
    EXPECT_TRUE(name == "left" || name == "right") << name;
  }
}

TEST_F(CliCases, AFolderThatHoldsACheckpointStandsForIt) {
  succeed(train_sines(path("run"), {"--epochs", "1"}));
  fs::create_directories(path("shipped"));
  fs::rename(fs::path(path("run/checkpoints")) /
                 testing::slurp(path("run/latest"))
                     .substr(0, testing::slurp(path("run/latest")).find('\n')),
             path("shipped/checkpoint"));
  succeed({"info", path("shipped")});
  succeed({"evaluate", path("shipped")});
}

TEST_F(CliCases, AFinishedOneCycleAsksHowToGoOn) {
  const Words one_cycle = {"--epochs", "3", "--set", "train.schedule=one_cycle"};
  succeed(train_sines(path("run"), one_cycle));
  const Words more = {"train", "--resume", path("run"), "--epochs", "6"};
  refused(2, more,
          {"the one_cycle schedule of", "has ended after 3 epochs", "--schedule restart",
           "--schedule hold"});
  fs::copy(path("run"), path("held"), fs::copy_options::recursive);
  const auto rates = [&](const std::string& run) {
    std::vector<double> values;
    for (const auto& row : io::read_csv(path(run + "/metrics.csv"), "", io::Gaps::allowed).rows) {
      values.push_back(row[2]);
    }
    return values;
  };
  succeed({"train", "--resume", path("run"), "--epochs", "6", "--schedule", "restart"});
  succeed({"train", "--resume", path("held"), "--epochs", "6", "--schedule", "hold"});
  const std::vector<double> again = rates("run"), held = rates("held");
  ASSERT_EQ(again.size(), 6U);
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    EXPECT_DOUBLE_EQ(again[epoch + 3], again[epoch]) << "a cycle like the first";
    EXPECT_DOUBLE_EQ(held[epoch + 3], held[2]);
  }
  refused(2, train_sines(path("new"), {"--schedule", "hold"}), {"--schedule: expected --resume"});
}

TEST_F(CliCases, ATestSplitThatIsTheTrainingDataIsCalledSo) {
  EXPECT_THAT(succeed(train_sines(path("run"), {"--epochs", "1"})).err,
              HasSubstr("no test data: these are the training data"));
  EXPECT_THAT(succeed({"evaluate", path("run")}).err,
              HasSubstr("the test split is the training data"));
  EXPECT_EQ(succeed({"evaluate", path("run"), "--split", "train"}).err.find("training data"),
            std::string::npos);
}

TEST_F(CliCases, HelpIsGivenInEveryUsualWay) {
  const std::string help = succeed({"train", "--help"}).out;
  EXPECT_EQ(succeed({"train", "-h"}).out, help);
  EXPECT_EQ(succeed({"help", "train"}).out, help);
  EXPECT_EQ(succeed({"-h"}).out, succeed({"help"}).out);
}

TEST_F(CliCases, DataFilesArePreviewed) {
  testing::spill(path("mine.csv"),
                 "sequence,input_a,label,split\n7,1.5,left,0\n7,-2,left,0\n8,,right,2\n");
  io::Json about = json({"info", path("mine.csv"), "--json"});
  EXPECT_EQ(about.at("samples"), 2);
  EXPECT_EQ(about.at("lengths").at("max"), 2);
  EXPECT_EQ(about.at("classes"), (io::Json{{"left", 1}, {"right", 1}}));
  EXPECT_EQ(about.at("columns").at(1).at("nan"), 1);
  EXPECT_EQ(about.at("columns").at(1).at("min"), -2);
  EXPECT_THAT(succeed({"info", path("mine.csv")}).out,
              HasSubstr("classes    2 (left: 1, right: 1)"));
  {
    io::Hdf5File file(path("mine.h5"), io::Hdf5File::Mode::create);
    file.write<float>("/inputs", {{2, 3, 1}, {1, 2, 3, 4, std::nanf(""), 6}});
    file.write<std::int64_t>("/labels", {{2}, {0, 1}});
    file.write<std::int64_t>("/lengths", {{2}, {3, 2}});
  }
  about = json({"info", path("mine.h5"), "--json"});
  EXPECT_EQ(about.at("samples"), 2);
  EXPECT_EQ(about.at("lengths").at("min"), 2);
  EXPECT_EQ(about.at("columns").at(0).at("nan"), 1);
  EXPECT_EQ(about.at("columns").at(0).at("max"), 6);
}

TEST_F(CliCases, DataAreFoundFromAnyDirectory) {
  // A run on a set that is nowhere: the message names the folder that was looked at.
  const Outcome missing = Program({"data", "verify", "mnist"}, directory_.path(),
                                  {"HOME=" + path("home"), "XDG_DATA_HOME="})
                              .wait();
  EXPECT_THAT(missing.err, HasSubstr(path("home/.local/share/afterspike/mnist")));
  const auto verify = [&](const Words& variables) {
    return Program({"data", "verify", "mnist"}, directory_.path(), variables).wait().err;
  };
  EXPECT_THAT(verify({"XDG_DATA_HOME=" + path("xdg")}), HasSubstr(path("xdg/afterspike/mnist")));
  EXPECT_THAT(verify({"AFTERSPIKE_DATA_DIR=" + path("own"), "XDG_DATA_HOME=" + path("xdg")}),
              HasSubstr(path("own/mnist")));
  fs::create_directories(path("datasets/data"));
  EXPECT_THAT(verify({"XDG_DATA_HOME=" + path("xdg")}), HasSubstr("'datasets/data/mnist'"));
}

}  // namespace
}  // namespace afterspike
