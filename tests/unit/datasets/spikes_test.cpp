#include "afterspike/datasets/spikes.hpp"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "support/expect_error.hpp"
#include "support/spike_files.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::random_spikes;
using testing::SpikeFile;
using testing::TempDir;

/// Three recordings, the second without spikes.
SpikeFile three() {
  SpikeFile file;
  file.times = {{0, 0.5, 0.25}, {}, {1.125}};
  file.units = {{0, 699, 3}, {}, {42}};
  file.labels = {19, 0, 7};
  file.speakers = {{4, 5, 11}};
  return file;
}

class Spikes : public ::testing::Test {
 protected:
  fs::path written(const SpikeFile& file) const {
    file.write(path_);
    return path_;
  }

  TempDir folder_;
  fs::path path_ = folder_ / "spikes.h5";
};

TEST_F(Spikes, AreReadAsTheyWereWritten) {
  SpikeFile file = random_spikes(100, {0, 1, 4}, Rng(1));  // More than one slice.
  for (const auto time_type :
       {io::Hdf5Type::float16, io::Hdf5Type::float32, io::Hdf5Type::float64}) {
    for (const auto unit_type : {io::Hdf5Type::uint16, io::Hdf5Type::int64}) {
      file.time_type = time_type;
      file.unit_type = unit_type;
      std::size_t row = 0;
      for_each_recording(written(file), kShd, [&](const SpikeRecording& recording) {
        EXPECT_EQ(recording.row, static_cast<std::int64_t>(row));
        EXPECT_THAT(recording.times_s, ::testing::ElementsAreArray(file.times[row]));
        EXPECT_THAT(recording.units, ::testing::ElementsAreArray(file.units[row]));
        EXPECT_EQ(recording.label, file.labels[row]);
        EXPECT_EQ(recording.speaker, (*file.speakers)[row]);
        ++row;
      });
      EXPECT_EQ(row, 100u);
    }
  }
}

TEST_F(Spikes, SpeakersMayBeMissing) {
  SpikeFile file = three();
  EXPECT_TRUE(read_spikes(written(file), kShd, {}).has_speakers());
  EXPECT_EQ(inspect_spikes(path_, kShd),
            "3 recordings, 4 spikes until 1.125 s, 3 classes, speakers 4 5 11");
  file.speakers.reset();
  const SpikeSet set = read_spikes(written(file), kShd, {});
  EXPECT_FALSE(set.has_speakers());
  EXPECT_EQ(set.recordings[0].speaker, -1);
  EXPECT_EQ(inspect_spikes(path_, kShd),
            "3 recordings, 4 spikes until 1.125 s, 3 classes, no speakers");
}

TEST(SpikeBins, StepsCoverTheDuration) {
  for (const double bin : {1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100, 125, 200, 250, 500}) {
    EXPECT_EQ((SpikeBins{bin, 1000}.steps()), std::lround(1000 / bin)) << bin;
  }
  EXPECT_EQ((SpikeBins{3, 1000}.steps()), 334);
  EXPECT_EQ((SpikeBins{10, 1400}.steps()), 140);
  // As far as the rounded quotient allows.
  for (const double bin : {0.7, 1.4, 2.8, 5.6}) {
    EXPECT_EQ((SpikeBins{bin, 700}.steps()), std::lround(700 / bin)) << bin;
  }
}

/// numpy.digitize(time, numpy.arange(0, 1 + bin, bin)) - 1, by looking at every edge.
std::int64_t digitized(double time_s, double bin_ms, std::int64_t steps) {
  std::int64_t below = 0;
  for (std::int64_t k = 0; k <= steps; ++k)
    below += time_s >= static_cast<double>(k) * (bin_ms / 1000);
  return below - 1;
}

TEST(SpikeBins, StepsAreThoseOfDigitize) {
  for (const double bin : {0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 70.0, 100.0, 1000.0}) {
    const SpikeBins bins{bin, 1000};
    const std::int64_t steps = bins.steps();
    // Every time from 1/128 s on in half precision is a multiple of 2^-17 s; rounding could fail at
    // edges and their neighbours.
    std::vector<double> times;
    for (int k = 0; k < 2800; ++k) times.push_back(k / 2048.0);
    for (std::int64_t k = 0; k <= steps; ++k) {
      const double edge = static_cast<double>(k) * (bin / 1000);
      times.insert(times.end(),
                   {edge, std::nextafter(edge, 2), std::fabs(std::nextafter(edge, 0))});
    }
    for (const double time : times) {
      ASSERT_EQ(bins.step_of(time), digitized(time, bin, steps)) << time << " s, " << bin << " ms";
    }
    EXPECT_EQ(bins.step_of(1e300), steps);
  }
}

TEST_F(Spikes, AreBinnedInAnyOrder) {
  const SpikeFile file = random_spikes(40, {0}, Rng(2));
  for (const double bin : {2.0, 10.0, 30.0}) {
    const SpikeBins bins{bin, 1000};
    const SpikeSet set = read_spikes(written(file), kShd, bins);
    ASSERT_EQ(set.recordings.size(), 40u);
    for (std::size_t row = 0; row < 40; ++row) {
      std::map<std::pair<std::int64_t, std::int64_t>, int> expected, found;
      for (std::size_t i = 0; i < file.times[row].size(); ++i) {
        const std::int64_t step = digitized(file.times[row][i], bin, bins.steps());
        if (step < bins.steps()) ++expected[{step, file.units[row][i]}];
      }
      const BinnedRecording& recording = set.recordings[row];
      ASSERT_EQ(recording.first.size(), static_cast<std::size_t>(bins.steps() + 1));
      EXPECT_EQ(recording.first.back(), recording.units.size());
      for (std::size_t step = 0; step + 1 < recording.first.size(); ++step) {
        for (auto i = recording.first[step]; i < recording.first[step + 1]; ++i) {
          ++found[{static_cast<std::int64_t>(step), recording.units[i]}];
        }
      }
      EXPECT_EQ(found, expected) << row;
      EXPECT_EQ(recording.label, file.labels[row]);
    }
  }
}

struct Damage {
  std::string name;
  std::function<void(SpikeFile&)> inflict;
  std::vector<std::string> message;
};

class DamagedSpikes : public Spikes, public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedSpikes, AreRefused) {
  SpikeFile file = three();
  GetParam().inflict(file);
  written(file);
  try {
    read_spikes(path_, kShd, {});
    ADD_FAILURE() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.what(), HasSubstr("'" + path_.string() + "'"));
    for (const std::string& part : GetParam().message) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Damage kDamages[] = {
    {"UnitTooLarge",
     [](SpikeFile& f) { f.units[2] = {700}; },
     {"'/spikes/units': row 2: found unit 700, expected 0 to 699"}},
    {"UnitNegative",
     [](SpikeFile& f) {
       f.units[0][1] = -1;
       f.unit_type = io::Hdf5Type::int64;
     },
     {"'/spikes/units': row 0: found unit -1, expected 0 to 699"}},
    {"TimeNegative",
     [](SpikeFile& f) { f.times[0][2] = -0.25; },
     {"'/spikes/times': row 0: found a time of -0.25 s, expected 0 or more"}},
    {"TimeInfinite",
     [](SpikeFile& f) { f.times[2][0] = kInfinity; },
     {"'/spikes/times': row 2: found a time of inf s"}},
    {"TimeNotANumber",
     [](SpikeFile& f) {
       f.times[2][0] = std::nan("");
       f.time_type = io::Hdf5Type::float64;
     },
     {"'/spikes/times': row 2: found a time of nan s"}},
    {"UnitMissing",
     [](SpikeFile& f) { f.units[0].pop_back(); },
     {"'/spikes/units': row 0: found 2 units, expected 3: one for each time in '/spikes/times'"}},
    {"RowMissing",
     [](SpikeFile& f) { f.units.pop_back(); },
     {"'/spikes/units': found 2 rows, expected 3: one for each row of '/spikes/times'"}},
    {"LabelMissing",
     [](SpikeFile& f) { f.labels.pop_back(); },
     {"'/labels': found 2 rows, expected 3"}},
    {"LabelTooLarge",
     [](SpikeFile& f) { f.labels[1] = 20; },
     {"'/labels': row 1: found label 20, expected 0 to 19"}},
    {"LabelNegative",
     [](SpikeFile& f) { f.labels[2] = -3; },
     {"'/labels': row 2: found label -3, expected 0 to 19"}},
    {"SpeakerMissing",
     [](SpikeFile& f) { f.speakers->pop_back(); },
     {"'/extra/speaker': found 2 rows, expected 3"}},
    {"SpeakerNegative",
     [](SpikeFile& f) { f.speakers->front() = -1; },
     {"'/extra/speaker': row 0: found speaker -1"}},
    {"Empty",
     [](SpikeFile& f) { f = SpikeFile{}; },
     {"'/spikes/times': found no recordings, expected at least one"}},
};

INSTANTIATE_TEST_SUITE_P(All, DamagedSpikes, ::testing::ValuesIn(kDamages),
                         [](const auto& damage) { return damage.param.name; });

TEST_F(Spikes, OfOtherTypesAreRefused) {
  const io::Hdf5Rows<double> times = {{0, 1}, {0.5}};
  const io::Hdf5Rows<std::int64_t> units = {{0, 1}, {5}};
  const auto with = [&](const std::function<void(io::Hdf5File&)>& fill, std::string message) {
    {
      io::Hdf5File file(path_, io::Hdf5File::Mode::create);
      fill(file);
    }
    expect_error(ErrorKind::data, {path_.string(), std::move(message)},
                 [&] { read_spikes(path_, kShd, {}); });
  };
  const auto put_times = [&](io::Hdf5File& file) {
    file.write_variable_rows("/spikes/times", times, io::Hdf5Type::float16);
  };
  const auto put_units = [&](io::Hdf5File& file) {
    file.write_variable_rows("/spikes/units", units, io::Hdf5Type::uint16);
  };
  with([](io::Hdf5File&) {}, "'/spikes/times' is missing");
  with(put_times, "'/spikes/units' is missing");
  with(
      [&](io::Hdf5File& file) {
        put_times(file);
        put_units(file);
      },
      "'/labels' is missing");
  with(
      [&](io::Hdf5File& file) {
        file.write<double>("/spikes", {{1}, {1}});
      },
      "'/spikes/times' is missing");
  with(
      [&](io::Hdf5File& file) {
        file.write<double>("/spikes/times", {{1, 2}, {1, 2}});
      },
      "'/spikes/times': found 2 dimensions, expected 1");
  with(
      [&](io::Hdf5File& file) {
        file.write<double>("/spikes/times", {{1}, {0.5}});
        put_units(file);
        file.write<std::int64_t>("/labels", {{1}, {3}});
      },
      "'/spikes/times': found elements of fixed size, expected rows of variable length");
  with(
      [&](io::Hdf5File& file) {
        file.write_variable_rows("/spikes/times", units, io::Hdf5Type::uint16);
        put_units(file);
        file.write<std::int64_t>("/labels", {{1}, {3}});
      },
      "'/spikes/times': found rows of another type, expected rows of floating-point numbers");
  with(
      [&](io::Hdf5File& file) {
        put_times(file);
        file.write_variable_rows("/spikes/units", times, io::Hdf5Type::float32);
        file.write<std::int64_t>("/labels", {{1}, {3}});
      },
      "'/spikes/units': found 0.5 (element 0), expected whole numbers");
  with(
      [&](io::Hdf5File& file) {
        put_times(file);
        put_units(file);
        file.write<double>("/labels", {{1}, {3.5}});
      },
      "'/labels': found 3.5, expected whole numbers");
}

TEST_F(Spikes, CutOffAnywhereAreRefused) {
  written(random_spikes(60, {0, 1}, Rng(3)));
  const auto whole = fs::file_size(path_);
  for (std::uintmax_t part = 0; part < 20; ++part) {
    written(random_spikes(60, {0, 1}, Rng(3)));
    fs::resize_file(path_, whole * part / 20);
    expect_error(ErrorKind::data, {path_.string()}, [&] { read_spikes(path_, kShd, {}); });
  }
}

TEST(SpikingSets, AreKnownByTheirForm) {
  for (const auto& [name, files] : {std::pair("shd", 2u), std::pair("ssc", 3u)}) {
    const auto& entry = find_entry<DatasetEntry>(entries(), name, "data set");
    EXPECT_EQ(entry.files.size(), files);
    for (const FileSpec& file : entry.files) EXPECT_TRUE(file.known_by_form());
  }
}

TEST(SpikingSets, AreVerifiedByReadingThem) {
  const auto& shd = find_entry<DatasetEntry>(entries(), "shd", "data set");
  const TempDir folder;
  const auto verified = [&] { return verify(shd, folder.path()); };
  expect_error(ErrorKind::data,
               {"data set 'shd': found no 'shd_train.h5' in '" + (folder / "shd").string() + "'",
                "put these files, unpacked, into", "https://zenkelab.org/datasets"},
               verified);
  three().write(folder / "shd/shd_train.h5");
  SpikeFile test = three();
  test.speakers.reset();
  test.write(folder / "shd/shd_test.h5");
  EXPECT_THAT(verified(),
              ::testing::ElementsAre(
                  "shd_train.h5: 3 recordings, 4 spikes until 1.125 s, 3 classes, speakers 4 5 11",
                  "shd_test.h5: 3 recordings, 4 spikes until 1.125 s, 3 classes, no speakers"));
  test.labels[0] = 20;
  test.write(folder / "shd/shd_test.h5");
  expect_error(ErrorKind::data, {"shd_test.h5", "'/labels': row 0: found label 20"}, verified);
}

/// Facts of the samples, found with h5dump.
TEST(SpikingSets, RealRecordingsAreReadWhereTheyAreThere) {
  const fs::path train = testing::shared_data("shd/shd_sample_train.h5");
  if (!fs::exists(train)) GTEST_SKIP() << "there is no " << train;
  const SpikeSet set = read_spikes(train, kShd, {});
  ASSERT_EQ(set.recordings.size(), 200u);
  EXPECT_EQ(set.recordings[0].speaker, 0);
  EXPECT_EQ(set.recordings[5].speaker, 11);
  EXPECT_THAT(inspect_spikes(train, kShd),
              ::testing::AllOf(HasSubstr("200 recordings"), HasSubstr("20 classes"),
                               HasSubstr("speakers 0 1 2 3 6 7 8 9 10 11; source: Heidelberg")));
}

}  // namespace
}  // namespace afterspike::datasets
