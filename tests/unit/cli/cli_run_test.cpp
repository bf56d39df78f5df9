#include <sys/resource.h>

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/io/table.hpp"
#include "command.hpp"
#include "support/class_files.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using testing::checkpoint_file;
using ::testing::HasSubstr;
using testing::Outcome;
using testing::slurp;
using testing::Words;

/// Consecutive commands on the same run.
class CliRun : public testing::CommandTest {
 protected:
  std::string path(const char* name) const { return (directory_ / name).string(); }

  /// Words to train gated units on a file of two classes.
  Words train_classes(const std::string& data, const char* out, const Words& more = {}) const {
    Words words = {"train",
                   "--task",
                   "file",
                   "--neuron",
                   "gru",
                   "--data",
                   data,
                   "--hidden",
                   "6",
                   "--epochs",
                   "25",
                   "--set",
                   "train.batch_size=8",
                   "--learning-rate",
                   "0.05",
                   "--out",
                   path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(CliRun, TrainsEvaluatesPredictsAndDescribesOnAUsersFile) {
  testing::write_class_csv(path("data.csv"));
  testing::write_class_hdf5(path("data.h5"));
  const io::Json summary = json(train_classes(path("data.csv"), "csv", {"--json"}));
  EXPECT_EQ(summary, io::read_json(directory_ / "csv" / "summary.json", ErrorKind::data));
  EXPECT_GE(summary.at("test").at("accuracy").get<double>(), 0.9) << "the classes are easy";
  succeed(train_classes(path("data.h5"), "hdf5"));
  EXPECT_EQ(checkpoint_file(directory_ / "hdf5", "model.safetensors"),
            checkpoint_file(directory_ / "csv", "model.safetensors"))
      << "the same data";

  for (const char* split : {"train", "validation", "test"}) {
    const io::Json result = json({"evaluate", path("csv"), "--split", split, "--json"});
    for (const char* member : {"accuracy", "loss", "samples"}) {
      EXPECT_EQ(result.at(member), summary.at(split).at(member)) << split << ", " << member;
    }
    EXPECT_EQ(result.at("task"), "file");
    EXPECT_EQ(result.at("neuron"), "gru");
    EXPECT_EQ(result.at("split"), split);
    EXPECT_EQ(result.at("fingerprint_matches"), true);
    EXPECT_EQ(result.at("parameters"), summary.at("parameters"));
  }
  const std::string text = succeed({"evaluate", path("csv")}).out;
  for (const char* name : {"accuracy", "loss", "samples", "task", "neuron", "parameters"}) {
    EXPECT_THAT(text, HasSubstr(name));
  }

  std::string data = testing::slurp(path("data.csv"));
  for (auto at = data.find(",0."); at != data.npos; at = data.find(",0.", at)) data[at + 1] = '1';
  testing::spill(path("data.csv"), data);
  EXPECT_EQ(json({"evaluate", path("csv"), "--json"}).at("fingerprint_matches"), false);
  EXPECT_THAT(succeed({"evaluate", path("csv")}).err,
              HasSubstr("the test data are not those of the run"));

  const io::Json about = json({"info", path("csv"), "--json"});
  EXPECT_EQ(about.at("trained_parameters"), summary.at("parameters"));
  EXPECT_EQ(about.at("progress").at("epoch"), summary.at("selected_epoch"));
  EXPECT_EQ(about.at("parameters").at(0).at("name"), "layers.0.input_weight");
  EXPECT_THAT(succeed({"info", path("csv")}).out, HasSubstr("layers.0.recurrent_weight"));
}

TEST_F(CliRun, PredictsTheClassesThatEvaluateCounts) {
  testing::write_class_csv(path("data.csv"));
  testing::write_class_hdf5(path("data.h5"));
  succeed(train_classes(path("data.csv"), "run"));
  for (const char* data : {"data.csv", "data.h5"}) {
    succeed(
        {"predict", path("run"), "--data", path(data), "--out", path("answers.csv"), "--force"});
    const io::Table table = io::read_csv(path("answers.csv"));
    EXPECT_EQ(table.columns, (Words{"sequence", "class", "probability_0", "probability_1"}));
    ASSERT_EQ(table.rows.size(), static_cast<std::size_t>(testing::kClassSamples));
    int right = 0;
    for (int sample = 0; sample < testing::kClassSamples; ++sample) {
      const auto& row = table.rows[static_cast<std::size_t>(sample)];
      EXPECT_EQ(row[0], sample);
      EXPECT_NEAR(row[2] + row[3], 1, 1e-6);
      EXPECT_EQ(row[1], row[3] > row[2] ? 1 : 0);
      if (testing::class_split(sample) == 2) right += row[1] == sample % 2 ? 1 : 0;
    }
    const io::Json result = json({"evaluate", path("run"), "--json"});
    EXPECT_EQ(result.at("accuracy").get<double>(), right / 8.0);
  }
}

TEST_F(CliRun, PredictsTracesStepByStep) {
  testing::spill(directory_ / "in.csv", "sequence,input\n0,1\n0,1\n0,1\n1,0.5\n");
  succeed(train_sines(path("run"), {"--epochs", "2"}));
  succeed({"predict", path("run"), "--data", path("in.csv"), "--out", path("out.csv")});
  const io::Table table = io::read_csv(path("out.csv"));
  EXPECT_EQ(table.columns, (Words{"sequence", "step", "output_0"}));
  ASSERT_EQ(table.rows.size(), 4U) << "no steps beyond the end of a sequence";
  EXPECT_EQ(table.rows[2][1], 2);
  EXPECT_EQ(table.rows[3][0], 1);
  const io::Json result = json({"evaluate", path("run"), "--json"});
  EXPECT_FALSE(result.contains("accuracy")) << "nothing is classified";
  EXPECT_EQ(result.at("samples"), 6);
}

TEST_F(CliRun, PredictsOverNothingThatCouldBeMissed) {
  const std::string sequences = "sequence,input\n0,1\n0,1\n";
  testing::spill(directory_ / "in.csv", sequences);
  testing::spill(directory_ / "mine.csv", "mine");
  fs::create_symlink("in.csv", path("link.csv"));
  fs::create_symlink("run/summary.json", path("inside.csv"));
  fs::create_symlink("new.csv", path("later.csv"));
  succeed(train_sines(path("run"), {"--epochs", "1"}));
  const std::string summary = slurp(directory_ / "run" / "summary.json");
  const auto words = [&](const std::string& out, const Words& more = {}) {
    Words all = {"predict", path("run"), "--data", path("in.csv"), "--out", out};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const std::vector<std::pair<std::string, std::string>> refused = {
      {path("in.csv"), "is the file that --data names"},
      {path("link.csv"), "is the file that --data names"},
      {path("run/new.csv"), "is in the directory of the run"},
      {path("run/checkpoints/../summary.json"), "is in the directory of the run"},
      {path("inside.csv"), "is in the directory of the run"},
      {directory_.path().string(), "is a directory"}};
  for (const auto& [out, message] : refused) {
    for (const Words& force : {Words{}, Words{"--force"}}) {
      const Outcome outcome = run(words(out, force));
      EXPECT_EQ(outcome.status, 2) << out;
      EXPECT_THAT(outcome.err, HasSubstr(out));
      EXPECT_THAT(outcome.err, HasSubstr(message));
    }
  }
  EXPECT_THAT(run(words(path("mine.csv"))).err, HasSubstr("exists already"));
  EXPECT_THAT(run(words(path("mine.csv"))).err, HasSubstr("--force"));
  EXPECT_EQ(slurp(path("mine.csv")), "mine");
  EXPECT_EQ(slurp(path("in.csv")), sequences);
  EXPECT_EQ(slurp(directory_ / "run" / "summary.json"), summary);

  succeed(words(path("mine.csv"), {"--force"}));
  succeed(words(path("later.csv")));
  EXPECT_EQ(slurp(path("new.csv")), slurp(path("mine.csv")));
  EXPECT_TRUE(fs::is_symlink(path("later.csv")));
  EXPECT_EQ(succeed(words("/dev/stdout")).out, slurp(path("mine.csv")));
}

TEST_F(CliRun, RefusesDataThatTheNetworkWasNotTrainedFor) {
  testing::write_class_csv(path("data.csv"));
  succeed(train_classes(path("data.csv"), "run"));
  testing::write_class_csv(path("wide.csv"), 3);
  const Outcome wide =
      run({"predict", path("run"), "--data", path("wide.csv"), "--out", path("out.csv")});
  EXPECT_EQ(wide.status, 4);
  EXPECT_THAT(wide.err, HasSubstr("wide.csv: the sequences have 3 features, expected 2"));
  EXPECT_FALSE(fs::exists(path("out.csv")));
  const Outcome none =
      run({"predict", path("run"), "--data", path("none.csv"), "--out", path("out.csv")});
  EXPECT_EQ(none.status, 4);
  EXPECT_THAT(none.err, HasSubstr("none.csv"));
  const Outcome nowhere =
      run({"predict", path("run"), "--data", path("data.csv"), "--out", path("no/out.csv")});
  EXPECT_EQ(nowhere.status, 4);
  EXPECT_THAT(nowhere.err, HasSubstr("no/out.csv"));
  // The file of the run itself changes.
  testing::write_class_csv(path("data.csv"), 3);
  const Outcome changed = run({"evaluate", path("run")});
  EXPECT_EQ(changed.status, 4);
  EXPECT_THAT(changed.err, HasSubstr("3 features"));
  EXPECT_EQ(run({"train", "--resume", path("run"), "--epochs", "26"}).status, 5);
  fs::remove(path("data.csv"));
  EXPECT_EQ(run({"evaluate", path("run")}).status, 4);
}

TEST_F(CliRun, TwoEqualTrainingsAreEqualBytes) {
  testing::write_class_csv(path("data.csv"));
  // Two shards a batch would need 65 samples; evaluation and threads are exercised all the same.
  for (const char* threads : {"1", "2", "3"}) {
    const std::string out = std::string("run") + threads;
    succeed(train_classes(path("data.csv"), out.c_str(), {"--threads", threads}));
    for (const char* file : {"model.safetensors", "training.safetensors"}) {
      EXPECT_EQ(checkpoint_file(directory_ / out, file), checkpoint_file(directory_ / "run1", file))
          << threads << " threads: " << file;
    }
  }
  const std::string other = "other";
  succeed(train_classes(path("data.csv"), "other", {"--seed", "2"}));
  EXPECT_NE(checkpoint_file(directory_ / other, "model.safetensors"),
            checkpoint_file(directory_ / "run1", "model.safetensors"));
}

TEST_F(CliRun, TrainsOnTheDigitsThatShipWithTheProject) {
  const Words words = {"train",
                       "--task",
                       "line_mnist",
                       "--neuron",
                       "glifr",
                       "--hidden",
                       "8",
                       "--set",
                       "task.dataset=mini_mnist",
                       "--set",
                       "task.train_samples=200",
                       "--set",
                       "task.validation=50",
                       "--set",
                       "task.test_samples=50",
                       "--epochs",
                       "2"};
  for (const char* threads : {"1", "2"}) {
    Words all = words;
    all.insert(all.end(), {"--threads", threads, "--out", path(threads)});
    succeed(all);
  }
  EXPECT_EQ(checkpoint_file(directory_ / "1", "model.safetensors"),
            checkpoint_file(directory_ / "2", "model.safetensors"));
  const io::Json summary = io::read_json(directory_ / "1" / "summary.json", ErrorKind::data);
  EXPECT_EQ(summary.at("train").at("samples"), 200);
  EXPECT_EQ(summary.at("validation").at("samples"), 50);
  EXPECT_EQ(summary.at("test").at("samples"), 50);
}

TEST_F(CliRun, LeavesTheNameFreeWhenNothingWasTrained) {
  const fs::path out = directory_ / "run";
  for (const Words& wrong : std::vector<Words>{{"--set", "train.patience=3"},
                                               {"--set", "train.select=best"},
                                               {"--variant", "fheta"},
                                               {"--inherit", path("nobody")},
                                               {"--set", "train.patience=3", "--seeds", "2"}}) {
    EXPECT_NE(run(train_sines(out, wrong)).status, 0);
    EXPECT_FALSE(fs::exists(out)) << ::testing::PrintToString(wrong);
  }
  succeed(train_sines(out, {"--epochs", "1"}));
}

#ifndef __SANITIZE_ADDRESS__  // The sanitizer reserves more addresses than any limit allows.
TEST_F(CliRun, SaysThatTheMemoryIsNotEnoughAndLeavesTheNameFree) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  rlimit low = before;
  low.rlim_cur = rlim_t{4} << 30;
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &low), 0);
  // Weights of 1.6 GB, drawn in double precision.
  const Outcome outcome = start(train_sines(path("run"), {"--set", "network.hidden=20000"}));
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(outcome.status, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("afterspike: not enough memory"));
  EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("alloc")));
  EXPECT_FALSE(fs::exists(path("run")));
}
#endif

TEST_F(CliRun, SaysWhichPathCannotBeLookedUp) {
  const std::string name(300, 'a');
  for (const Words& words :
       std::vector<Words>{{"info", path(name.c_str())}, train_sines(path(name.c_str()))}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, 4);
    EXPECT_THAT(outcome.err, HasSubstr("'" + path(name.c_str())));
    EXPECT_THAT(outcome.err, HasSubstr(": cannot be looked up: File name too long"));
    EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("filesystem error")));
  }
}

TEST_F(CliRun, TrainsSeveralSeedsAndGoesOnWithThem) {
  const fs::path out = directory_ / "runs";
  const Words settings = {"--epochs", "6", "--seed", "4"};
  Words words = settings;
  words.insert(words.end(), {"--seeds", "2", "--max-steps", "3"});
  succeed(train_sines(out, words));
  EXPECT_FALSE(fs::exists(out / "summary.json"));
  EXPECT_FALSE(fs::exists(out / "seed-5")) << "the first was stopped";
  const io::Json summary = json({"train", "--resume", out.string(), "--json", "--quiet"});
  EXPECT_EQ(summary.at("seeds"), (io::Json{4, 5}));
  double values[2] = {0, 0};
  for (const int i : {0, 1}) {
    const fs::path run = out / ("seed-" + std::to_string(4 + i));
    const io::Json one = io::read_json(run / "summary.json", ErrorKind::data);
    values[i] = one.at("test").at("loss").get<double>();
    EXPECT_EQ(one.at("seed"), 4 + i);
  }
  const double mean = (values[0] + values[1]) / 2;
  EXPECT_NEAR(summary.at("test").at("loss").at("mean").get<double>(), mean, 1e-12);
  EXPECT_NEAR(summary.at("test").at("loss").at("sd").get<double>(),
              std::abs(values[0] - values[1]) / std::sqrt(2), 1e-12);
  // Each equals the run of its seed alone.
  succeed(train_sines(directory_ / "alone", {"--epochs", "6", "--seed", "5"}));
  EXPECT_EQ(checkpoint_file(out / "seed-5", "model.safetensors"),
            checkpoint_file(directory_ / "alone", "model.safetensors"));
  const Outcome evaluated = run({"evaluate", out.string()});
  EXPECT_EQ(evaluated.status, 5);
  EXPECT_THAT(evaluated.err, HasSubstr("runs of several seeds"));
}

TEST_F(CliRun, MoreEpochsForSeveralSeedsAreRemembered) {
  const fs::path out = directory_ / "runs";
  succeed(train_sines(out, {"--epochs", "1", "--seeds", "2"}));
  succeed({"train", "--resume", out.string(), "--epochs", "4", "--max-steps", "2"});
  succeed({"train", "--resume", out.string()});
  for (const char* seed : {"seed-1", "seed-2"}) {
    EXPECT_EQ(testing::latest_step(out / seed), 4) << seed;
  }
}

TEST_F(CliRun, InheritsInitialValuesFromAnotherRun) {
  succeed(train_sines(path("donor"), {"--epochs", "3", "--variant", "lheta"}));
  succeed(train_sines(path("heir"),
                      {"--epochs", "2", "--variant", "fheta", "--inherit", path("donor")}));
  const io::Json about = json({"info", path("heir"), "--json"});
  EXPECT_EQ(about.at("configuration").at("inherit"), path("donor"));
  const Outcome outcome = run(train_sines(path("other"), {"--variant", "fheta"}));
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("expected --inherit RUN"));
}

TEST_F(CliRun, DescribesASafetensorsFile) {
  succeed(train_sines(path("run"), {"--epochs", "1"}));
  const fs::path file = directory_ / "run" / "checkpoints" / "step-000000001" / "model.safetensors";
  const io::Json about = json({"info", file.string(), "--json"});
  bool found = false;
  for (const io::Json& tensor : about.at("tensors")) {
    if (tensor.at("name") != "readout.weight") continue;
    found = true;
    EXPECT_EQ(tensor.at("shape"), (io::Json{1, 8}));
    EXPECT_EQ(tensor.at("type"), "F32");
  }
  EXPECT_TRUE(found);
  EXPECT_THAT(succeed({"info", file.string()}).out, HasSubstr("readout.weight"));
}

TEST_F(CliRun, SaysThatAFileIsNoSafetensorsFile) {
  testing::spill(directory_ / "text", "Once upon a time there was a text.");
  const Outcome outcome = run({"info", path("text")});
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr(path("text") + "': not a safetensors file"));
}

TEST_F(CliRun, RefusesADamagedRunNamingTheFile) {
  succeed(train_sines(path("run"), {"--epochs", "1"}));
  const fs::path model =
      directory_ / "run" / "checkpoints" / "step-000000001" / "model.safetensors";
  const std::string good = slurp(model);
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  testing::write_class_csv(path("data.csv"), 1);
  for (const std::string& bad : {good.substr(0, good.size() / 2), flipped, std::string()}) {
    testing::spill(model, bad);
    for (const Words& words :
         std::vector<Words>{{"evaluate", path("run")},
                            {"info", path("run")},
                            {"train", "--resume", path("run"), "--epochs", "26"},
                            {"predict", path("run"), "--data", path("data.csv"), "--out", "x"}}) {
      const Outcome outcome = run(words);
      EXPECT_EQ(outcome.status, 5) << words[0];
      EXPECT_THAT(outcome.err, HasSubstr(model.string())) << words[0];
      EXPECT_THAT(outcome.err, HasSubstr("damaged")) << words[0];
    }
  }
}

TEST_F(CliRun, SaysBeforeHowMuchMemoryItTakesAndKeepsWithinALimit) {
#ifdef __SANITIZE_ADDRESS__  // The sanitizer's shadow is memory, too.
  constexpr double kTolerance = 0.25;
#else
  constexpr double kTolerance = 0.1;
#endif
  const Words usual = {"--neuron", "glifr", "--hidden", "100", "--threads", "2"};
  const Words wide = {"--neuron", "lstm", "--hidden", "200", "--threads", "1", "--read", "all"};
  const auto train = [&](const char* out, const Words& network, const Words& more) {
    Words words = {"train",    "--task", "pixel_mnist", "--set",  "task.dataset=mini_mnist",
                   "--epochs", "1",      "--out",       path(out)};
    words.insert(words.end(), network.begin(), network.end());
    words.insert(words.end(), more.begin(), more.end());
    return start(words);
  };
  const auto planned = [](const Outcome& outcome) {
    const auto place = outcome.err.find("memory: ");
    EXPECT_NE(place, std::string::npos) << outcome.err;
    return std::stod(outcome.err.substr(outcome.err.find_first_of("0123456789", place)));
  };
  const auto summary = [&](const char* out) {
    return io::read_json((directory_ / out) / "summary.json", ErrorKind::data);
  };
  const Outcome free = train("free", usual, {});
  ASSERT_EQ(free.status, 0) << free.err;
  const double peak = summary("free").at("peak_memory_mib").get<double>();
  EXPECT_NEAR(planned(free) / peak, 1, kTolerance);

  const std::string limit = std::to_string(static_cast<int>(planned(free) - 15)) + "MiB";
  const Outcome bounded = train("bounded", usual, {"--memory-limit", limit});
  ASSERT_EQ(bounded.status, 0) << bounded.err;
  EXPECT_LT(planned(bounded), planned(free) - 14);
  EXPECT_NEAR(planned(bounded) / summary("bounded").at("peak_memory_mib").get<double>(), 1,
              kTolerance);
  EXPECT_EQ(summary("bounded").at("test"), summary("free").at("test")) << "to the same bits";

  // malloc keeps freed tensors of this size unless told otherwise.
  const double wide_limit = planned(train("wide", wide, {})) - 30;
  const std::string size = std::to_string(static_cast<int>(wide_limit)) + "MiB";
  ASSERT_EQ(train("wide_bounded", wide, {"--memory-limit", size}).status, 0);
  EXPECT_EQ(summary("wide_bounded").at("test"), summary("wide").at("test"));
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LE(summary("wide_bounded").at("peak_memory_mib").get<double>(), wide_limit);
#endif

  const Outcome least = train("least", usual, {"--memory-limit", "10 MiB"});
  EXPECT_EQ(least.status, 3);
  constexpr std::string_view kAdvice = "--memory-limit: found 10 MiB, expected at least ";
  EXPECT_THAT(least.err, HasSubstr(kAdvice));
  // The suggested limit is enough for any run.
  const double asked = std::stod(least.err.substr(least.err.find(kAdvice) + kAdvice.size()));
  for (const char* out : {"asked_1", "asked_2", "asked_3"}) {
    const Outcome enough =
        train(out, usual, {"--memory-limit", fmt::format("{} MiB", asked), "--max-steps", "1"});
    EXPECT_EQ(enough.status, 0) << enough.err;
  }
  for (const char* wrong_size : {"2 gigs", "0.5B"}) {
    const Outcome wrong = train("wrong", usual, {"--memory-limit", wrong_size});
    EXPECT_EQ(wrong.status, 3);
    EXPECT_THAT(wrong.err,
                HasSubstr(std::string("'") + wrong_size + "', expected a size such as 2GiB"));
  }
}

TEST_F(CliRun, RefusesAnotherModelThanThatOfTheFileBeforeItsOptions) {
  testing::spill(directory_ / "elm.toml",
                 "[task]\nname = \"sine_generation\"\n[neuron]\nlearn = \"none\"\n"
                 "name = \"elm\"\n");
  const Outcome outcome =
      run({"train", "--config", path("elm.toml"), "--neuron", "lstm", "--out", path("other")});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("--neuron: found 'lstm', expected 'elm', which '"));
}

TEST_F(CliRun, TakesTheSizeOfTheCommandLineForThatOfTheFile) {
  testing::spill(directory_ / "matched.toml",
                 "[task]\nname = \"sine_generation\"\n[neuron]\nname = \"rnn\"\n"
                 "[network]\nmatch_params = 5000\n");
  const std::string file = path("matched.toml");
  succeed({"train", "--config", file, "--hidden", "4", "--epochs", "1", "--out", path("small")});
  const auto summary = io::read_json(directory_ / "small" / "summary.json", ErrorKind::data);
  EXPECT_LT(summary.at("parameters").get<int>(), 200);
  for (const std::vector<std::string>& size :
       {std::vector<std::string>{"--match-params", "300"}, {"--set", "network.match_params=300"}}) {
    const Outcome both = run({"train", "--config", file, "--hidden", "4", size[0], size[1],
                              "--epochs", "1", "--out", path("both")});
    EXPECT_EQ(both.status, 2);
    EXPECT_THAT(both.err, HasSubstr("--hidden: found network.match_params 300"));
  }
}

TEST_F(CliRun, OfSeveralSeedsIsNotChangedByANumberOfEpochsThatIsRefused) {
  succeed({"train", "--task", "sine_generation", "--neuron", "rnn", "--hidden", "4", "--set",
           "task.duration=1ms", "--epochs", "4", "--seeds", "2", "--out", path("seeds")});
  const std::string before = testing::slurp((directory_ / "seeds") / "run.json");
  const Outcome refused = run({"train", "--resume", path("seeds"), "--epochs", "2"});
  EXPECT_EQ(refused.status, 3) << refused.err;
  EXPECT_EQ(testing::slurp((directory_ / "seeds") / "run.json"), before);
  succeed({"train", "--resume", path("seeds"), "--epochs", "6"});
  for (const char* seed : {"seed-1", "seed-2"}) {
    EXPECT_EQ(
        io::read_json((directory_ / "seeds") / seed / "summary.json", ErrorKind::data).at("epochs"),
        6);
  }
  EXPECT_NE(testing::slurp((directory_ / "seeds") / "run.json"), before);
}

}  // namespace
}  // namespace afterspike
