// Saved states: they go on as before, and damaged ones are refused.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "afterspike/io/hdf5.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "busy_network.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::spiking {
namespace {

using testing::expect_error;
using testing::Setting;
using testing::settings;
using testing::TempDir;

TEST(Simulation, ASavedStateGoesOnWithTheSameSpikes) {
  const TempDir directory;
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const Network network = setting.network(6);
    Simulation whole(network, setting.options);
    whole.run_until(61.7);
    write_state(directory / "state.h5", whole.save());
    whole.clear_spikes();
    whole.run_until(140);
    EXPECT_GT(whole.spikes().size(), 100u);
    for (const int threads : {1, 3}) {
      Options options = setting.options;
      options.threads = threads;
      Simulation same(network, options);
      same.run_until(61.7);
      EXPECT_EQ(same.save(), read_state(directory / "state.h5")) << threads;
      Simulation other(network, options);
      other.run_until(13);  // The earlier state must not matter.
      other.restore(read_state(directory / "state.h5"));
      EXPECT_EQ(other.now_ms(), 61.7);
      other.run_until(140);
      EXPECT_EQ(other.spikes(), whole.spikes()) << threads;
    }
  }
}

/// Numbers of a saved state that none of its columns can hold, by column; and what the message has.
struct Damage {
  std::string array;
  std::size_t column;
  std::vector<double> values;
  std::string message;
};

std::vector<Damage> damages(const State& good) {
  const double nan = std::nan("");
  std::vector<Damage> all;
  for (const char* number : {"step", "window"}) {
    const double own = good.arrays.at(number).at(0);
    all.push_back({number, 0, {-1, own + 0.5, own + 2, 1e300, nan}, number});
  }
  const std::vector<std::vector<double>> pending = {
      {-1, 1e6, nan}, {-2, 0.5, 1e300, nan}, {-1, 0.5, 1e6, nan}, {nan}, {-1, 0.5, 1e6, nan}};
  for (std::size_t column = 0; column < pending.size(); ++column) {
    all.push_back({"pending", column, pending[column], "'pending' is damaged"});
  }
  for (const auto& [name, array] : good.arrays) {
    if (array.empty()) continue;
    const double later = good.time_ms + 1e6, infinity = std::numeric_limits<double>::infinity();
    if (name.ends_with("/voltage") || name.ends_with("/state")) {
      all.push_back({name, 0, {nan, infinity}, name});
    } else if (name.ends_with("/clock")) {
      all.push_back({name, 0, {-1, infinity, nan}, name});
      all.push_back({name, 1, {-1, -infinity, nan}, name});
      all.push_back({name, 2, {-1, 0.5, 2, nan}, name});
    } else if (name.ends_with("/next")) {
      all.push_back({name, 0, {-1, 0.5, 1e6, nan}, name});
      all.push_back({name, 1, {-1e300, good.time_ms - 1, nan}, name});
    } else if (name.ends_with("/events")) {
      all.push_back({name, 0, {good.time_ms - 1, later}, name});
    }
    const bool events = name.ends_with("/events") || name.ends_with("/arriving");
    if (!events || array.empty()) continue;
    all.push_back({name, 0, {nan}, "is damaged"});
    for (const std::size_t column : {1u, 2u}) {
      all.push_back({name, column, {-1, 0.5, 1e6, nan}, "is damaged"});
    }
    all.push_back({name, 3, {nan}, "is damaged"});
  }
  return all;
}

TEST(Simulation, ADamagedStateIsRefusedAndChangesNothing) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    Simulation simulation(setting.network(6), setting.options);
    double time = 40;
    simulation.run_until(time);
    for (; simulation.save().arrays.at("pending").empty(); time += 0.1) simulation.run_until(time);
    const State good = simulation.save();
    const std::size_t spikes = simulation.spikes().size();
    for (const Damage& damage : damages(good)) {
      SCOPED_TRACE(damage.array + " " + std::to_string(damage.column));
      for (const double value : damage.values) {
        State bad = good;
        bad.arrays[damage.array][damage.column] = value;
        expect_error(ErrorKind::data, {damage.message}, [&] { simulation.restore(bad); });
      }
    }
    State cut = good;
    cut.arrays["pending"].pop_back();
    expect_error(ErrorKind::data, {"'pending' is missing or damaged"},
                 [&] { simulation.restore(cut); });
    EXPECT_EQ(simulation.save(), good);
    EXPECT_EQ(simulation.spikes().size(), spikes);
  }
}

TEST(Simulation, StatesOfAnotherVersionAreRefused) {
  const TempDir directory;
  io::Hdf5File file(directory / "state.h5", io::Hdf5File::Mode::create);
  file.write_text_attribute("/", "format", "afterspike-simulation-state");
  file.write_attribute<std::int64_t>("/", "version", {{}, {1}});
  file = io::Hdf5File(directory / "other.h5", io::Hdf5File::Mode::create);
  expect_error(ErrorKind::data, {"state.h5", "found version 1 of the format, expected 2"},
               [&] { read_state(directory / "state.h5"); });
}

}  // namespace
}  // namespace afterspike::spiking
