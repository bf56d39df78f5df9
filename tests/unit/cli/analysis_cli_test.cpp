// 'afterspike silence' and 'afterspike cluster' as processes, on a run of a few steps.

#include <iterator>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.hpp"
#include "support/class_files.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::Outcome;
using testing::slurp;
using testing::spill;
using testing::Words;

class AnalysisCli : public testing::CommandTest {
 protected:
  std::string path(const char* name) const { return (directory_ / name).string(); }

  void train(const char* name, const Words& more = {}) const {
    Words words = {"--epochs", "3", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    succeed(train_sines(path(name), words));
  }

  /// Returns the lines of a page's commands "To make everything again".
  static std::vector<std::string> commands_of(const fs::path& page) {
    const std::string text = slurp(page), begin = "id=\"data\">";
    const auto from = text.find(begin) + begin.size();
    const io::Json data = io::Json::parse(text.substr(from, text.find("</script>", from) - from));
    std::vector<std::string> lines;
    for (const io::Json& block : data.at("sections").back().at("blocks")) {
      if (block.value("title", "") != "To make everything again") continue;
      std::istringstream commands(block.at("text").get<std::string>());
      for (std::string line; std::getline(commands, line);) lines.push_back(line);
    }
    return lines;
  }

  /// Also expects the message to be one line.
  void refused(int status, const Words& words, std::initializer_list<const char*> parts) const {
    const Outcome outcome = CommandTest::refused(status, words, parts);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
};

TEST_F(AnalysisCli, SilencesComparesAndSaysHowTheNetworkDoes) {
  train("a");
  train("b", {"--seed", "2"});
  const io::Json summary =
      json({"silence", path("a"), path("b"), "--fractions", "0,0.5,1", "--trials", "3", "--out",
            path("out"), "--json", "--threads", "2"});
  ASSERT_EQ(summary["runs"].size(), 2U);
  const io::Json whole = json({"evaluate", path("a"), "--json"});
  EXPECT_EQ(summary["runs"][0]["levels"][0]["loss"]["mean"], whole["loss"]);
  EXPECT_EQ(summary["comparisons"][0]["pairs"], "trials");
  const Outcome text = succeed({"silence", path("a"), path("b"), "--fractions", "0,0.5,1",
                                "--trials", "3", "--out", path("out")});
  EXPECT_THAT(text.out, HasSubstr("p = "));
  for (const char* file : {"silencing.csv", "silencing.json", "summary.csv", "summary.json"}) {
    EXPECT_TRUE(fs::exists(directory_ / "out" / file)) << file;
  }
}

TEST_F(AnalysisCli, SilencingThatIsInterruptedGoesOnToTheSameBytes) {
  train("run");
  const auto words = [&](const char* out, const char* threads) {
    return Words{"silence", path("run"), "--fractions", "0.1,0.5",   "--trials",
                 "3000",    "--out",     path(out),     "--threads", threads};
  };
  {
    testing::Program program(words("parts", "2"), directory_.path());
    ASSERT_TRUE(program.wait_until([&] {
      return fs::exists(directory_ / "parts" / "silencing.csv");
    })) << program.wait().err;
    program.send(SIGINT);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.status, 130) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("the same command goes on"));
  }
  EXPECT_FALSE(fs::exists(directory_ / "parts" / "summary.json"));
  succeed(words("parts", "1"));
  succeed(words("whole", "2"));
  for (const char* file :
       {"settings.json", "silencing.csv", "silencing.json", "summary.csv", "summary.json"}) {
    EXPECT_EQ(slurp(directory_ / "parts" / file), slurp(directory_ / "whole" / file)) << file;
  }
}

TEST_F(AnalysisCli, ClustersRunsAndSilencesTheClusters) {
  train("run");
  const io::Json report = json({"cluster", path("run"), "--k", "2:4", "--replicates", "5", "--out",
                                path("clusters"), "--json"});
  EXPECT_EQ(report["neurons"], 8);
  ASSERT_EQ(report["scores"].size(), 3U);
  EXPECT_EQ(report["scores"][0]["labels"].size(), 8U);
  const io::Json summary =
      json({"silence", path("run"), "--by", path("clusters") + "/clusters.csv", "--fractions", "1",
            "--trials", "2", "--out", path("by_cluster"), "--json"});
  EXPECT_EQ(summary["runs"].size(), 2 * report["clusters"].get<std::size_t>());
  const io::Json ranked = json({"silence", path("run"), "--by", "rate", "--order", "lowest",
                                "--fractions", "0,0.5", "--out", path("by_rate"), "--json"});
  EXPECT_EQ(ranked["runs"][0]["levels"][1]["trials"], 1);
  const io::Json noise = json({"silence", path("run"), "--weight-noise", "0,0.5", "--trials", "2",
                               "--out", path("noise"), "--json"});
  EXPECT_EQ(noise["runs"][0]["levels"][1]["weight_noise_sd"], 0.5);
}

TEST_F(AnalysisCli, ClustersAFile) {
  std::string table = "threshold_mV,k_m_per_ms\n";
  for (int i = 0; i < 12; ++i) {
    table += std::to_string(i % 3) + "." + std::to_string(i) + "," + std::to_string(i % 3) + "\n";
  }
  spill(path("neurons.csv"), table);
  const io::Json report = json({"cluster", "--csv", path("neurons.csv"), "--standardise", "none",
                                "--k=2:11", "--json", "--replicates", "0"});
  EXPECT_EQ(report["scores"].size(), 10U);
  EXPECT_EQ(report["standardise"], "none");
  EXPECT_THAT(succeed({"cluster", "--csv", path("neurons.csv")}).out, HasSubstr("threshold_mV"));
  // Min number of cells for that many clusters.
  for (const auto& [clusters, least] : {std::pair("2:4", 3), std::pair("3:4", 4)}) {
    const auto words = [&](int limit) {
      return Words{"cluster", "--csv",  path("neurons.csv"), "--replicates",       "0", "--k",
                   clusters,  "--json", "--exact-limit",     std::to_string(limit)};
    };
    EXPECT_EQ(json(words(least))["scores"].size(), 1U);
    refused(2, words(least - 1), {"--exact-limit: found", "expected a whole number, "});
  }
}

TEST_F(AnalysisCli, InspectsNeuronsAndClusters) {
  train("run");
  succeed({"inspect", path("run"), "--neurons", "3,7", "--out", path("two")});
  const io::Json two = io::Json::parse(slurp(directory_ / "two" / "inspection.json"));
  EXPECT_EQ(two["units"].size(), 2U);
  EXPECT_EQ(two["units"][1]["neurons"][0]["neuron"], 7);
  succeed({"cluster", path("run"), "--clusters", "2", "--replicates", "0", "--out", path("kinds")});
  succeed({"inspect", path("run"), "--cluster", "1", "--clusters", path("kinds") + "/clusters.csv",
           "--out", path("one"), "--threads", "1"});
  const io::Json one = io::Json::parse(slurp(directory_ / "one" / "inspection.json"));
  EXPECT_EQ(one["units"][0]["name"], "cluster 1");
  EXPECT_EQ(one["units"].size(), 1 + one["units"][0]["neurons"].size());
}

TEST_F(AnalysisCli, BeforeTrainingIsWhatTheRunBeganWith) {
  // Untrained parameters are the same before and after.
  train("run", {"--set", "neuron.learn=none", "--seed", "5", "--set",
                "neuron.after_spike_decay=log_uniform(0.2, 19)"});
  succeed({"inspect", path("run"), "--out", path("out")});
  std::istringstream table(slurp(directory_ / "out" / "timescales.csv"));
  std::string line;
  std::getline(table, line);
  EXPECT_EQ(line, "parameter,value,before_ms,after_ms");
  int rows = 0;
  for (; std::getline(table, line); ++rows) {
    const auto last = line.rfind(','), before = line.rfind(',', last - 1);
    EXPECT_EQ(line.substr(before + 1, last - before - 1), line.substr(last + 1));
  }
  EXPECT_EQ(rows, 8 + 16);
}

TEST_F(AnalysisCli, ReportsRunsWithAndWithoutTheirData) {
  testing::write_class_csv(path("classes.csv"));
  succeed({"train", "--task", "file", "--data", path("classes.csv"), "--neuron", "glifr",
           "--hidden", "8", "--epochs", "2", "--seeds", "2", "--quiet", "--out", path("run")});
  succeed({"silence", path("run"), "--fractions", "0,0.5", "--trials", "2", "--out",
           path("silencing"), "--quiet"});
  succeed({"report", path("run"), "--studies", path("silencing"), "--out", path("a.html")});
  const std::string page = slurp(directory_ / "a.html");
  for (const char* id : {"\"confusion-0\"", "\"training-accuracy\"", "\"silencing-0\"", "\"fi-0\"",
                         "mean of 2 runs"}) {
    EXPECT_THAT(page, HasSubstr(id));
  }
  for (const char* flag : {"--trials", "--limit"}) {
    refused(2, {"report", path("run"), "--studies", path("silencing"), flag, "2", "--out", "a"},
            {flag, "found with the study", "silencing'"});
  }
  fs::remove(path("classes.csv"));
  succeed({"report", path("run"), "--out", path("b.html")});
  const std::string without = slurp(directory_ / "b.html");
  EXPECT_THAT(without, HasSubstr("its data cannot be had"));
  EXPECT_THAT(without, HasSubstr("\"clusters-scatter\""));
  EXPECT_THAT(without, ::testing::Not(HasSubstr("\"confusion-0\"")));
}

TEST_F(AnalysisCli, ReportsTheStudiesOfTheQuickStart) {
  // The last three commands of scripts/quickstart.sh.
  testing::write_class_csv(path("classes.csv"));
  succeed({"train", "--task", "file", "--data", path("classes.csv"), "--neuron", "glifr",
           "--hidden", "8", "--epochs", "2", "--quiet", "--out", path("run")});
  const std::string silencing = path("run") + "/silencing", clusters = path("run") + "/clusters";
  const std::string page = path("run") + "/report.html";
  succeed({"silence", path("run"), "--trials", "3", "--out", silencing});
  succeed({"cluster", path("run"), "--replicates", "20", "--out", clusters});
  succeed({"report", path("run"), "--studies", silencing, "--studies", clusters, "--out", page});
  const std::string text = slurp(page);
  for (const std::string& part :
       {"From " + silencing + ": 3 trials", "With the settings of " + clusters,
        std::string("afterspike cluster again/run --standardise zscore"),
        std::string("--replicates 20"),
        std::string("afterspike silence again/run --fractions 0,0.2,0.4,0.6,0.8,1 --trials 3")}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  fs::copy(clusters, path("again"));
  refused(3,
          {"report", path("run"), "--studies", clusters, "--studies", path("again"), "--out", page,
           "--quiet"},
          {"both hold clusters"});
}

/// The commands on a page make everything that it shows again, from where they were called.
TEST_F(AnalysisCli, TheCommandsOfAReportCanBePasted) {
  testing::write_class_csv(path("classes.csv"));
  const fs::path before = fs::current_path();
  fs::current_path(directory_.path());
  succeed({"train", "--task", "file", "--data", "classes.csv", "--neuron", "glifr", "--hidden", "8",
           "--epochs", "2", "--seeds", "2", "--quiet", "--out", "runs/my"});
  succeed({"cluster", "runs/my", "--k", "2:3", "--replicates", "2", "--out", "kinds"});
  succeed({"silence", "runs/my", "--by", "kinds/clusters.csv", "--fractions", "0,1", "--trials",
           "2", "--quiet", "--out", "silencing"});
  succeed({"report", "runs/my", "--studies", "silencing", "--studies", "kinds", "--quiet", "--out",
           "report.html"});
  std::vector<std::string> names;
  for (const std::string& line : commands_of("report.html")) {
    std::istringstream text(line);
    const Words words{std::istream_iterator<std::string>(text), {}};
    ASSERT_EQ(words.front(), "afterspike") << line;
    names.push_back(words.at(1));
    succeed({words.begin() + 1, words.end()});
  }
  EXPECT_EQ(names, (Words{"train", "evaluate", "evaluate", "cluster", "silence", "report"}));
  for (const char* file :
       {"my/seed-2/metrics.csv", "kinds/clusters.csv", "silencing/silencing.csv"}) {
    EXPECT_TRUE(fs::exists(fs::path("again") / file)) << file;
  }
  const fs::path original = fs::path("runs/my/seed-2");
  EXPECT_EQ(testing::checkpoint_file("again/my/seed-2", "model.safetensors"),
            testing::checkpoint_file(original, "model.safetensors"));
  EXPECT_EQ(slurp("again/silencing/silencing.csv"), slurp("silencing/silencing.csv"));
  EXPECT_EQ(slurp("again/kinds/clusters.csv"), slurp("kinds/clusters.csv"));
  fs::current_path(before);
}

TEST_F(AnalysisCli, RunsOfSeveralTasksAreNotCompared) {
  train("sines");
  testing::write_class_csv(path("classes.csv"));
  succeed({"train", "--task", "file", "--data", path("classes.csv"), "--neuron", "glifr",
           "--hidden", "8", "--epochs", "1", "--quiet", "--out", path("classes")});
  refused(2, {"silence", path("sines"), path("classes"), "--out", path("out")},
          {"classifies on file", "makes traces on sine_generation", "runs of one task"});
  succeed({"report", path("sines"), path("classes"), "--out", path("a.html"), "--quiet"});
  EXPECT_THAT(slurp(directory_ / "a.html"), HasSubstr("robustness of these runs is not compared"));
}

TEST_F(AnalysisCli, InspectsWithoutASplitWhatDoesWithoutOne) {
  train("run");
  const Outcome outcome =
      succeed({"inspect", path("run"), "--split", "validation", "--out", path("out")});
  EXPECT_THAT(outcome.err, HasSubstr("no split 'validation'"));
  EXPECT_TRUE(fs::exists(directory_ / "out" / "fi_curves.csv"));
  EXPECT_FALSE(fs::exists(directory_ / "out" / "raster.csv"));
}

TEST_F(AnalysisCli, RefusesWhatDoesNotFitWithOneSentence) {
  train("run");
  const std::string out = path("out");
  fs::create_directory(path("empty"));
  refused(5, {"silence", path("empty"), "--out", out}, {"neither a run nor a checkpoint"});
  refused(5, {"cluster", path("none")}, {"there is no such run"});
  refused(2, {"silence", path("run"), "--fractions", "0,1.2", "--out", out},
          {"fraction: found 1.2, expected 0 to 1"});
  refused(2, {"silence", path("run"), "--fractions", "0,x", "--out", out}, {"'x' in '0,x'"});
  refused(2, {"silence", path("run")}, {"--out DIR"});
  refused(2, {"silence", "--out", out}, {"expected RUN"});
  refused(2, {"silence", path("run"), "--jitter", "1", "--deletion", "1", "--out", out},
          {"expected one of them"});
  refused(2, {"silence", path("run"), "--jitter", "1", "--by", "rate", "--out", out}, {"--by"});
  refused(2, {"silence", path("run"), "--order", "up", "--out", out}, {"highest or lowest"});
  refused(4, {"silence", path("run"), "--jitter", "1", "--out", out}, {"expected events"});
  EXPECT_FALSE(fs::exists(out));  // A refused command does not take the name.
  refused(2, {"silence", path("run"), "--order", "lowest", "--out", out}, {"only by rank"});
  refused(2, {"inspect", path("run")}, {"expected --out DIR"});
  refused(2, {"inspect", path("run"), "--neurons", "8", "--out", out}, {"neuron 8", "0 to 7"});
  refused(2, {"inspect", path("run"), "--neurons", "1.5", "--out", out}, {"whole numbers"});
  refused(2, {"inspect", path("run"), "--neurons", "1", "--cluster", "0", "--out", out},
          {"expected one of them"});
  refused(2, {"inspect", path("run"), "--neurons", "1", "--clusters", "x.csv", "--out", out},
          {"--neurons and --clusters", "expected one of them"});
  refused(2, {"report", path("run"), path("empty") + "/../run", "--out", out, "--quiet"},
          {"the same checkpoint"});
  refused(2, {"inspect", path("run"), "--sample", "99", "--out", out}, {"sample 99", "0 to 5"});
  refused(2, {"inspect", path("run"), "--neurons", "1", "--sample", "99", "--out", out},
          {"sample 99", "0 to 5"});
  refused(5, {"inspect", path("empty"), "--out", out}, {"neither a run nor a checkpoint"});
  refused(5, {"report", path("none"), "--out", out, "--quiet"}, {"there is no such run"});
  refused(2, {"report", path("run")}, {"expected --out FILE"});
  refused(2, {"report", path("run"), "--out", path("none") + "/a.html"},
          {"directory that is there"});
  refused(2, {"inspect", path("run"), "--out", path("empty")}, {"is there already"});
  refused(2, {"report", "--out", out}, {"expected RUN"});
  refused(3, {"report", path("run"), "--studies", path("empty"), "--out", out, "--quiet"},
          {"holds neither a study of afterspike silence nor clusters"});
  refused(2, {"report", path("run"), "--sample", "99", "--out", out, "--quiet"}, {"sample 99"});
  EXPECT_FALSE(fs::exists(out)) << "nothing is left of what was refused";
  refused(2, {"cluster"}, {"expected RUN... or --csv FILE, found neither"});
  refused(2, {"cluster", path("run"), "--csv", "x"}, {"found both"});
  refused(2, {"cluster", path("run"), "--k", "4"}, {"--k: found '4'"});
  refused(2, {"cluster", path("run"), "--standardise", "no"}, {"--standardise"});
  spill(path("text.csv"), "a,b\n1,fast\n");
  refused(4, {"cluster", "--csv", path("text.csv")}, {"line 2, column 2 ('b'): found 'fast'"});
  spill(path("one.csv"), "a,b\n1,2\n");
  refused(4, {"cluster", "--csv", path("one.csv")}, {"found 1 point"});
  refused(2, {"cluster", "--csv", path("one.csv"), "--out", path("run")}, {"exists already"});
  spill(path("large.csv"), "a,b\n1,2\n3,1e200\n");
  refused(4, {"cluster", "--csv", path("large.csv")}, {"line 3: b is 1e+200", "1e+100"});
  spill(path("runs.csv"), "run,a\n1,2\n1,3\n");
  refused(4, {"cluster", "--csv", path("runs.csv")}, {"no row of run 0"});
}

TEST_F(AnalysisCli, RefusesARunOfANewerProgram) {
  train("run");
  const fs::path manifest = directory_ / "run" / "checkpoints" /
                            testing::named(directory_ / "run", "latest") / "manifest.json";
  io::Json content = io::Json::parse(slurp(manifest));
  content["format"] = 1000;
  spill(manifest, content.dump());
  refused(5, {"cluster", path("run")}, {"format 1000 is newer than this program knows"});
  refused(5, {"silence", path("run"), "--out", path("out")}, {"use a newer afterspike"});
}

}  // namespace
}  // namespace afterspike
