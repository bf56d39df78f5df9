#include "afterspike/datasets/neuronio.hpp"

#include <functional>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/spike_files.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::datasets {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two runs of 5 ms of a cell with two segments.
struct SmallFile {
  using Integers = std::vector<std::int64_t>;
  Integers input_ptr = {0, 4, 5}, input_times = {3, 0, 3, 4, 2}, synapses = {1, 0, 3, 2, 3};
  Integers output_ptr = {0, 0, 2};
  std::vector<double> output_times = {5.25, 1.0};
  std::vector<double> soma = {-70, -69, -68, -67, -66, -60, -59, -58, -57, -56};
  std::int64_t steps = 5;
  Integers apical = {0, 1};

  void write(const std::filesystem::path& path) const {
    io::Hdf5File file(path, io::Hdf5File::Mode::create);
    const auto put = [&]<typename T>(std::string_view name, const std::vector<T>& values) {
      file.write<T>(name, {{std::ssize(values)}, values});
    };
    put("/input/ptr", input_ptr);
    put("/input/times_ms", input_times);
    put("/input/synapse", synapses);
    put("/output/ptr", output_ptr);
    put("/output/times_ms", output_times);
    put("/segment_is_apical", apical);
    file.write<double>("/soma_mV", {{std::ssize(soma) / steps, steps}, soma});
  }
};

class NeuronIo : public ::testing::Test {
 protected:
  NeuronSimulations read(const SmallFile& file) const {
    file.write(path_);
    return read_neuronio(path_);
  }

  testing::TempDir folder_;
  std::filesystem::path path_ = folder_ / "runs.h5";
};

TEST_F(NeuronIo, IsReadRunByRun) {
  const NeuronSimulations found = read({});
  EXPECT_EQ(found.segments, 2);
  EXPECT_EQ(found.steps, 5);
  ASSERT_EQ(found.runs.size(), 2u);
  EXPECT_THAT(found.runs[0].first, ElementsAre(0, 1, 1, 1, 3, 4));
  EXPECT_THAT(found.runs[0].synapses, ElementsAre(0, 1, 3, 2));
  EXPECT_THAT(found.runs[0].spikes, ElementsAre());
  EXPECT_THAT(found.runs[0].soma_mV, ElementsAre(-70, -69, -68, -67, -66));
  EXPECT_THAT(found.runs[1].first, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_THAT(found.runs[1].synapses, ElementsAre(3));
  EXPECT_THAT(found.runs[1].spikes, ElementsAre(0, 4));  // floor(0.5), floor(4.75)
}

TEST_F(NeuronIo, DamagedIsRefused) {
  struct Damage {
    std::function<void(SmallFile&)> inflict;
    std::string message;
  };
  const Damage damages[] = {
      {[](SmallFile& f) { f.input_times[1] = 5; },
       "'/input/times_ms': run 0: found 5 ms, expected from 0 to below 5"},
      {[](SmallFile& f) { f.input_times[4] = -1; }, "'/input/times_ms': run 1: found -1 ms"},
      {[](SmallFile& f) { f.synapses[0] = 4; },
       "'/input/synapse': run 0: found 4, expected from 0 to below 4"},
      {[](SmallFile& f) { f.synapses.pop_back(); },
       "'/input/synapse': found shape [4], expected [5]: the last number of '/input/ptr'"},
      {[](SmallFile& f) {
         f.input_ptr = {0, 5};
       },
       "'/input/ptr': found shape [2], expected [3]: a number more than there are runs"},
      {[](SmallFile& f) {
         f.input_ptr = {0, 6, 5};
       },
       "'/input/ptr': expected numbers that begin"},
      {[](SmallFile& f) {
         f.input_ptr = {1, 4, 5};
       },
       "'/input/ptr': expected numbers that begin"},
      {[](SmallFile& f) { f.output_times[0] = 5.5; }, "'/output/times_ms': run 1: found 5.5 ms"},
      {[](SmallFile& f) { f.output_times[0] = std::numeric_limits<double>::quiet_NaN(); },
       "'/output/times_ms': run 1: found nan ms"},
      {[](SmallFile& f) { f.soma[6] = std::numeric_limits<double>::infinity(); },
       "'/soma_mV': run 1: found a voltage that is not finite"},
      {[](SmallFile& f) { f.apical.clear(); }, "'/segment_is_apical': found shape [0]"},
  };
  for (const Damage& damage : damages) {
    SmallFile file;
    damage.inflict(file);
    testing::expect_error(ErrorKind::data, {path_.string(), damage.message}, [&] { read(file); });
  }
  io::Hdf5File(path_, io::Hdf5File::Mode::create);
  testing::expect_error(ErrorKind::data, {"'/soma_mV' is missing"}, [&] { read_neuronio(path_); });
}

/// Facts of the file, found with h5dump.
TEST(NeuronIoData, RealRunsAreReadWhereTheyAreThere) {
  const auto path = testing::shared_data("neuronio/train__sim__12runs_seed101.h5");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
  const NeuronSimulations found = read_neuronio(path);
  EXPECT_EQ(found.segments, 639);
  EXPECT_EQ(found.steps, 6000);
  ASSERT_EQ(found.runs.size(), 12u);
  EXPECT_EQ(found.runs[0].synapses.size(), 88'625u);
  EXPECT_THAT(found.runs[0].spikes, ElementsAre(2875, 2903, 2969, 5035, 5047, 5943));
  EXPECT_EQ(found.runs[5].spikes.size(), 0u);
  EXPECT_FLOAT_EQ(found.runs[0].soma_mV[2872], -58.03125F);
}

}  // namespace
}  // namespace afterspike::datasets
