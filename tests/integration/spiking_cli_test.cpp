// 'afterspike export', 'simulate', 'parity' and 'import' as processes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "class_files.hpp"
#include "program.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::Outcome;
using testing::Words;

class SpikingCli : public testing::ProgramTest {
 protected:
  std::string path(const char* name) const { return (directory_ / name).string(); }

  /// A run of six neurons that tells two classes of sequences apart.
  void train() const {
    testing::write_class_csv(directory_ / "data.csv");
    succeed({"train",
             "--task",
             "file",
             "--data",
             path("data.csv"),
             "--neuron",
             "glifr",
             "--hidden",
             "6",
             "--read",
             "2",
             "--epochs",
             "2",
             "--threads",
             "1",
             "--quiet",
             "--set",
             "neuron.sigma=0.1 mV",
             "--set",
             "neuron.input_weight=uniform(-4, 4)",
             "--out",
             path("run")});
  }
};

TEST_F(SpikingCli, ExportsSimulatesAndCompares) {
  train();
  const io::Json verified = json({"export", path("run"), "--out", path("net.h5"), "--time-step",
                                  "1ms", "--verify", "8", "--json"});
  EXPECT_EQ(verified["samples"], 8);
  EXPECT_EQ(verified["samples_with_other_spikes"], 0);
  const io::Json compared = json({"parity", path("run"), path("net.h5"), "--json"});
  EXPECT_EQ(compared, verified);
  const io::Json answered = json({"simulate", path("net.h5"), "--json", "--threads", "2"});
  EXPECT_EQ(answered["accuracy"], compared["spiking_accuracy"]);
  EXPECT_EQ(answered["samples"], 8);
  EXPECT_GT(answered["energy_uJ_per_sample"], 0);
  const io::Json exact = json(
      {"simulate", path("net.h5"), "--as", "glif3", "--engine", "exact", "--limit", "5", "--json"});
  EXPECT_EQ(exact["samples"], 5);
  EXPECT_THAT(succeed({"parity", path("run"), path("net.h5")}).out, HasSubstr("verdict"));
  const io::Json changed = json({"parity", path("run"), path("net.h5"), "--as", "glif3", "--engine",
                                 "exact", "--limit", "5", "--json"});
  EXPECT_EQ(changed["spiking_accuracy"], exact["accuracy"]);
  EXPECT_GE(changed["approximated_parameters"], 6);
  refused(3, {"simulate", path("net.h5"), "--engine", "exact"}, {"conversion to glif3"});
  refused(2, {"simulate", path("net.h5"), "--copies", "4"}, {"expected mode 'population'"});
  refused(2, {"export", path("run"), "--out", path("net.h5")}, {"exists already"});
}

TEST_F(SpikingCli, FlagsOfTheOtherWayToRunAreRefused) {
  train();
  succeed({"export", path("run"), "--out", path("net.h5")});
  for (const char* flag : {"--record", "--interval"}) {
    refused(2, {"simulate", path("net.h5"), flag, "1ms"}, {flag, "expected it too"});
  }
  for (const char* flag : {"--task", "--limit"}) {
    refused(2, {"simulate", path("net.h5"), "--until", "1ms", flag, "1"},
            {flag, "found --until too"});
  }
  refused(2, {"simulate", path("net.h5"), "--until", "0 ms"}, {"--until", "a time above 0"});
  for (const char* flag : {"--time-step", "--synapse"}) {
    refused(2, {"export", path("run"), "--format", "pynest", "--out", path("no"), flag, "0 ms"},
            {flag, "a time above 0"});
  }
  for (const char* format : {"native", "nir"}) {
    refused(2,
            {"export", path("run"), "--format", format, "--out", path("no"), "--synapse", "1 ms"},
            {"--synapse", format, "of their own step"});
  }
}

TEST_F(SpikingCli, WhatIsWrittenIsVerifiedOrSaidNotToBe) {
  train();
  for (const char* format : {"native", "pynest", "nir"}) {
    const io::Json verified = json({"export", path("run"), "--format", format, "--approximate",
                                    "--out", path(format), "--verify", "8", "--json"});
    EXPECT_EQ(verified["samples"], 8) << format;
    EXPECT_EQ(verified["approximated_parameters"] == 0, format == std::string("native"));
    EXPECT_TRUE(fs::exists(directory_ / format));
  }
  for (const char* format : {"sonata", "allen"}) {
    refused(2,
            {"export", path("run"), "--format", format, "--approximate", "--out", path(format),
             "--verify", "8"},
            {"--verify", format, "cannot be shown the samples of a task"});
    EXPECT_FALSE(fs::exists(directory_ / format));
  }
}

TEST_F(SpikingCli, PopulationsTakeAsManyCopiesAsAskedFor) {
  train();
  succeed(
      {"export", path("run"), "--mode", "population", "--copies", "4", "--out", path("net.h5")});
  const io::Json four = json({"simulate", path("net.h5"), "--json"});
  const io::Json many = json({"simulate", path("net.h5"), "--copies", "64", "--json"});
  EXPECT_EQ(four["copies"], 4);
  const double ratio =
      many["spikes_per_sample"].get<double>() / four["spikes_per_sample"].get<double>();
  EXPECT_NEAR(ratio, 16, 4);
  EXPECT_EQ(json({"simulate", path("net.h5"), "--json", "--threads", "1"})["accuracy"],
            json({"simulate", path("net.h5"), "--json", "--threads", "3"})["accuracy"]);
}

TEST_F(SpikingCli, OthersFormatsAreWrittenAndReadBack) {
  train();
  for (const char* format : {"pynest", "sonata", "nir", "allen"}) {
    refused(3, {"export", path("run"), "--format", format, "--out", path(format)},
            {"expected --approximate", "population 'hidden'"});
    EXPECT_FALSE(fs::exists(directory_ / format));
    testing::spill(directory_ / format, "before");
    refused(3, {"export", path("run"), "--format", format, "--force", "--out", path(format)},
            {"expected --approximate"});
    EXPECT_EQ(testing::slurp(directory_ / format), "before");
    succeed({"export", path("run"), "--format", format, "--approximate", "--force", "--out",
             path(format)});
    EXPECT_EQ(fs::is_directory(directory_ / format), format != std::string("nir"));
  }
  succeed({"import", path("sonata"), "--out", path("sonata.h5")});
  testing::spill(directory_ / "in.csv", "time_ms,population,neuron\n1,1,0\n1,1,1\n2,1,0\n");
  const io::Json ran =
      json({"simulate", path("sonata.h5"), "--until", "20 ms", "--input", "input=" + path("in.csv"),
            "--record", "V,spikes", "--out", path("out"), "--json"});
  EXPECT_EQ(ran["neurons"], 6);
  for (const char* file : {"spikes.csv", "spikes.h5", "hidden_V.csv"}) {
    EXPECT_TRUE(fs::exists(directory_ / "out" / file)) << file;
  }
  succeed({"import", (directory_ / "allen/hidden_0_neuron_config.json").string(),
           (directory_ / "allen/hidden_1_neuron_config.json").string(), "--out", path("cells.h5")});
  refused(4, {"import", path("in.csv"), "--out", path("no.h5")}, {"in.csv"});
}

}  // namespace
}  // namespace afterspike
