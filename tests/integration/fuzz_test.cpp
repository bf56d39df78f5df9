// Readers of files from elsewhere under files that are damaged in their structure: they accept a
// file or say what is wrong with it, in little time and memory. Seeds are fixed. Sanitizers watch
// the same test in scripts/check.sh.

#include <sys/resource.h>

#include <chrono>
#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "afterspike/base/options.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/images.hpp"
#include "afterspike/datasets/neuronio.hpp"
#include "afterspike/datasets/spikes.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/formats/importer.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/io/safetensors.hpp"
#include "afterspike/io/table.hpp"
#include "afterspike/io/toml.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "afterspike/spiking/spike_file.hpp"
#include "support/mutate.hpp"
#include "support/spike_files.hpp"
#include "support/temp_dir.hpp"
#include "unit/formats/glifr_network.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using testing::slurp;
using testing::spill;

constexpr double kLongest_s = 10;  // Sanitizers and other processes included.

double peak_memory_gib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024 / 1024;
}

class Fuzz : public ::testing::Test {
 protected:
  using Make = std::function<void(const fs::path& path, Rng& rng)>;
  using Read = std::function<void(const fs::path& path)>;

  /// Has `make` damage a file, named with `suffix`, and `read` read it, `times` times.
  void expect_answers(int times, const std::string& suffix, const Make& make, const Read& read) {
    int accepted = 0, refused = 0;
    for (int i = 0; i < times; ++i) {
      SCOPED_TRACE(fmt::format("case {}", i));
      Rng rng = Rng(20261201).stream("fuzz", static_cast<std::uint64_t>(i));
      const fs::path path = folder_ / ("damaged" + suffix);
      fs::remove_all(path);
      make(path, rng);
      const auto begin = std::chrono::steady_clock::now();
      try {
        read(path);
        ++accepted;
      } catch (const Error& error) {
        EXPECT_NE(error.kind(), ErrorKind::internal) << error.what();
        ++refused;
      } catch (const std::exception& error) {
        ADD_FAILURE() << "no Error: " << error.what();
      }
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      EXPECT_LT(taken.count(), kLongest_s);
      if (HasFailure()) return;
    }
    EXPECT_GT(refused, times / 10) << "the damage is too small";
    EXPECT_LT(peak_memory_gib(), 3) << "after " << accepted << " files that were accepted";
  }

  /// The same for damaged copies of `seed`.
  void expect_answers(int times, const fs::path& seed,
                      std::string (*mutated)(const std::string&, Rng&), const Read& read) {
    const std::string text = slurp(seed);
    expect_answers(
        times, seed.extension().string(),
        [&](const fs::path& path, Rng& rng) { spill(path, mutated(text, rng)); }, read);
  }

  /// The same for damaged objects of an HDF5 file. Damaged bytes would test the HDF5 library.
  void expect_answers_hdf5(int times, const fs::path& seed, const Read& read) {
    const std::string bytes = slurp(seed);
    expect_answers(
        times, ".h5",
        [&](const fs::path& path, Rng& rng) {
          spill(path, bytes);
          testing::mutate_hdf5(path, rng);
        },
        read);
  }

  /// A network of two populations of GLIF neurons with synapses and spike trains.
  static spiking::Network network() {
    using spiking::SynapseShape;
    spiking::Network network;
    network.time_step_ms = 0.1;
    network.populations = {
        testing::make_population("cells", "glif3", 6, SynapseShape::alpha, {5.5, 8.5}, Rng(1)),
        testing::make_population("input", "spike_source", 2, SynapseShape::delta, {}, Rng(2))};
    network.populations[1].trains = {{0, 2, 3}, {1, 2, 5}};
    std::vector<spiking::Synapse> synapses;
    for (std::int64_t i = 0; i < 6; ++i) synapses.push_back({i % 2, i, 100.0, 1.0, 0});
    network.projections = {spiking::make_projection(network.populations, 1, 0, synapses)};
    return network;
  }

  void write_as(const char* format, const fs::path& path) const {
    const auto& entry = find_entry<formats::ExporterEntry>(formats::entries(), format, "format");
    formats::export_network(entry, network(), path, {true, 0.1, 0});
  }

  testing::TempDir folder_;
};

TEST_F(Fuzz, Json) {
  spill(
      folder_ / "seed.json",
      R"({"format":1,"list":[1,2.5,-3,[4,{"a":null}]],"text":"ä","deep":{"a":{"b":{"c":[true]}}}})");
  expect_answers(1500, folder_ / "seed.json", testing::mutated_json, [](const fs::path& path) {
    const io::Json read = io::read_json(path, ErrorKind::data);
    const io::Json copy = read;
    EXPECT_EQ(copy, read);
    EXPECT_FALSE(copy.dump(2).empty());
    io::member<std::int64_t>(read, "format", "file", ErrorKind::data);
    io::member<std::vector<double>>(read, "list", "file", ErrorKind::data);
  });
}

TEST_F(Fuzz, Safetensors) {
  const std::string header =
      R"({"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("y":{"dtype":"I64","shape":[1],"data_offsets":[24,32]}})";
  expect_answers(
      1500, ".safetensors",
      [&](const fs::path& path, Rng& rng) {
        const std::string text = testing::mutated_json(header, rng);
        std::uint64_t length = text.size();
        if (rng.below(10) == 0) length = rng.next();
        std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
        bytes += text + std::string(32, '\1');
        spill(path, rng.below(10) == 0 ? testing::mutated_bytes(bytes, rng) : bytes);
      },
      [](const fs::path& path) { io::read_safetensors(path); });
}

TEST_F(Fuzz, Toml) {
  spill(folder_ / "seed.toml",
        "seed = 7\n[train]\nshuffle = false\nepochs = 3\nname = 'b'\n[train.optimizer]\n"
        "rate = 0.25\n[task]\nlevels = [0.5, 2]\n");
  expect_answers(1500, folder_ / "seed.toml", testing::mutated_lines, [](const fs::path& path) {
    std::int64_t seed = 1, epochs = 2;
    bool shuffle = true;
    double rate = 1;
    std::string name;
    std::vector<double> levels;
    options::Description description;
    options::Section(description, "").add("seed", seed, "");
    options::Section train(description, "train");
    train.add("shuffle", shuffle, "");
    train.add("epochs", epochs, "");
    train.add("name", name, "");
    train.section("optimizer").add("rate", rate, "");
    options::Section(description, "task").add("levels", levels, "");
    io::read_options(path, description);
  });
}

TEST_F(Fuzz, Tables) {
  spill(folder_ / "seed.csv", "time_ms,population,neuron\n1,1,0\n1.5,1,1\n2,1,0\n");
  expect_answers(1500, folder_ / "seed.csv", testing::mutated_lines, [](const fs::path& path) {
    io::read_csv(path, "population");
    spiking::read_trains(path, "input", 1, 2);
  });
}

TEST_F(Fuzz, ImagesInIdxFiles) {
  spill(folder_ / "labels", std::string("\0\0\x08\x01\0\0\0\x02\x03\x04", 10));
  const std::string images =
      std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02", 16) + "12345678";
  expect_answers(
      1500, "",
      [&](const fs::path& path, Rng& rng) { spill(path, testing::mutated_bytes(images, rng)); },
      [&](const fs::path& path) { datasets::read_idx(path, folder_ / "labels"); });
}

TEST_F(Fuzz, NeuronIo) {
  {
    io::Hdf5File file(folder_ / "seed.h5", io::Hdf5File::Mode::create);
    const auto put = [&](const char* name, const std::vector<std::int64_t>& values) {
      file.write<std::int64_t>(name, {{std::ssize(values)}, values});
    };
    put("/input/ptr", {0, 4, 5});
    put("/input/times_ms", {3, 0, 3, 4, 2});
    put("/input/synapse", {1, 0, 3, 2, 3});
    put("/output/ptr", {0, 0, 2});
    file.write<double>("/output/times_ms", {{2}, {5.25, 1.0}});
    put("/segment_is_apical", {0, 1});
    file.write<double>("/soma_mV", {{2, 5}, {-70, -69, -68, -67, -66, -60, -59, -58, -57, -56}});
  }
  ASSERT_NO_THROW(datasets::read_neuronio(folder_ / "seed.h5"));
  expect_answers_hdf5(400, folder_ / "seed.h5",
                      [](const fs::path& path) { datasets::read_neuronio(path); });
}

TEST_F(Fuzz, RecordingsOfSpikes) {
  testing::random_spikes(4, {0, 1, 4}, Rng(1)).write(folder_ / "seed.h5");
  const auto read = [](const fs::path& path) {
    datasets::read_spikes(path, datasets::kShd, datasets::SpikeBins{});
  };
  ASSERT_NO_THROW(read(folder_ / "seed.h5"));
  expect_answers_hdf5(400, folder_ / "seed.h5", read);
}

TEST_F(Fuzz, NetworkFiles) {
  write_as("native", folder_ / "seed.h5");
  ASSERT_NO_THROW(spiking::read_network(folder_ / "seed.h5"));
  expect_answers_hdf5(400, folder_ / "seed.h5",
                      [](const fs::path& path) { spiking::read_network(path); });
}

TEST_F(Fuzz, ReportsOfSpikes) {
  const std::vector<spiking::Spike> spikes = {{1.0, 0, 0}, {1.5, 0, 3}, {7, 0, 2}};
  spiking::write_spikes_sonata(folder_ / "seed.h5", network(), spikes);
  const auto read = [](const fs::path& path) { spiking::read_trains(path, "cells", 0, 6); };
  ASSERT_NO_THROW(read(folder_ / "seed.h5"));
  expect_answers_hdf5(400, folder_ / "seed.h5", read);
}

TEST_F(Fuzz, AllenNeurons) {
  write_as("allen", folder_ / "allen");
  const fs::path seed = folder_ / "allen" / "cells_0_neuron_config.json";
  ASSERT_NO_THROW(formats::import_allen({seed}));
  expect_answers(1500, seed, testing::mutated_json,
                 [](const fs::path& path) { formats::import_allen({path}); });
}

TEST_F(Fuzz, SonataNetworks) {
  write_as("sonata", folder_ / "sonata");
  ASSERT_NO_THROW(formats::import_sonata(folder_ / "sonata"));
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "sonata")) {
    if (entry.is_regular_file())
      files.push_back(entry.path().lexically_relative(folder_ / "sonata"));
  }
  std::sort(files.begin(), files.end());
  expect_answers(
      300, "",
      [&](const fs::path& path, Rng& rng) {
        fs::copy(folder_ / "sonata", path, fs::copy_options::recursive);
        const fs::path file = path / files[rng.below(files.size())];
        const std::string text = slurp(file);
        if (file.extension() == ".h5") return testing::mutate_hdf5(file, rng);
        spill(file, file.extension() == ".json" ? testing::mutated_json(text, rng)
                                                : testing::mutated_lines(text, rng));
      },
      [](const fs::path& path) { formats::import_sonata(path); });
}

}  // namespace
}  // namespace afterspike
