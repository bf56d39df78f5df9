#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/command.hpp"
#include "command.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::Outcome;
using testing::spill;
using testing::Words;

class Cli : public testing::CommandTest {};

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(Cli, HelpsWithEveryCommand) {
  const std::string help = succeed({"--help"}).out;
  EXPECT_EQ(succeed({"help"}).out, help);
  for (const char* status :
       {"0 done", "2 usage", "3 configuration", "4 data", "5 checkpoint", "70", "130", "143"}) {
    EXPECT_THAT(help, HasSubstr(status));
  }
  for (const char* command : {"train", "evaluate", "predict", "data", "list", "info"}) {
    EXPECT_THAT(help, HasSubstr(command));
    const Outcome outcome = succeed({command, "--help"});
    EXPECT_THAT(outcome.out, HasSubstr(std::string("afterspike ") + command));
    EXPECT_THAT(outcome.out, HasSubstr("--help"));
    EXPECT_EQ(outcome.err, "") << command;
  }
  EXPECT_THAT(succeed({"--version"}).out, ::testing::MatchesRegex("afterspike [0-9.]+\n"));
  const Outcome nothing = run({});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_EQ(nothing.out, help);
}

/// The other tests run commands in their own process.
TEST_F(Cli, TheProgramTakesWordsAndReturnsAStatus) {
  const Outcome version = start({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out, succeed({"--version"}).out);
  const Outcome wrong = start({"list", "neurns"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_EQ(wrong.out, "");
  EXPECT_EQ(wrong.err, run({"list", "neurns"}).err);
  const Outcome trained = start(train_sines(directory_ / "process", {"--epochs", "2", "--json"}));
  EXPECT_EQ(trained.status, 0) << trained.err;
  succeed(train_sines(directory_ / "command", {"--epochs", "2"}));
  EXPECT_EQ(testing::checkpoint_file(directory_ / "process", "model.safetensors"),
            testing::checkpoint_file(directory_ / "command", "model.safetensors"));
}

TEST_F(Cli, HelpEndsWithAnExampleOfItsOwnFlags) {
  const std::string all = succeed({"--help"}).out;
  std::istringstream commands(all.substr(all.find("Commands:\n") + 10));
  int count = 0;
  for (std::string line; std::getline(commands, line) && !line.empty(); ++count) {
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    const std::string help = succeed({name, "--help"}).out;
    const auto place = help.rfind("\nExample:\n  afterspike " + name);
    ASSERT_NE(place, help.npos) << name;
    std::istringstream example(help.substr(place + 12));
    for (std::string word; example >> word;) {
      if (!word.starts_with("--")) continue;
      EXPECT_THAT(help.substr(0, place), HasSubstr(word + " ")) << name;
    }
  }
  EXPECT_EQ(count, std::ssize(cli::entries()));
}

TEST_F(Cli, HelpListsTheOptionsOfANamedTaskOrNeuron) {
  const std::string plain = succeed({"train", "--help"}).out;
  EXPECT_EQ(plain.find("task.dataset ="), plain.npos);
  EXPECT_LT(std::count(plain.begin(), plain.end(), '\n'), 75);
  const std::string task = succeed({"train", "--task", "line_mnist", "--help"}).out;
  EXPECT_THAT(task, HasSubstr("task.dataset ="));
  EXPECT_EQ(task.find("neuron.threshold ="), task.npos);
  const std::string neuron = succeed({"train", "--neuron", "glifr", "--help"}).out;
  EXPECT_THAT(neuron, HasSubstr("neuron.threshold ="));
  for (const char* heading : {"\nNetwork:\n", "\nTraining:\n", "\nMachine:\n"}) {
    EXPECT_THAT(plain, HasSubstr(heading));
  }
}

TEST_F(Cli, AMessageDoesNotRepeatAWholeFile) {
  const std::string name(100'000, 'x');
  const Outcome outcome = run({"train", "--task", name, "--neuron", "glifr"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_LT(outcome.err.size(), 2100U);
  EXPECT_THAT(outcome.err, HasSubstr("no task called 'xxx"));
  EXPECT_THAT(outcome.err, HasSubstr("xxx ... "));
  EXPECT_THAT(outcome.err, HasSubstr("there are: "));
}

TEST_F(Cli, ListsANameALineWithItsSummary) {
  const std::vector<std::pair<std::string, std::string>> lists = {{"neurons", "glifr"},
                                                                  {"tasks", "line_mnist"},
                                                                  {"datasets", "mini_mnist"},
                                                                  {"exporters", "sonata"},
                                                                  {"kernels", "baseline"}};
  for (const auto& [what, name] : lists) {
    const io::Json object = json({"list", what, "--json"});
    ASSERT_TRUE(object.is_object() && object.contains(what)) << what;
    const io::Json& rows = object.at(what);
    const std::vector<std::string> lines = lines_of(succeed({"list", what}).out);
    ASSERT_EQ(lines.size(), rows.size()) << what;
    bool there = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto row_name = rows[i].at("name").get<std::string>();
      EXPECT_THAT(lines[i], ::testing::StartsWith(row_name + " "));
      EXPECT_THAT(lines[i], HasSubstr(" " + rows[i].at("summary").get<std::string>()));
      there = there || row_name == name;
    }
    EXPECT_TRUE(there) << name;
  }
}

TEST_F(Cli, ListsTheKernelsThatCanBeForcedAndTheOneThatRuns) {
  const auto runs = [&](const std::string& name) {
    return json({"bench", "--hidden", "4", "--steps", "3", "--batch", "2", "--repeats", "1",
                 "--kernel", name, "--json"})
        .at("kernel");
  };
  const io::Json kernels = json({"list", "kernels", "--json"}).at("kernels");
  for (const io::Json& kernel : kernels) {
    EXPECT_EQ(runs(kernel.at("name")), kernel.at("name"));
    EXPECT_EQ(kernel.at("runs").get<bool>(), runs("auto") == kernel.at("name"));
  }
  EXPECT_THAT(succeed({"list", "kernels"}).out, HasSubstr("runs here"));
}

TEST_F(Cli, ListsDataSetsInOneObject) {
  const io::Json sets = json({"data", "--json", "list"}).at("datasets");
  ASSERT_EQ(sets.size(), json({"list", "datasets", "--json"}).at("datasets").size());
  for (const io::Json& set : sets) {
    EXPECT_TRUE(set.at("present").is_boolean());
    EXPECT_TRUE(set.at("name") != "mini_mnist" || set.at("present").get<bool>());
  }
}

struct Refusal {
  Words words;
  int status;
  std::vector<std::string> message;
};

TEST_F(Cli, RefusesWhatItDoesNotKnowOrUnderstand) {
  const std::string out = (directory_ / "run").string();
  const Words sines = {"train", "--task", "sine_generation", "--neuron", "glifr", "--out", out};
  const auto with = [&](const Words& more) {
    Words words = sines;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::vector<Refusal> refusals = {
      {{"trian"}, 2, {"no command called 'trian'", "did you mean 'train'?"}},
      {{"-x"}, 2, {"no command called '-x'"}},
      {{"list"}, 2, {"expected neurons|models|tasks|datasets|exporters|kernels, found 0 words"}},
      {{"list", "neurns"}, 2, {"'neurns'", "did you mean 'neurons'?"}},
      {{"list", "tasks", "extra"}, 2, {"found 2 words"}},
      {{"train"}, 2, {"no task was named", "afterspike list tasks"}},
      {{"train", "--task", "sine_generation"}, 2, {"no neuron was named", "list neurons"}},
      {{"train", "--task", "sine_generaton", "--neuron", "glifr"},
       2,
       {"no task called 'sine_generaton'", "did you mean 'sine_generation'?"}},
      {{"train", "--task", "sine_generation", "--neuron", "glfr"},
       2,
       {"no neuron called 'glfr'", "did you mean 'glifr'?", "there are: "}},
      {{"train", "--task", "sine_generation", "--neuron", "rnn"}, 2, {"expected --out RUN"}},
      {{"train", "stray"}, 2, {"expected flags only, found 1 word"}},
      {with({"--epoch", "3"}), 2, {"no flag --epoch", "did you mean 'epochs'?"}},
      {with({"--epochs"}), 2, {"epochs", "afterspike train --help"}},
      {with({"--quiet=no"}), 2, {"--quiet takes no value", "--quiet=no"}},
      {with({"--epochs", "3", "--epochs", "4"}), 2, {"--epochs was given twice"}},
      {with({"--epochs", "many"}), 3, {"'train.epochs'", "found 'many'", "an integer"}},
      {with({"--epochs", "-3"}), 3, {"'train.epochs'", "found '-3'", "0 or more"}},
      {with({"--learning-rate", "-0.1"}), 3, {"'train.learning_rate'", "'-0.1'", "more than 0"}},
      {with({"--optimizer", "adm"}), 3, {"'train.optimizer'", "did you mean 'adam'?"}},
      {with({"--set", "train.epoch=3"}),
       3,
       {"no option called 'train.epoch'", "did you mean 'train.epochs'?"}},
      {with({"--set", "train.epochs"}), 2, {"--set train.epochs: expected PATH=VALUE"}},
      {with({"--set", "train.learning_rate=-1"}), 3, {"'train.learning_rate'", "'-1'"}},
      {with({"--set", "neuron.threshold=uniform(1, 0)"}), 3, {"'threshold'", "low <= high"}},
      {with({"--set", "neuron.threshold=uniform(1"}), 3, {"'threshold'", "'uniform(1'"}},
      {with({"--delay", "5"}), 3, {"'neuron.delay'", "'5'", "'15ms'"}},
      {with({"--delay", "5 mV"}), 3, {"'neuron.delay'", "5 mV"}},
      {with({"--delay", "-5 ms"}), 3, {"neuron.delay", "-5"}},
      {with({"--variant", "hoom"}), 3, {"neuron.variant", "hoom"}},
      {{"train", "--task", "sine_generation", "--neuron", "gru", "--delay", "1 ms"},
       2,
       {"--delay", "no option neuron.delay"}},
      {with({"--threads", "0"}), 2, {"--threads", "'0'", "1 or more"}},
      {with({"--max-steps", "1.5"}), 2, {"--max-steps", "'1.5'", "a whole number"}},
      {with({"--threads", "1025"}), 2, {"--threads", "'1025'", "too large", "at most 1024"}},
      {with({"--threads", "99999999999999999999"}), 2, {"--threads", "too large"}},
      {with({"--threads", "-99999999999999999999"}), 2, {"--threads", "1 or more"}},
      {with({"--max-steps", "99999999999999999999"}), 2, {"--max-steps", "too large"}},
      {with({"--seeds", "-2"}), 2, {"--seeds", "'-2'"}},
      {with({"--seeds", "10001"}), 2, {"--seeds", "'10001'", "at most 10000"}},
      {with({"--seeds", "2", "--seed", "9223372036854775806"}), 2, {"--seeds", "64 bits"}},
      {with({"--device", "gpu"}), 3, {"--device: found 'gpu', expected cpu, cuda or cuda:N"}},
      {with({"--device", "cuda:x"}), 3, {"--device: found 'cuda:x'"}},
      {with({"--set", "neuron.bias_current=1e300 pA"}), 3, {"neuron.bias_current", "or less"}},
      {with({"--set", "neuron.reset=1e300 mV"}), 3, {"neuron.reset", "or less"}},
      {with({"--set", "task.amplitude=1e300"}), 3, {"task.amplitude", "or less"}},
      {with({"--set", "task.highest=1e300 kHz"}), 3, {"task.highest", "or less"}},
      {with({"--set", "task.dt=1e300 ms"}), 3, {"task.dt", "1000000 or less"}},
      {with({"--set", "train.epsilon=1e300"}), 3, {"train.epsilon", "or less"}},
      {with({"--seed", "-2"}), 3, {"'seed'", "'-2'", "0 or more"}},
      {with({"--time-limit", "5"}), 3, {"--time-limit", "'5'", "unit"}},
      {with({"--time-limit", "-5 s"}), 3, {"--time-limit", "more than 0"}},
      {with({"--checkpoint-interval", "5 mV"}), 3, {"--checkpoint-interval", "mV"}},
      {with({"--checkpoint-interval", "0 s"}), 3, {"--checkpoint-interval", "more than 0"}},
      {with({"--checkpoint-interval", "-1 s"}), 3, {"--checkpoint-interval", "more than 0"}},
      {with({"--set", "train.label_smoothing=0.1"}), 3, {"train.label_smoothing", "traces"}},
      {with({"--set", "train.warmup_epochs=11"}), 3, {"train.warmup_epochs", "the 10 epochs"}},
      {with({"--hidden", "100000"}), 3, {"hidden 100000", "expected at most 2147483648"}},
      {with({"--config", out + ".toml"}), 3, {out + ".toml", "expected a file"}},
      {{"train", "--resume", out}, 5, {"there is no run", out}},
      {{"train", "--resume", out, "--seed", "2"}, 2, {"--seed cannot be given too"}},
      {{"train", "--resume", out, "--dump-config"}, 2, {"--dump-config cannot be given too"}},
      {{"train", "--resume", out, "--set", "train.epochs=3"}, 2, {"--set cannot be given too"}},
      {{"evaluate"}, 2, {"expected RUN, found 0 words"}},
      {{"evaluate", out}, 5, {out, "there is no such run or checkpoint"}},
      {{"evaluate", out, "--split", "tset"}, 2, {"tset"}},
      {{"predict", out}, 2, {"expected --data FILE and --out FILE"}},
      {{"predict", out, "--data-dir", out}, 2, {"no flag --data-dir"}},
      {{"info", out}, 5, {out, "there is no such run"}},
      {{"data"}, 2, {"found 0 words"}},
      {{"data", "fetsch", "mnist"}, 2, {"no action 'fetsch'"}},
      {{"data", "fetch"}, 2, {"expected fetch NAME, found 1 word"}},
      {{"data", "list", "mnist"}, 2, {"expected list, found 2 words"}},
      {{"data", "list", "--from", out}, 2, {"--from: found with list, expected with fetch only"}},
      {{"data", "verify", "mnist", "--from", out}, 2, {"--from: found with verify"}},
      {{"data", "verify", "mnis"}, 2, {"no data set called 'mnis'", "did you mean 'mnist'?"}},
      {{"data", "verify", "mnist", "--data-dir", out},
       4,
       {out, "afterspike data fetch mnist --data-dir " + out + "\n"}},
      {{"train", "--task", "line_mnist", "--neuron", "rnn", "--data-dir", out + "/no", "--out",
        out},
       4,
       {out + "/no", "afterspike data fetch mnist"}},
      {{"train", "--task", "file", "--neuron", "rnn", "--out", out}, 3, {"expected --data FILE"}},
      {{"train", "--task", "file", "--neuron", "rnn", "--out", out, "--data", out + ".csv"},
       4,
       {out + ".csv"}},
  };
  for (const Refusal& refusal : refusals) {
    const Outcome outcome = run(refusal.words);
    const std::string shown = ::testing::PrintToString(refusal.words);
    EXPECT_EQ(outcome.status, refusal.status) << shown << "\n" << outcome.err;
    EXPECT_EQ(outcome.out, "") << shown;
    EXPECT_THAT(lines_of(outcome.err),
                ::testing::Contains(::testing::StartsWith("afterspike: ")).Times(1))
        << shown;
    for (const std::string& part : refusal.message) {
      EXPECT_THAT(outcome.err, HasSubstr(part)) << shown;
    }
    EXPECT_FALSE(fs::exists(directory_ / "run")) << shown << ": left something behind";
  }
}

TEST_F(Cli, RefusesAConfigurationFileNamingTheLine) {
  struct Case {
    std::string content;
    std::vector<std::string> message;
  };
  const std::string names =
      "[task]\nname = \"sine_generation\"\n[neuron]\nname = \"rnn\"\n[train]\n";
  const std::vector<Case> cases = {
      {names + "epochs = 3\nepoch = 4\n", {"c.toml:7", "'train.epoch'", "did you mean"}},
      {names + "epochs = \n", {"c.toml:6"}},
      {names + "epochs = \"3\"\n", {"c.toml:6", "'train.epochs'", "a text", "an integer"}},
      {names + "epochs = 1.0\n", {"c.toml:6", "a number with a point, 1.0", "an integer"}},
      {names + "[trian]\nepochs = 3\n", {"c.toml:7", "trian.epochs", "did you mean"}},
      {"[task\n", {"c.toml:1"}},
      {"[task]\nname = \"sine\"\n[neuron]\nname = \"rnn\"\n", {"no task called 'sine'"}},
  };
  const std::string path = (directory_ / "c.toml").string();
  for (const Case& c : cases) {
    spill(path, c.content);
    const Outcome outcome = run({"train", "--config", path, "--dump-config"});
    EXPECT_EQ(outcome.status, c.content.find("\"sine\"") == std::string::npos ? 3 : 2);
    for (const std::string& part : c.message) EXPECT_THAT(outcome.err, HasSubstr(part));
  }
}

TEST_F(Cli, UnderstandsEveryRecipe) {
  const fs::path recipes = fs::path(AFTERSPIKE_TEST_SOURCE_DIR) / "tasks" / "configs";
  for (const auto& entry : fs::directory_iterator(recipes)) {
    const std::string path = entry.path().string();
    // Configurations of baselines leave the neuron model open.
    const bool open = path.ends_with("_baselines.toml");
    for (const char* neuron : {"lstm", "gru", "rnn"}) {
      Words words = {"train", "--config", path, "--dump-config"};
      if (open) words.insert(words.end(), {"--neuron", neuron});
      const std::string found = succeed(words).out;
      EXPECT_THAT(found, HasSubstr("[neuron]")) << path;
      if (!open) break;
      EXPECT_THAT(found, HasSubstr("name = \"" + std::string(neuron) + "\"")) << path;
    }
  }
}

TEST_F(Cli, TakesDashAndUnderscoreAlike) {
  const Words dashes = {"train",
                        "--task",
                        "sine-generation",
                        "--neuron",
                        "glifr",
                        "--batch-size",
                        "3",
                        "--learning-rate",
                        "0.25",
                        "--match-params=900",
                        "--set",
                        "train.weight-decay=0.125",
                        "--dump-config"};
  const Words underscores = {"train",
                             "--task",
                             "sine_generation",
                             "--neuron",
                             "glifr",
                             "--batch_size",
                             "3",
                             "--learning_rate",
                             "0.25",
                             "--match_params=900",
                             "--set",
                             "train.weight_decay=0.125",
                             "--dump_config"};
  const std::string dumped = succeed(dashes).out;
  EXPECT_EQ(succeed(underscores).out, dumped);
  for (const char* line : {"name = \"sine_generation\"", "batch_size = 3", "learning_rate = 0.25",
                           "match_params = 900", "weight_decay = 0.125"}) {
    EXPECT_THAT(dumped, HasSubstr(line));
  }
}

TEST_F(Cli, TakesValuesWithCommasSpacesEqualSignsAndDashes) {
  const std::string dumped =
      succeed({"train", "--task", "file", "--neuron", "glifr", "--set",
               "neuron.threshold=uniform(0.5,2)", "--set",
               "neuron.after_spike_additive=uniform(-1, -0.5)", "--set",
               "neuron.learn=threshold,membrane_decay", "--data", "a=b,c d.csv", "--set",
               "neuron.bias_current=-2 pA", "--inherit", "-", "--dump-config"})
          .out;
  for (const char* line : {"threshold = \"uniform(0.5, 2)\"", "\"uniform(-1, -0.5)\"",
                           "learn = \"threshold,membrane_decay\"", "/a=b,c d.csv\"",
                           "bias_current = \"-2 pA\"", "/-\""}) {
    EXPECT_THAT(dumped, HasSubstr(line));
  }
}

TEST_F(Cli, DumpsAConfigurationThatGivesTheSameRun) {
  const Words settings = {"--seed",   "5",
                          "--epochs", "4",
                          "--set",    "neuron.threshold=normal(1,0.1)",
                          "--set",    "train.schedule=cosine"};
  Words dump = train_sines(directory_ / "unused", settings);
  dump.push_back("--dump-config");
  const std::string dumped = succeed(dump).out;
  EXPECT_FALSE(fs::exists(directory_ / "unused"));
  const std::string path = (directory_ / "config.toml").string();
  spill(path, dumped);
  EXPECT_EQ(succeed({"train", "--config", path, "--dump-config"}).out, dumped);
  succeed(train_sines(directory_ / "flags", settings));
  succeed({"train", "--config", path, "--threads", "1", "--out", (directory_ / "file").string()});
  // A run stores its configuration as such a file, too.
  succeed({"train", "--config", (directory_ / "file" / "config.toml").string(), "--threads", "1",
           "--out", (directory_ / "again").string()});
  const std::string model = testing::checkpoint_file(directory_ / "flags", "model.safetensors");
  EXPECT_EQ(testing::checkpoint_file(directory_ / "file", "model.safetensors"), model);
  EXPECT_EQ(testing::checkpoint_file(directory_ / "again", "model.safetensors"), model);
}

TEST_F(Cli, DumpsAConfigurationAsJson) {
  const io::Json dumped = io::Json::parse(
      succeed(train_sines(directory_ / "unused", {"--seed", "5", "--dump-config", "--json"})).out);
  EXPECT_EQ(dumped.at("seed"), "5");
  EXPECT_EQ(dumped.at("task.duration"), "1 ms");
  succeed(train_sines(directory_ / "run", {"--seed", "5"}));
  EXPECT_EQ(io::read_json(directory_ / "run" / "run.json", ErrorKind::data).at("configuration"),
            dumped);
}

TEST_F(Cli, FlagsGoBeforeTheConfigurationFile) {
  const std::string path = (directory_ / "c.toml").string();
  spill(path,
        "seed = 3\n[task]\nname = \"sine-generation\"\n[neuron]\nname = \"rnn\"\n"
        "[train]\nepochs = 3\nbatch_size = 7\n");
  const std::string dumped = succeed({"train", "--config", path, "--epochs", "4", "--set",
                                      "train.epochs=5", "--dump-config"})
                                 .out;
  EXPECT_THAT(dumped, HasSubstr("seed = 3"));
  EXPECT_THAT(dumped, HasSubstr("batch_size = 7"));
  EXPECT_THAT(dumped, HasSubstr("epochs = 5"));
}

TEST_F(Cli, DoesNotWriteOverWhatIsThere) {
  const fs::path out = directory_ / "run";
  succeed(train_sines(out, {"--epochs", "1"}));
  const std::string before = testing::checkpoint_file(out, "model.safetensors");
  for (const fs::path& there : {out, out / ""}) {
    const Outcome outcome = run(train_sines(there, {"--epochs", "2"}));
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.err, HasSubstr("exists already"));
    EXPECT_THAT(outcome.err, HasSubstr("--resume"));
  }
  EXPECT_EQ(testing::checkpoint_file(out, "model.safetensors"), before);
  spill(directory_ / "file", "mine");
  fs::create_directory(directory_ / "empty");
  for (const char* name : {"file", "empty", "."}) {
    const Outcome outcome = run(train_sines(directory_ / name));
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.err, HasSubstr("exists already and is no run"));
    EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("--resume")));
  }
  const Outcome below = run(train_sines(directory_ / "file" / "run"));
  EXPECT_EQ(below.status, 4);
  EXPECT_THAT(below.err, HasSubstr("Not a directory"));
  EXPECT_EQ(testing::slurp(directory_ / "file"), "mine");
}

TEST_F(Cli, CannotWriteWhereItMayNot) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::create_directory(directory_ / "locked");
  fs::permissions(directory_ / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  const Outcome outcome = run(train_sines(directory_ / "locked" / "run"));
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("Permission denied"));
  fs::permissions(directory_ / "locked", fs::perms::owner_all);
}

TEST_F(Cli, StopsWithTheStepTheTensorAndTheLastGoodCheckpoint) {
  const fs::path out = directory_ / "run";
  const Outcome outcome = run(train_sines(
      out, {"--learning-rate", "1e30", "--epochs", "9", "--checkpoint-interval", "1 us"}));
  EXPECT_EQ(outcome.status, 6);
  EXPECT_THAT(outcome.err, HasSubstr("step 2: the loss is "));
  EXPECT_THAT(outcome.err, HasSubstr("the first tensor that is not finite is "));
  EXPECT_THAT(outcome.err, HasSubstr((out / "checkpoints" / "step-000000001").string()));
  EXPECT_EQ(run({"info", out.string()}).status, 0) << "the checkpoint can be read";
}

}  // namespace
}  // namespace afterspike
