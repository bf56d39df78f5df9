#include "afterspike/io/toml.hpp"

#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::io {
namespace {

using options::Description;
using options::Section;
using testing::expect_error;
using testing::spill;

struct Example {
  std::int64_t seed = 1;
  bool shuffle = true;
  std::int64_t epochs = 30;
  double rate = 1;
  std::string name = "a";
  std::vector<double> levels = {0, 1};
  double dt_ms = 0.05;
  units::Duration delay = units::Duration::steps(1);

  bool operator==(const Example&) const = default;

  void describe(Description& description) {
    Section train(description, "train");
    train.add("shuffle", shuffle, "Whether to shuffle.\nOr not.");
    train.add("epochs", epochs, "Passes.").at_least(0);
    train.section("optimizer").add("rate", rate, "Learning rate.");
    train.add("name", name, "");
    Section(description, "task").add("levels", levels, "Levels.");
    Section(description, "task").quantity("dt", dt_ms, "ms", "Step.").above(0);
    Section(description, "task").duration("delay", delay, "Delay.");
    Section(description, "").add("seed", seed, "Seed.");
  }
};

class Toml : public ::testing::Test {
 protected:
  Toml() { example_.describe(description_); }

  void read(const std::string& content) {
    spill(path_, content);
    read_options(path_, description_);
  }

  testing::TempDir folder_;
  std::filesystem::path path_ = folder_ / "experiment.toml";
  Example example_;
  Description description_;
};

TEST_F(Toml, SectionsAndDottedKeysSetOptions) {
  const Example expected{7, false, 3, 0.25, "b", {0.5, 2}, 0.1, units::Duration::milliseconds(15)};
  for (const char* content :
       {"seed = 7\n[train]\nshuffle = false\nepochs = 3\nname = 'b'\n[train.optimizer]\n"
        "rate = 0.25\n[task]\nlevels = [0.5, 2]\ndt = \"0.1 ms\"\ndelay = \"15ms\"\n",
        "train.shuffle = false\ntrain.epochs = 3\ntrain.optimizer = {rate = 0.25}\n"
        "train.name = \"b\"\ntask = {levels = [0.5, 2.0], dt = '100us', delay = '15 ms'}\n"
        "seed = 0x7\n"}) {
    example_ = Example();
    read(content);
    EXPECT_EQ(example_, expected);
  }
}

TEST_F(Toml, OptionsThatTheFileDoesNotNameStayAsTheyAre) {
  example_.epochs = 12;
  read("# nothing but a comment\n[train]\n[train.optimizer]\n");
  Example expected;
  expected.epochs = 12;
  EXPECT_EQ(example_, expected);
}

TEST_F(Toml, AWholeNumberIsTakenForADouble) {
  read("[train.optimizer]\nrate = 2");
  EXPECT_EQ(example_.rate, 2);
}

TEST_F(Toml, WrittenOptionsAreReadBackAsTheSame) {
  Rng rng(1);
  const std::string letters = "aZ09 \"'\\#=[]\n\t\r\b\x7f\x01{}.,äµ";
  for (int repetition = 0; repetition < 200; ++repetition) {
    const auto number = [&] {
      return std::ldexp(rng.uniform(-1, 1), static_cast<int>(rng.below(400)) - 200);
    };
    Example random;
    random.seed = static_cast<std::int64_t>(rng.next());
    random.shuffle = rng.below(2) == 1;
    random.epochs = static_cast<std::int64_t>(rng.below(100));
    random.rate = repetition % 2 == 0 ? number() : std::round(rng.uniform(-1e18, 1e18));
    random.name = letters.substr(0, rng.below(22)) + letters.substr(0, rng.below(10));
    random.levels.assign(rng.below(5), number());
    random.dt_ms = std::abs(number());
    random.delay = repetition % 3 == 0
                       ? units::Duration::milliseconds(std::abs(number()))
                       : units::Duration::steps(static_cast<std::int64_t>(rng.below(1000)));
    example_ = random;
    const std::string text = write_options(description_, repetition % 2 == 0);
    example_ = Example();
    read(text);
    ASSERT_EQ(example_, random) << text;
    ASSERT_EQ(write_options(description_, repetition % 2 == 0), text);
  }
}

TEST_F(Toml, WrittenOptionsAreGroupedAndCommented) {
  EXPECT_EQ(write_options(description_, true),
            "seed = 1  # Seed.\n"
            "\n"
            "[train]\n"
            "shuffle = true  # Whether to shuffle. Or not.\n"
            "epochs = 30  # Passes.\n"
            "name = \"a\"\n"
            "\n"
            "[train.optimizer]\n"
            "rate = 1.0  # Learning rate.\n"
            "\n"
            "[task]\n"
            "levels = [0.0, 1.0]  # Levels.\n"
            "dt = \"0.05 ms\"  # Step.\n"
            "delay = \"1 step\"  # Delay.\n");
}

TEST_F(Toml, DoublesAreWrittenAsDoubles) {
  for (const auto& [number, expected] : std::vector<std::pair<double, std::string>>{
           {1, "1.0"}, {0.1, "0.1"}, {1e22, "1e+22"}, {-0.0, "-0.0"}, {1e-7, "1e-07"}}) {
    example_.rate = number;
    EXPECT_NE(write_options(description_).find("rate = " + expected + "\n"), std::string::npos)
        << write_options(description_);
  }
}

struct Refusal {
  std::string content, message;
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.content;
}

class Refusals : public Toml, public ::testing::WithParamInterface<Refusal> {};

TEST_P(Refusals, NameFileAndLine) {
  expect_error(ErrorKind::config, {path_.string() + GetParam().message},
               [&] { read(GetParam().content); });
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    ::testing::Values(
        Refusal{"[train]\n\nepoch = 3\n",
                ":3: no option called 'train.epoch' (did you mean 'train.epochs'?)"},
        Refusal{"[trian]\nepochs = 3\n",
                ":2: no option called 'trian.epochs' (did you mean 'train.epochs'?)"},
        Refusal{"\n[nothing]\n", ":2: no option called 'nothing'"},
        Refusal{"sed = 1", ":1: no option called 'sed' (did you mean 'seed'?)"},
        Refusal{"[train]\nepochs = -1",
                ":2: option 'train.epochs': found '-1', expected 0 or more"},
        Refusal{"[train]\nepochs = 1.5",
                ":2: option 'train.epochs': found a number with a point, 1.5"},
        Refusal{"[train]\nepochs = '3'", ":2: option 'train.epochs': found a text, \"3\""},
        Refusal{"[train]\nshuffle = 1", ":2: option 'train.shuffle': found an integer, 1"},
        Refusal{"[task]\ndt = 0.05",
                ":2: option 'task.dt': found a number with a point, 0.05; "
                "expected a quantity in ms"},
        Refusal{"[task]\ndt = '0.05'", ":2: option 'task.dt': '0.05' has no unit"},
        Refusal{"[task]\nlevels = [1, 'x']", ":2: option 'task.levels': found an array"},
        Refusal{"[task]\nlevels = [1, inf]",
                ":2: option 'task.levels': found [1, inf], expected a finite number"},
        Refusal{"[train]\n[train.optimizer]\nrate = nan",
                ":3: option 'train.optimizer.rate': found nan"},
        Refusal{"seed = 1979-05-27", ":1: option 'seed': found a date or time"},
        Refusal{"[task]\ndt = '1 ms'\n[task.delay]\n", ":3: option 'task.delay': found a section"},
        Refusal{"[task.dt]\nx = 1\n", ":2: no option called 'task.dt.x'"},
        Refusal{"[[train]]\nepochs = 1\n", ":1: no option called 'train'"},
        Refusal{"seed = 1\nseed = 2\n", ":2: "}, Refusal{"[train]\nepochs = \n", ":2: "},
        Refusal{"[train\n", ":1: "}, Refusal{"seed = 99999999999999999999", ":1: "},
        Refusal{"seed = 1\n\n# \xff\n", ":3: "}));

TEST_F(Toml, ANameWithADashIsTheSameAsWithAnUnderscore) {
  bool dry_run = false;
  Section(description_, "").add("dry_run", dry_run, "");
  read("dry-run = true\n");
  EXPECT_TRUE(dry_run);
  expect_error(ErrorKind::config, {"option 'dry_run' is set twice"},
               [&] { read("dry-run = true\ndry_run = false\n"); });
}

TEST_F(Toml, AMissingFileIsAnError) {
  expect_error(ErrorKind::config, {path_.string(), "No such file"},
               [&] { read_options(path_, description_); });
}

/// toml++ follows dotted keys by recursion: 35,000 parts exhausted the stack.
TEST_F(Toml, KeysOfManyPartsAreRefused) {
  std::string parts = "a";
  for (int i = 0; i < 100'000; ++i) parts += i % 2 == 0 ? ".a" : " . \"b\"";
  for (const std::string& content :
       {parts + " = 1\n", "x = {" + parts + " = 1}\n", "[" + parts + "]\n", "[[" + parts + "]]\n",
        "seed = 7\n" + parts}) {
    const std::string line = content.starts_with("seed") ? ":2" : ":1";
    expect_error(ErrorKind::config, {"experiment.toml" + line, "a key of more than 21 parts"},
                 [&] { read(content); });
  }
}

TEST_F(Toml, DotsOutsideOfKeysAreAnyNumber) {
  const std::string dots(500, '.'), single(3, '\''), three(3, '"');
  std::string numbers = "0.5";
  for (int i = 0; i < 100; ++i) numbers += ", 0.5";
  read("# " + dots + "\ntrain.name = \"" + dots + "\\\"" + dots + "\"\ntask.levels = [" + numbers +
       "]\n");
  EXPECT_EQ(example_.name, dots + "\"" + dots);
  EXPECT_EQ(example_.levels.size(), 101U);
  read("train.name = " + three + "\n" + dots + "\n\"'" + dots + three + "\n");
  EXPECT_EQ(example_.name, dots + "\n\"'" + dots);
  read("train.name = " + single + dots + "''\n" + dots + single + "\n");
  EXPECT_EQ(example_.name, dots + "''\n" + dots);
}

}  // namespace
}  // namespace afterspike::io
