// Speed and memory of the cortical microcircuit (tasks/networks/microcircuit.toml):
//
//   microcircuit FILE.toml SCALE DRIVE THREADS SECONDS [SEED]     builds it, then runs 500 ms and
//   SECONDS microcircuit FILE.toml SCALE floor THREADS SECONDS [SEED]     delivery alone: rows of
//   synapses are
//       read and added for random spikes at the published rates, with no neurons and no exchange
//
// Prints real-time factors (time over model time) by the wall clock and by processor time divided
// by the number of threads, which says what an otherwise idle machine would take; peak memory; and
// the rates of the populations.

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/memory.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "connect/tile_store.hpp"
#include "grid/grid_group.hpp"
#include "simulation/layout.hpp"

namespace {

using namespace afterspike;
using namespace afterspike::spiking;

struct Times {
  double wall, processor;
};

Times now() {
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now().time_since_epoch();
  return {wall.count(), static_cast<double>(std::clock()) / CLOCKS_PER_SEC};
}

double peak_gib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);
}

void print_factor(const Times& start, int threads, double seconds) {
  const Times end = now();
  fmt::print("real-time factor {:.3f}, by processor time {:.3f}\n",
             (end.wall - start.wall) / seconds,
             (end.processor - start.processor) / threads / seconds);
}

void run(const Network& network, const Options& options, double seconds) {
  fmt::print("memory foreseen {:.3f} GiB\n",
             static_cast<double>(memory_needed(network, options)) / (1 << 30));
  const Times start = now();
  Simulation simulation(network, options);
  const Times built = now();
  fmt::print("built {} synapses in {:.2f} s ({:.2f} s of processor), peak {:.3f} GiB\n",
             network.synapses(), built.wall - start.wall, built.processor - start.processor,
             peak_gib());
  simulation.run_until(500);
  std::vector<double> spikes(network.populations.size());
  const Times begin = now();
  const double until = 500 + seconds * 1e3;
  while (simulation.now_ms() < until) {
    simulation.clear_spikes();
    simulation.run_until(std::min(until, simulation.now_ms() + 100));
    for (const Spike& spike : simulation.spikes()) {
      ++spikes[static_cast<std::size_t>(spike.population)];
    }
  }
  print_factor(begin, options.threads, seconds);
  for (std::size_t index = 0; index < 8; ++index) {
    const Population& population = network.populations[index];
    fmt::print("{} {:.3f}  ", population.name,
               spikes[index] / static_cast<double>(population.size) / seconds);
  }
  fmt::print("spikes/s\npeak {:.3f} GiB\n", peak_gib());
}

/// Spikes of each step at the published rates.
std::vector<std::vector<std::uint32_t>> random_spikes(const Layout& layout, std::int64_t steps) {
  constexpr std::array kRates = {0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829};
  std::vector<std::vector<std::uint32_t>> spikes(static_cast<std::size_t>(steps));
  Rng rng(1);
  for (std::size_t population = 0; population < 8; ++population) {
    const std::int64_t size = layout.network->populations[population].size;
    const double gap = 1e4 / (kRates[population] * static_cast<double>(size));
    for (double step = 0;;) {
      step -= std::log1p(-rng.uniform()) * gap;
      if (step >= static_cast<double>(steps)) break;
      const auto neuron = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size)));
      spikes[static_cast<std::size_t>(step)].push_back(
          static_cast<std::uint32_t>(layout.first_neuron[population] + neuron));
    }
  }
  return spikes;
}

/// The share of a thread: its tile, and sums of one step.
struct Share {
  std::vector<TilePlaces> places;
  std::unique_ptr<TileStore> store;
  std::vector<double> sums;
  std::int64_t events = 0;

  Share(const Layout& layout, const Tile& tile) {
    std::int64_t first = 0;
    for (const Population& population : layout.network->populations) {
      const std::int64_t begin = block_begin(population.size, tile.first_block);
      const std::int64_t stride =
          GridGroup::padded(block_begin(population.size, tile.last_block) - begin);
      places.push_back({first, begin, stride});
      if (population.receptors > 0) first += stride * population.receptors;
    }
    require(first <= kMostInTile, ErrorKind::usage, "floor: found {} places, expected 2 threads",
            first);
    sums.resize(static_cast<std::size_t>(first));
    store = std::make_unique<TileStore>(layout, tile, places);
  }

  void deliver(const std::vector<std::vector<std::uint32_t>>& spikes,
               const std::vector<std::uint32_t>& longest, const Layout& layout) {
    std::vector<TileStore::Arrival> arrivals;
    const auto steps = static_cast<std::int64_t>(spikes.size());
    for (std::int64_t step = 1; step < steps; ++step) {
      arrivals.clear();
      for (std::int64_t delay = std::min<std::int64_t>(step, 100); delay >= 1; --delay) {
        for (const std::uint32_t neuron : spikes[static_cast<std::size_t>(step - delay)]) {
          std::size_t population = 0;
          while (neuron >= layout.first_neuron[population + 1]) ++population;
          if (delay > longest[population]) continue;
          arrivals.push_back({neuron, static_cast<std::uint16_t>(delay), false, 1});
        }
      }
      events += store->deliver(arrivals, sums.data()).events;
      std::fill(sums.begin(), sums.end(), 0.0);
    }
  }
};

void measure_floor(const Network& network, const Options& options, double seconds) {
  const Layout layout = make_layout(network, options);
  std::vector<std::uint32_t> longest;
  for (std::size_t index = 0; index < network.populations.size(); ++index) {
    longest.push_back(longest_rule_delay(layout, static_cast<std::int64_t>(index)));
  }
  std::vector<std::unique_ptr<Share>> shares(static_cast<std::size_t>(options.threads));
  const auto on_threads = [&](const auto& work) {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < options.threads; ++thread) {
      threads.emplace_back([&, thread] { work(thread); });
    }
  };
  on_threads([&](int thread) {
    const Tile tile{kBlocks * thread / options.threads, kBlocks * (thread + 1) / options.threads};
    shares[static_cast<std::size_t>(thread)] = std::make_unique<Share>(layout, tile);
  });
  const auto spikes = random_spikes(layout, std::llround(seconds * 1e4));
  const Times begin = now();
  on_threads([&](int thread) {
    shares[static_cast<std::size_t>(thread)]->deliver(spikes, longest, layout);
  });
  const Times end = now();
  print_factor(begin, options.threads, seconds);
  std::int64_t events = 0;
  for (const auto& share : shares) events += share->events;
  fmt::print("{:.4g} events, {:.2f} ns of processor each\n", static_cast<double>(events),
             (end.processor - begin.processor) / static_cast<double>(events) * 1e9);
}

}  // namespace

int main(int count, char** words) {
  try {
    if (count < 6) {
      fmt::print("microcircuit FILE.toml SCALE poisson|dc|floor THREADS SECONDS [SEED]\n");
      return 2;
    }
    const std::string drive = words[3], seed = count > 6 ? words[6] : "1";
    const double seconds = std::atof(words[5]);
    const auto described = read_description(
        words[1],
        {{"scale", words[2]}, {"drive", drive == "floor" ? "dc" : drive}, {"seed", seed}});
    const Options options{.seed = described.seed, .threads = std::atoi(words[4])};
    fmt::print("scale {}, {}, {} threads, {} s, seed {}\n", words[2], drive, words[4], seconds,
               seed);
    if (drive == "floor") {
      measure_floor(described.network, options, seconds);
    } else {
      run(described.network, options, seconds);
    }
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
