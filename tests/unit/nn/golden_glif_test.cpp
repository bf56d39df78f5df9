// Layers of GLIF neurons with a hard threshold against NEST's glif_psc, spike for spike, and their
// kernel against composed operations.

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "afterspike/nn/glif.hpp"
#include "engines.hpp"
#include "golden_file.hpp"

namespace afterspike::nn {
namespace {

using nlohmann::json;

/// The level of a neuron by NEST's flags.
int level_of(const json& p) {
  const bool reset = p.at("spike_dependent_threshold"), currents = p.at("after_spike_currents");
  if (p.at("adapting_threshold").get<bool>()) return 5;
  return reset ? (currents ? 4 : 2) : (currents ? 3 : 1);
}

/// A layer of neurons of one level with a hard threshold, NEST's parameters and alpha synapses at
/// 3 receptors; each input channel reaches one current or receptor by a weight of 1 pA.
std::shared_ptr<NeuronLayer> nest_layer(const std::vector<json>& neurons, double dt_ms,
                                        const std::string& input) {
  const auto size = static_cast<std::int64_t>(neurons.size());
  const std::int64_t driven = input == "both" ? 4 : 3;
  const auto layer = testing::make_layer("glif", {driven * size, size, dt_ms},
                                         {{"level", std::to_string(level_of(neurons[0]))},
                                          {"receptors", "3"},
                                          {"synapse", "alpha"},
                                          {"input", input},
                                          {"refractory_max", "10 ms"}});
  const at::NoGradGuard no_grad;
  const auto set = [&](const char* name, const auto& value_of, std::int64_t rows = 0) {
    at::Tensor values = at::empty({std::max<std::int64_t>(rows, 1), size}, at::kDouble);
    for (std::int64_t row = 0; row < values.size(0); ++row) {
      for (std::int64_t i = 0; i < size; ++i) {
        values[row][i] = value_of(neurons[static_cast<std::size_t>(i)], row);
      }
    }
    layer->set_physical(name, rows == 0 ? values[0] : values);
  };
  const auto number = [&](const char* name, const char* key) {
    set(name, [&](const json& p, std::int64_t) { return p.at(key).get<double>(); });
  };
  const auto list = [&](const char* name, const char* key, std::int64_t rows) {
    // A multiplier of 1, the end of its range, is approached to the last digits.
    constexpr double kMost = 1 - 1e-15;
    const bool part = std::string_view(key) == "asc_r";
    set(
        name,
        [&](const json& p, std::int64_t row) {
          const double value = p.at(key).at(static_cast<std::size_t>(row));
          return part ? std::min(value, kMost) : value;
        },
        rows);
  };
  const auto above_rest = [](const json& p, const char* key) {
    return p.at(key).get<double>() - p.at("E_L").get<double>();
  };
  number("capacitance", "C_m");
  number("conductance", "g");
  number("refractory", "t_ref");
  list("synapse_tau", "tau_syn", 3);
  set("threshold", [&](const json& p, std::int64_t) { return above_rest(p, "V_th"); });
  const int level = level_of(neurons[0]);
  const bool spiked = level == 2 || level >= 4;
  set("reset", [&](const json& p, std::int64_t) {
    if (!spiked) return above_rest(p, "V_reset");
    return p.at("voltage_reset_fraction").get<double>() * above_rest(p, "V_th") +
           p.at("voltage_reset_add").get<double>();
  });
  if (spiked) {
    number("threshold_spike_add", "th_spike_add");
    number("threshold_spike_decay", "th_spike_decay");
    number("reset_fraction", "voltage_reset_fraction");
  }
  if (level == 5) {
    number("threshold_voltage_index", "th_voltage_index");
    number("threshold_voltage_decay", "th_voltage_decay");
  }
  if (level >= 3) {
    list("after_spike_decay", "asc_decay", 2);
    list("after_spike_multiplier", "asc_r", 2);
    list("after_spike_amplitude", "asc_amps", 2);
  }
  layer->set_physical("input_weight", at::eye(driven * size, at::kDouble));
  layer->set_physical("recurrent_weight", at::zeros({size, 3 * size}, at::kDouble));
  return layer;
}

std::vector<double> values_of(const testing::GoldenFile& file, const std::string& path) {
  const at::Tensor values = file.tensor(path).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

/// A pass in which neurons spike.
LayerPass spiking_pass() {
  LayerPass pass;
  pass.spikes = true;
  return pass;
}

/// The step that ends at `time`; steps are counted from 0.
std::int64_t step_ending(double time_ms, double dt_ms) {
  return std::llround(time_ms / dt_ms) - 1;
}

/// Writes the input of a group, which all comes 1 ms late, into row [steps, 4].
void write_input(const testing::GoldenFile& file, const std::string& group, double dt_ms,
                 at::Tensor row) {
  if (file.exists(group + "/current_times")) {
    const auto times = values_of(file, group + "/current_times");
    const auto amplitudes = values_of(file, group + "/current_amps");
    for (std::size_t i = 0; i < times.size(); ++i) {
      // A current acts from the step that begins when it arrives.
      const std::int64_t from = step_ending(times[i] + 1, dt_ms) + 1;
      if (from < row.size(0)) row.slice(0, from).select(1, 0).fill_(amplitudes[i]);
    }
  }
  for (int port = 1; file.exists(group + "/in_t" + std::to_string(port)); ++port) {
    const auto times = values_of(file, group + "/in_t" + std::to_string(port));
    const auto weights = values_of(file, group + "/in_w" + std::to_string(port));
    for (std::size_t i = 0; i < times.size(); ++i) {
      const std::int64_t at = step_ending(times[i] + 1, dt_ms);
      if (at < row.size(0)) row[at][port] += weights[i];
    }
  }
}

/// The steps in which a neuron spikes.
std::vector<std::int64_t> steps_of(const at::Tensor& spikes) {
  const at::Tensor at = spikes.nonzero().flatten().contiguous();
  return {at.data_ptr<std::int64_t>(), at.data_ptr<std::int64_t>() + at.numel()};
}

TEST(GoldenGlifLayer, SpikesAsNestsNeuronsDo) {
  const testing::GoldenFile file("spiking/golden_glif_psc.h5");
  const at::NoGradGuard no_grad;
  const std::vector<std::string> protocols = {"current", "spikes", "both"};
  std::size_t compared = 0;
  for (const std::string& set : file.members("/")) {
    for (const std::string& level : file.members("/" + set)) {
      {
        const std::string step = "dt0.1";
        const std::string place = "/" + set + "/" + level;
        const std::string first = place + "/both/" + step;
        const double dt = file.number(first, "dt");
        const auto steps = static_cast<std::int64_t>(std::llround(file.number(first, "T") / dt));
        const auto layer = nest_layer({json::parse(file.text(first, "params"))}, dt, "both");
        const at::Tensor input = at::zeros({steps, 3, 4}, at::kDouble);
        for (std::int64_t row = 0; row < 3; ++row) {
          write_input(file, place + "/" + protocols[static_cast<std::size_t>(row)] + "/" + step, dt,
                      input.select(1, row));
        }
        const at::Tensor spikes = layer->emissions(input, spiking_pass());
        for (std::int64_t row = 0; row < 3; ++row) {
          const std::string group =
              place + "/" + protocols[static_cast<std::size_t>(row)] + "/" + step;
          std::vector<std::int64_t> expected;
          for (const double time : values_of(file, group + "/spike_times")) {
            expected.push_back(step_ending(time, dt));
          }
          EXPECT_EQ(steps_of(spikes.select(1, row).select(1, 0)), expected) << group;
          compared += expected.size();
        }
      }
    }
  }
  EXPECT_GT(compared, 500U);
}

/// Adds the events of synapses src -> tgt with the times of their sources to `input`, [steps,
/// 3 neurons] of each neuron's level.
struct Arrivals {
  std::map<int, at::Tensor> input;
  std::vector<std::pair<int, std::int64_t>> where;  ///< Level and place of each neuron.
  std::map<int, std::int64_t> sizes;
  double dt_ms;

  void add(std::int64_t target, std::int64_t port, double weight, double time_ms) {
    const auto [level, place] = where[static_cast<std::size_t>(target)];
    at::Tensor& own = input.at(level);
    const std::int64_t step = step_ending(time_ms, dt_ms);
    if (step < own.size(0)) own[step][0][port * sizes.at(level) + place] += weight;
  }
};

/// Whether a neuron resets below its resting threshold, as those of a layer do.
bool resets_below_threshold(const json& p) {
  const auto number = [&](const char* key) { return p.at(key).get<double>(); };
  if (!p.at("spike_dependent_threshold").get<bool>()) return true;
  const double threshold = number("V_th") - number("E_L");
  return number("voltage_reset_fraction") * threshold + number("voltage_reset_add") < threshold;
}

/// Each neuron of the network receives the spikes that NEST recorded. Since delays are at least a
/// step, neurons that spike as recorded then do so as a network, too. A few reset above their
/// resting threshold, which no layer does; their spikes reach the others as recorded.
TEST(GoldenGlifLayer, SpikesAsNestsNetworkDoes) {
  const testing::GoldenFile file("spiking/golden_glif_net.h5");
  const at::NoGradGuard no_grad;
  json all = json::parse(file.text("/", "params"));
  Arrivals arrivals;
  arrivals.dt_ms = file.number("/", "dt");
  const auto steps =
      static_cast<std::int64_t>(std::llround(file.number("/", "T") / arrivals.dt_ms));
  std::map<int, std::vector<json>> levels;
  std::vector<bool> left_out;
  for (json& p : all) {
    left_out.push_back(!resets_below_threshold(p));
    if (left_out.back()) p["voltage_reset_add"] = 0;
    auto& level = levels[level_of(p)];
    arrivals.where.emplace_back(level_of(p), static_cast<std::int64_t>(level.size()));
    level.push_back(p);
  }
  for (const auto& [level, members] : levels) {
    arrivals.sizes[level] = static_cast<std::int64_t>(members.size());
    arrivals.input[level] = at::zeros({steps, 1, 3 * arrivals.sizes[level]}, at::kDouble);
  }
  std::vector<std::vector<double>> sent(all.size());
  const auto ids = values_of(file, "/spike_ids"), times = values_of(file, "/spike_times");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    sent[static_cast<std::size_t>(ids[i])].push_back(times[i]);
  }
  const auto read = [&](const char* name) { return values_of(file, name); };
  const auto src = read("/src"), tgt = read("/tgt"), weight = read("/weight"),
             delay = read("/delay"), port = read("/port");
  for (std::size_t i = 0; i < src.size(); ++i) {
    for (const double time : sent[static_cast<std::size_t>(src[i])]) {
      arrivals.add(std::llround(tgt[i]), std::llround(port[i]) - 1, weight[i], time + delay[i]);
    }
  }
  const auto in_src = read("/in_src"), in_tgt = read("/in_tgt"), in_weight = read("/in_weight"),
             in_delay = read("/in_delay");
  for (std::size_t i = 0; i < in_src.size(); ++i) {
    for (const double time :
         read(("/in_times/" + std::to_string(std::llround(in_src[i]))).c_str())) {
      arrivals.add(std::llround(in_tgt[i]), 0, in_weight[i], time + in_delay[i]);
    }
  }
  std::map<int, at::Tensor> spikes;
  for (const auto& [level, members] : levels) {
    spikes[level] = nest_layer(members, arrivals.dt_ms, "synapses")
                        ->emissions(arrivals.input.at(level), spiking_pass())
                        .squeeze(1);
  }
  std::size_t found = 0;
  for (std::size_t n = 0; n < all.size(); ++n) {
    if (left_out[n]) continue;
    const auto [level, place] = arrivals.where[n];
    std::vector<std::int64_t> expected;
    for (const double time : sent[n]) expected.push_back(step_ending(time, arrivals.dt_ms));
    EXPECT_EQ(steps_of(spikes.at(level).select(1, place)), expected) << "neuron " << n;
    found += expected.size();
  }
  EXPECT_LE(std::count(left_out.begin(), left_out.end(), true), 10);
  EXPECT_GT(found, 1900U);
}

class GlifTwins : public ::testing::TestWithParam<int> {};

TEST_P(GlifTwins, ComputeAlike) {
  const std::string level = std::to_string(GetParam());
  const testing::Settings common = {{"level", level},
                                    {"threshold", "uniform(1.1, 3)"},
                                    {"reset", "-1"},
                                    {"refractory", "uniform(1.1, 2.9)"},
                                    {"capacitance", "uniform(30, 60)"}};
  for (const char* synapse : {"exponential", "alpha"}) {
    for (const char* input : {"current", "synapses"}) {
      testing::Twin twin{"glif", {3, 9, 1.0}, 30, 4, common, {}};
      twin.settings.push_back({"synapse", synapse});
      twin.settings.push_back({"input", input});
      SCOPED_TRACE(testing::described(twin));
      testing::expect_twins(twin);
      testing::expect_twins(twin, at::kFloat, 2e-5);
      twin.pass.spikes = true;
      testing::expect_twins(twin, at::kDouble, 1e-11);
      if (std::string(input) == "synapses") continue;
      twin.settings.insert(twin.settings.end(), {{"dropout", "0.2"}, {"recurrent_dropout", "0.4"}});
      twin.pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
      testing::expect_twins(twin);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, GlifTwins, ::testing::Range(1, 6));

/// The soft rule tends to the hard one.
TEST(GlifLayer, SpikesForSmallSoftness) {
  const auto layer = testing::make_layer(
      "glif", {2, 20, 1.0},
      {{"level", "5"}, {"threshold", "uniform(1.1, 3)"}, {"refractory", "uniform(1.1, 2.9)"}});
  const at::Tensor input = testing::uniform_tensor({200, 3, 2}, Rng(1), -1, 2);
  const at::NoGradGuard no_grad;
  LayerPass pass;
  pass.sigma_mV = 1e-6;
  const at::Tensor soft = layer->emissions(input, pass);
  pass.sigma_mV = 1e-300;
  const at::Tensor hard = layer->emissions(input, pass);
  EXPECT_TRUE(((hard == 0) | (hard == 1)).all().item<bool>());
  EXPECT_GT(hard.sum().item<double>(), 100);
  // A voltage within 1e-5 mV of the threshold is neither; it is rare.
  const double apart = (soft - hard).abs().gt(0.01).to(at::kDouble).mean().item<double>();
  EXPECT_LT(apart, 1e-3);
}

TEST(GlifLayer, RefusesSettingsThatDoNotFit) {
  const auto make = [](const testing::Settings& settings, double dt_ms) {
    testing::make_model("glif", settings)->make({2, 3, dt_ms});
  };
  const auto message = [&](const testing::Settings& settings, double dt_ms) -> std::string {
    try {
      make(settings, dt_ms);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message({}, 5), ::testing::HasSubstr("refractory_max is 5 ms"));
  EXPECT_THAT(message({}, 1e-4), ::testing::HasSubstr("at most 20000 steps"));
  EXPECT_THAT(message({}, 0), ::testing::HasSubstr("must be above 0 ms"));
  EXPECT_EQ(message({}, 1), "accepted");
}

}  // namespace
}  // namespace afterspike::nn
