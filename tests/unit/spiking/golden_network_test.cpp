// A recurrent network of GLIF neurons against NEST, and LIF neurons against NEST's.

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/spiking/simulation.hpp"
#include "golden_spiking.hpp"

namespace afterspike::spiking {
namespace {

using namespace afterspike::testing;

/// The neurons of the file as a population for each level; where[i] is neuron i's place.
struct Split {
  Network network;
  std::vector<std::pair<std::int64_t, std::int64_t>> where;
};

Split split_by_level(const nlohmann::json& neurons) {
  std::map<std::string, std::vector<nlohmann::json>> levels;
  for (const auto& p : neurons) levels[glif_level(p)];
  Split split;
  for (const auto& p : neurons) {
    auto& level = levels[glif_level(p)];
    const auto index = std::distance(levels.begin(), levels.find(glif_level(p)));
    split.where.emplace_back(index, static_cast<std::int64_t>(level.size()));
    level.push_back(p);
  }
  for (const auto& [level, members] : levels) {
    split.network.populations.push_back(from_nest(level, level, members));
    add_ports(split.network.populations.back(), members);
  }
  return split;
}

Split read_network_file(const io::Hdf5File& file) {
  Split split = split_by_level(golden_parameters(file, "/"));
  auto& network = split.network;
  network.time_step_ms = file.attribute<double>("/", "dt").values.at(0);
  std::vector<std::vector<double>> trains;
  for (std::size_t train = 0; train < file.members("/in_times").size(); ++train) {
    trains.push_back(file.read<double>("/in_times/" + std::to_string(train)).values);
  }
  const auto input = static_cast<std::int64_t>(network.populations.size());
  network.populations.push_back(train_source("input", trains));
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<Synapse>> lists;
  const auto read = [&](const char* name) { return file.read<double>(name).values; };
  const auto src = read("/src"), tgt = read("/tgt"), weight = read("/weight"),
             delay = read("/delay"), port = read("/port");
  for (std::size_t at = 0; at < src.size(); ++at) {
    const auto [from, source] = split.where.at(static_cast<std::size_t>(src[at]));
    const auto [to, target] = split.where.at(static_cast<std::size_t>(tgt[at]));
    lists[{from, to}].push_back(
        {source, target, weight[at], delay[at], static_cast<std::uint8_t>(port[at] - 1)});
  }
  const auto in_src = read("/in_src"), in_tgt = read("/in_tgt"), in_weight = read("/in_weight"),
             in_delay = read("/in_delay");
  for (std::size_t at = 0; at < in_src.size(); ++at) {
    const auto [to, target] = split.where.at(static_cast<std::size_t>(in_tgt[at]));
    lists[{input, to}].push_back(
        {static_cast<std::int64_t>(in_src[at]), target, in_weight[at], in_delay[at], 0});
  }
  for (const auto& [ends, synapses] : lists) {
    network.projections.push_back(
        make_projection(network.populations, ends.first, ends.second, synapses));
  }
  return split;
}

/// Every golden network there is: golden_glif_net*.h5.
TEST(GoldenNetwork, GridRepeatsNestSpikeForSpike) {
  int compared = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(golden_spiking("golden_glif_net.h5").parent_path())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("golden_glif_net") || entry.path().extension() != ".h5") continue;
    SCOPED_TRACE(name);
    const io::Hdf5File file(entry.path());
    const Split split = read_network_file(file);
    Simulation simulation(split.network, {1});
    simulation.run_until(file.attribute<double>("/", "T").values.at(0));
    using Key = std::pair<std::int64_t, std::pair<std::int64_t, std::int64_t>>;
    std::vector<Key> found, expected;
    const auto step = [&](double time) { return std::llround(time / split.network.time_step_ms); };
    for (const Spike& spike : simulation.spikes()) {
      found.push_back({step(spike.time_ms), {spike.population, spike.neuron}});
    }
    const auto ids = file.read<double>("/spike_ids").values;
    const auto times = file.read<double>("/spike_times").values;
    for (std::size_t at = 0; at < ids.size(); ++at) {
      expected.push_back({step(times[at]), split.where.at(static_cast<std::size_t>(ids[at]))});
    }
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(found, expected);
    EXPECT_GT(found.size(), 0u);
    ++compared;
  }
  EXPECT_GE(compared, 1);
}

/// NEST's sign rule: what excites goes to one receptor, what inhibits to the other.
Network lif_case(const io::Hdf5File& file, const std::string& group, SynapseShape shape) {
  const auto p = golden_parameters(file, group);
  auto neuron = from_nest("neuron", "lif", {p});
  neuron.synapse = shape;
  if (shape != SynapseShape::delta) {
    neuron.receptors = 2;
    neuron.synapse_time_constants_ms = {p.at("tau_syn_ex"), p.at("tau_syn_in")};
  }
  return single_neuron(file, group, std::move(neuron));
}

struct LifCase {
  const char* name;
  SynapseShape shape;
};

TEST(GoldenNeurons, GridRepeatsNestsLif) {
  const io::Hdf5File file(golden_spiking("golden_neurons.h5"));
  for (const LifCase& each : {LifCase{"/iaf_psc_exp", SynapseShape::exponential},
                              LifCase{"/iaf_psc_alpha", SynapseShape::alpha},
                              LifCase{"/iaf_psc_delta", SynapseShape::delta}}) {
    SCOPED_TRACE(each.name);
    Simulation simulation(lif_case(file, each.name, each.shape), {1});
    simulation.record("neuron", "V", 0.1);
    simulation.run_until(1000);
    std::vector<double> times;
    for (const Spike& spike : simulation.spikes()) times.push_back(spike.time_ms);
    const auto expected = file.read<double>(std::string(each.name) + "/spike_times").values;
    EXPECT_THAT(times, ::testing::Pointwise(::testing::DoubleNear(1e-6), expected));
    const auto trace = file.read<double>(std::string(each.name) + "/V_m").values;
    for (std::size_t at = 0; at < trace.size(); ++at) {
      ASSERT_NEAR(simulation.recording(0).values.at(at), trace[at], 1e-9) << at;
    }
  }
}

TEST(GoldenNeurons, ExactSpikesAreThoseOfNestsPreciseLif) {
  const io::Hdf5File file(golden_spiking("golden_neurons.h5"));
  Simulation simulation(lif_case(file, "/iaf_psc_exp_ps", SynapseShape::exponential),
                        {1, Engine::exact});
  simulation.run_until(1000);
  std::vector<double> times;
  for (const Spike& spike : simulation.spikes()) times.push_back(spike.time_ms);
  const auto expected = file.read<double>("/iaf_psc_exp_ps/spike_times").values;
  EXPECT_THAT(times, ::testing::Pointwise(::testing::DoubleNear(1e-3), expected));
  double worst = 0;
  for (std::size_t at = 0; at < std::min(times.size(), expected.size()); ++at) {
    worst = std::max(worst, std::abs(times[at] - expected[at]));
  }
  std::printf("worst against iaf_psc_exp_ps: %g ms\n", worst);
}

}  // namespace
}  // namespace afterspike::spiking
