// 'afterspike export', 'simulate', 'parity' and 'import' as processes.

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.hpp"
#include "support/class_files.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using testing::Outcome;
using testing::Words;

class SpikingCli : public testing::CommandTest {
 protected:
  std::string path(const char* name) const { return (directory_ / name).string(); }

  /// Trains six neurons to distinguish two classes of sequences.
  void train(const char* seed = "1") const {
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
             "--seed",
             seed,
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
  io::Json verified = json({"export", path("run"), "--out", path("net.h5"), "--time-step", "1ms",
                            "--verify", "8", "--json"});
  EXPECT_EQ(verified["deviations"], io::Json::array());
  verified.erase("deviations");
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

TEST_F(SpikingCli, DescribesANetworkFile) {
  train();
  succeed({"export", path("run"), "--mode", "population", "--copies", "4", "--out", path("net.h5"),
           "--time-step", "1ms"});
  const io::Json network = json({"info", path("net.h5"), "--json"});
  EXPECT_EQ(network.at("file"), path("net.h5"));
  EXPECT_EQ(network.at("time_step_ms"), 1);
  EXPECT_EQ(network.at("neurons"), 24);
  EXPECT_EQ(network.at("synapses"), 2 * 6 + 6 * 6);
  EXPECT_EQ(network.at("populations").at(0).at("model"), "glifr");
  EXPECT_EQ(network.at("readout").at("outputs"), 2);
  EXPECT_EQ(network.at("provenance").at("task"), "file");
  const std::string text = succeed({"info", path("net.h5")}).out;
  for (const char* part :
       {"hidden: 6 of glifr, 4 copies of each", "input -> hidden: 12 synapses", "threshold",
        "readout: 2 outputs", "population", "in full with --json"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  testing::write_class_hdf5(directory_ / "other.h5");
  EXPECT_THAT(succeed({"info", path("other.h5")}).out, HasSubstr("/inputs")) << "a data file";
  refused(4, {"simulate", path("other.h5"), "--until", "5 ms", "--out", path("none")},
          {"other.h5", "not a network of afterspike"});
}

TEST_F(SpikingCli, ImportsWhatFromSaysOrWhatItFinds) {
  train();
  for (const char* format : {"sonata", "allen"}) {
    succeed({"export", path("run"), "--format", format, "--approximate", "--out", path(format)});
    const std::string told = path(format) + "_told.h5", found = path(format) + "_found.h5";
    succeed({"import", path(format), "--from", format, "--out", told});
    succeed({"import", path(format), "--out", found});
    const io::Json one = json({"info", told, "--json"}), two = json({"info", found, "--json"});
    EXPECT_EQ(one.at("populations"), two.at("populations"));
  }
  refused(4, {"import", path("sonata"), "--from", "allen", "--out", path("no.h5")},
          {"neuron_config.json, found none"});
  refused(4, {"import", path("allen"), "--from", "sonata", "--out", path("no.h5")},
          {"config.json"});
  refused(2, {"import", path("allen"), "--from", "nest", "--out", path("no.h5")},
          {"--from: found 'nest', expected allen or sonata"});
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
  refused(2, {"simulate", path("net.h5"), "--until", "1 ms", "--interval", "1 ms"},
          {"--interval", "expected --record"});
  refused(2,
          {"simulate", path("net.h5"), "--until", "1 ms", "--record", "spikes", "--out",
           path("spikes"), "--interval", "1 ms"},
          {"--interval", "expected --record V"});
  for (const char* time : {"1e300 ms", "1e-9 ms"}) {
    refused(3, {"export", path("run"), "--out", path("no"), "--time-step", time},
            {"--time-step: found", "expected 1e-06 to 1000000 ms"});
  }
  refused(2, {"export", path("run"), "--out", path("no"), "--seed", "2"},
          {"--seed", "expected --verify"});
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
  for (const char* format : {"native", "pynest", "sonata", "nir"}) {
    const io::Json verified = json({"export", path("run"), "--format", format, "--approximate",
                                    "--out", path(format), "--verify", "8", "--json"});
    EXPECT_EQ(verified["samples"], 8) << format;
    EXPECT_EQ(verified["approximated_parameters"] == 0, format == std::string("native"));
    EXPECT_TRUE(fs::exists(directory_ / format));
  }
  refused(2,
          {"export", path("run"), "--format", "allen", "--approximate", "--out", path("allen"),
           "--verify", "8"},
          {"--verify", "allen", "cannot be shown the samples of a task"});
  EXPECT_FALSE(fs::exists(directory_ / "allen"));
}

TEST_F(SpikingCli, EveryNeuronThatIsNotAsItWasIsSaid) {
  train();
  const io::Json written = json({"export", path("run"), "--format", "pynest", "--approximate",
                                 "--out", path("pynest"), "--json"});
  EXPECT_FALSE(written.contains("samples"));
  bool found = false;
  for (const io::Json& each : written["deviations"]) {
    if (each["what"] == "delta synapses") {
      EXPECT_EQ(each["neurons"], (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
      found = true;
    }
  }
  EXPECT_TRUE(found);
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
    const Words approximate = {"export",        path("run"), "--format",  format,
                               "--approximate", "--out",     path(format)};
    succeed(approximate);
    const auto before = fs::last_write_time(directory_ / format);
    refused(3, {"export", path("run"), "--format", format, "--force", "--out", path(format)},
            {"expected --approximate"});
    EXPECT_EQ(fs::last_write_time(directory_ / format), before);
    Words again = approximate;
    again.push_back("--force");
    succeed(again);
    EXPECT_NE(fs::last_write_time(directory_ / format), before);
    EXPECT_EQ(fs::is_directory(directory_ / format), format != std::string("nir"));
  }
  succeed({"import", path("sonata"), "--out", path("sonata.h5")});
  refused(2,
          {"import", (directory_ / "allen/hidden_0_neuron_config.json").string(), path("sonata"),
           "--out", path("no.h5")},
          {"found 2 paths, expected one SONATA network"});
  fs::rename(directory_ / "sonata/config.json", directory_ / "sonata/simulation_config.json");
  succeed({"import", path("sonata/simulation_config.json"), "--out", path("again.h5")});
  EXPECT_EQ(testing::slurp(directory_ / "again.h5").size(),
            testing::slurp(directory_ / "sonata.h5").size());
  testing::spill(directory_ / "in.csv", "time_ms,population,neuron\n1,1,0\n1,1,1\n2,1,0\n");
  const io::Json ran =
      json({"simulate", path("sonata.h5"), "--until", "20 ms", "--input", "input=" + path("in.csv"),
            "--record", "V,spikes", "--out", path("out"), "--json"});
  EXPECT_EQ(ran["neurons"], 6);
  for (const char* file : {"spikes.csv", "spikes.h5", "hidden_V.csv"}) {
    EXPECT_TRUE(fs::exists(directory_ / "out" / file)) << file;
  }
  // Output spikes do not belong to the source, and are no input.
  refused(2,
          {"simulate", path("sonata.h5"), "--until", "20 ms", "--input", path("in.csv"), "--input",
           path("in.csv")},
          {"--input: found two files for 'input'"});
  refused(4, {"simulate", path("sonata.h5"), "--until", "20 ms", "--input", path("out/spikes.h5")},
          {"spikes.h5", "expected spikes of population 'input'"});
  succeed({"import", (directory_ / "allen/hidden_0_neuron_config.json").string(),
           (directory_ / "allen/hidden_1_neuron_config.json").string(), "--out", path("cells.h5")});
  succeed({"import", path("allen"), "--out", path("all_cells.h5")});
  refused(4, {"import", path("out"), "--out", path("no.h5")}, {"neuron_config.json, found none"});
  refused(4, {"import", path("in.csv"), "--out", path("no.h5")}, {"in.csv"});
}

TEST_F(SpikingCli, ANetworkWithoutNeuronsIsRefused) {
  fs::create_directory(directory_ / "empty");
  testing::spill(directory_ / "empty/config.json",
                 R"({"networks":{"nodes":[],"edges":[]},"run":{"dt":0.1}})");
  succeed({"import", path("empty"), "--out", path("empty.h5")});
  refused(4, {"simulate", path("empty.h5"), "--until", "1 ms"},
          {"empty.h5", "found no neurons, expected a population of them"});
}

/// --force replaces former exports and nothing else.
TEST_F(SpikingCli, ForceReplacesOnlyWhatTheFormatWrites) {
  train();
  fs::create_directories(directory_ / "precious/sub");
  testing::spill(directory_ / "precious/sub/thesis.tex", "years of work");
  testing::spill(directory_ / "notes.txt", "years of work");
  succeed({"export", path("run"), "--format", "allen", "--approximate", "--out", path("cells")});
  testing::spill(directory_ / "cells/thesis.tex", "years of work");
  const std::string cell = path("cells/hidden_0_neuron_config.json");
  for (const char* format : {"native", "nir", "pynest", "sonata", "allen"}) {
    for (const char* out : {"precious", "notes.txt", "cells"}) {
      refused(2,
              {"export", path("run"), "--format", format, "--approximate", "--force", "--out",
               path(out)},
              {"--out", out, "hoose a new name"});
    }
  }
  testing::spill(directory_ / "one_neuron_config.json", testing::slurp(cell));
  for (const char* out : {"precious", "notes.txt", "cells"}) {
    refused(2, {"import", path("one_neuron_config.json"), "--force", "--out", path(out)},
            {"--out", out});
  }
  for (const char* name : {"precious/sub/thesis.tex", "notes.txt", "cells/thesis.tex"}) {
    EXPECT_EQ(testing::slurp(directory_ / name), "years of work") << name;
  }
  succeed({"import", path("one_neuron_config.json"), "--out", path("net.h5")});
  succeed({"import", path("one_neuron_config.json"), "--force", "--out", path("net.h5")});
}

TEST_F(SpikingCli, StudiesOneNeuron) {
  const Words brief = {"--duration", "100ms", "--frequencies", "30", "--out", path("study")};
  const auto words = [&](Words first) {
    first.insert(first.end(), brief.begin(), brief.end());
    return first;
  };
  const io::Json summary = json(words({"neuron", "aeif_psc_exp", "--preset", "tonic", "--set",
                                       "C_m=0.21nF", "--current", "0.5nA", "--json"}));
  EXPECT_EQ(summary["current"], 500);
  EXPECT_EQ(summary["parameters"]["C_m"], 210);
  EXPECT_GT(summary["spikes"], 3);
  EXPECT_THAT(testing::slurp(directory_ / "study" / "report.html"), HasSubstr("--preset tonic"));
  refused(2, words({"neuron", "lif"}), {"exists already", "--force"});
  EXPECT_THAT(succeed(words({"neuron", "lif", "--force"})).out, HasSubstr("rheobase"));
  EXPECT_FALSE(fs::exists(directory_ / "study" / "nullclines.csv")) << "the old study is gone";
  std::ofstream(directory_ / "study" / "thesis.tex") << "years of work";
  refused(2, words({"neuron", "lif", "--force"}), {"thesis.tex", "does not write"});
  const Words other = {"--out", path("other")};
  const auto refuse = [&](int status, Words first, std::initializer_list<const char*> parts) {
    first.insert(first.end(), other.begin(), other.end());
    refused(status, first, parts);
  };
  refuse(2, {"neuron", "aeif"}, {"'aeif'", "did you mean"});
  refuse(2, {"neuron", "lif", "--preset", "tonic"}, {"'lif' has no presets"});
  refuse(2, {"neuron", "lif", "--set", "C_m"}, {"--set: 'C_m' has no value"});
  refuse(2, {"neuron", "lif", "--trials", "4"}, {"--trials", "not random"});
  refuse(3, {"neuron", "lif", "--current", "nan"}, {"--current: 'nan' is not finite"});
  refuse(3, {"neuron", "lif", "--current", "5mV"}, {"--current: '5mV'", "pA"});
  refuse(3, {"neuron", "lif", "--duration", "1h"}, {"duration: found 3600000 ms"});
  refused(2, {"neuron", "lif"}, {"no --out"});
  EXPECT_FALSE(fs::exists(directory_ / "other"));
}

/// The same network is written as the same bytes, however late.
TEST_F(SpikingCli, ExportsAreReproducible) {
  train();
  for (const char* format : {"native", "nir"}) {
    for (const char* name : {"one", "two"}) {
      succeed({"export", path("run"), "--format", format, "--approximate", "--out",
               (directory_ / (std::string(name) + format)).string()});
      std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5 would store seconds.
    }
    EXPECT_EQ(testing::slurp(directory_ / (std::string("one") + format)),
              testing::slurp(directory_ / (std::string("two") + format)))
        << format;
  }
}

TEST_F(SpikingCli, WhatIsThereIsNotLost) {
  train();
  succeed({"export", path("run"), "--out", path("net.h5")});
  succeed({"export", path("run"), "--format", "allen", "--approximate", "--out", path("allen")});
  const std::string cell = path("allen/hidden_0_neuron_config.json"), before = testing::slurp(cell);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  for (const std::string& out : {path("run"), path("run/run.json"), directory_.path().string()}) {
    refused(2, {"export", path("run"), "--force", "--out", out}, {"--out", "the run"});
  }
  for (const Words& force : {Words{}, Words{"--force"}}) {
    Words words = {"export", path("run"), "--out", path("pipe")};
    words.insert(words.end(), force.begin(), force.end());
    refused(2, words, {"a device or a pipe"});
  }
  refused(2, {"export", path("run"), "--verify", "0", "--out", path("other.h5")}, {"--verify"});
  refused(2, {"export", path("run"), "--out", ""}, {"--out"});
  refused(2, {"import", cell, "--force", "--out", cell}, {"what is read"});
  refused(2, {"import", cell, "--out", path("pipe")}, {"a device or a pipe"});
  refused(2, {"report", path("run"), "--out", path("run/run.json")}, {"is no page"});
  refused(2, {"simulate", path("net.h5"), "--until", "5 ms", "--record", "V"}, {"--out"});
  EXPECT_TRUE(fs::is_fifo(directory_ / "pipe"));
  EXPECT_FALSE(fs::exists(directory_ / "other.h5"));
  EXPECT_EQ(testing::slurp(cell), before);
  succeed({"parity", path("run"), path("net.h5")});
  fs::create_directory_symlink("allen", directory_ / "link");
  succeed({"export", path("run"), "--format", "allen", "--approximate", "--force", "--out",
           path("link")});
  EXPECT_TRUE(fs::is_symlink(directory_ / "link"));
  fs::rename(directory_ / "run", directory_ / "first");
  train("2");
  refused(3, {"parity", path("run"), path("net.h5")}, {"another checkpoint", "export it anew"});
}

}  // namespace
}  // namespace afterspike
