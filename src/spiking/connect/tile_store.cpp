#include "connect/tile_store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include "afterspike/base/error.hpp"

namespace afterspike::spiking {
namespace {

constexpr std::size_t kSynapseBytes = sizeof(std::uint16_t) + sizeof(float);
constexpr std::size_t kLine = 64;

}  // namespace

/// Rules from one population onto the blocks of the tile, while its rows are drawn.
struct TileStore::Building {
  struct Block {
    std::unique_ptr<BlockRows> rows;
    const DelayTable* delays;
    std::int64_t first_place;  ///< Place of the block's first neuron at receptor 0.
    std::int64_t stride;
    std::vector<std::uint32_t> runs;  ///< Synapses of the present row with each delay.
  };
  std::vector<Block> blocks;
  std::byte* out = nullptr;
  std::uint64_t written = 0;
};

std::uint32_t longest_rule_delay(const Layout& layout, std::int64_t population) {
  std::uint32_t longest = 0;
  const auto& rules = layout.network->rule_projections;
  for (std::size_t index = 0; index < rules.size(); ++index) {
    if (rules[index].source != population) continue;
    if (!is_in_tiles(rules[index])) continue;
    longest = std::max(longest, layout.rule_delays[index]->max());
  }
  return longest;
}

TileStore::TileStore(const Layout& layout, const Tile& tile,
                     const std::vector<TilePlaces>& places) {
  const Network& network = *layout.network;
  std::vector<std::vector<std::int64_t>> counts;
  for (const RuleProjection& rule : network.rule_projections) {
    counts.emplace_back();
    if (!is_in_tiles(rule)) continue;
    counts.back() = block_counts(rule, layout.population(rule.target).size);
    for (std::int64_t block = tile.first_block; block < tile.last_block; ++block) {
      synapses_ += static_cast<std::uint64_t>(counts.back()[static_cast<std::size_t>(block)]);
    }
  }
  bytes_ = LargeArray(synapses_ * kSynapseBytes);
  rows_.resize(static_cast<std::size_t>(layout.first_neuron.back()));
  std::byte* out = bytes_.data();
  std::uint64_t written = 0;
  for (std::size_t from = 0; from < network.populations.size(); ++from) {
    Building building;
    building.out = out;
    building.written = written;
    for (std::size_t index = 0; index < network.rule_projections.size(); ++index) {
      const RuleProjection& rule = network.rule_projections[index];
      if (counts[index].empty() || rule.source != static_cast<std::int64_t>(from)) continue;
      const Population& target = layout.population(rule.target);
      const TilePlaces& at = places[static_cast<std::size_t>(rule.target)];
      for (std::int64_t block = tile.first_block; block < tile.last_block; ++block) {
        const std::int64_t count = counts[index][static_cast<std::size_t>(block)];
        if (count == 0) continue;
        building.blocks.push_back(
            {std::make_unique<BlockRows>(rule, network.populations[from], target, block, count),
             layout.rule_delays[index].get(),
             at.first + block_begin(target.size, block) - at.begin,
             at.stride,
             {}});
      }
    }
    add_rows(layout, static_cast<std::int64_t>(from), building);
    out = building.out;
    written = building.written;
  }
}

void TileStore::add_rows(const Layout& layout, std::int64_t population, Building& building) {
  const std::uint32_t longest = longest_rule_delay(layout, population);
  if (longest == 0) return;
  for (Building::Block& block : building.blocks) block.runs.resize(longest + 1);
  const std::int64_t size = layout.population(population).size;
  const auto first =
      static_cast<std::size_t>(layout.first_neuron[static_cast<std::size_t>(population)]);
  run_ends_.reserve(run_ends_.size() + static_cast<std::size_t>(size) * (longest + 1));
  for (std::int64_t source = 0; source < size; ++source) {
    rows_[first + static_cast<std::size_t>(source)] = {building.written, run_ends_.size()};
    add_row(building, source, longest);
  }
}

/// Delays are counted, not sorted: the runs then have the same distribution.
void TileStore::add_row(Building& building, std::int64_t source, std::uint32_t longest) {
  for (Building::Block& block : building.blocks) {
    std::fill(block.runs.begin(), block.runs.end(), 0);
    const std::uint32_t count = block.rows->row(source);
    for (std::uint32_t at = 0; at < count; ++at)
      ++block.runs[block.rows->draw_delay(*block.delays)];
  }
  std::int64_t in_row = 0;
  run_ends_.push_back(0);
  for (std::uint32_t delay = 1; delay <= longest; ++delay) {
    for (Building::Block& block : building.blocks) {
      in_row += block.runs[delay];
      for (std::uint32_t left = block.runs[delay]; left > 0; --left) {
        const BlockRows::Drawn drawn = block.rows->draw();
        const auto place = static_cast<std::uint16_t>(block.first_place +
                                                      drawn.receptor * block.stride + drawn.target);
        std::memcpy(building.out, &place, sizeof(place));
        std::memcpy(building.out + sizeof(place), &drawn.weight, sizeof(drawn.weight));
        building.out += kSynapseBytes;
      }
    }
    require(in_row <= kMostInTile, ErrorKind::internal,
            "tile: found {} synapses in a row, expected"
            " at most {}",
            in_row, kMostInTile);
    run_ends_.push_back(static_cast<std::uint16_t>(in_row));
  }
  building.written += static_cast<std::uint64_t>(in_row);
}

/// Looks up the runs that have synapses.
TileStore::Counts TileStore::find_runs(std::span<const Arrival> arrivals) {
  constexpr std::size_t kAhead = 16;
  Counts counts;
  runs_.clear();
  for (std::size_t index = 0; index < arrivals.size(); ++index) {
    if (index + 2 * kAhead < arrivals.size()) {
      __builtin_prefetch(&rows_[arrivals[index + 2 * kAhead].neuron]);
    }
    if (index + kAhead < arrivals.size()) {
      const Arrival& later = arrivals[index + kAhead];
      __builtin_prefetch(&run_ends_[rows_[later.neuron].first_end + later.delay]);
    }
    const Arrival& arrival = arrivals[index];
    const Row& row = rows_[arrival.neuron];
    const std::uint16_t* ends = run_ends_.data() + row.first_end + arrival.delay;
    const auto count = static_cast<std::uint32_t>(ends[0] - ends[-1]);
    if (count == 0) continue;
    runs_.push_back(
        {bytes_.data() + kSynapseBytes * (row.first_synapse + ends[-1]), count, arrival.size});
    counts.events += count;
    if (arrival.is_source) counts.source_events += count;
  }
  return counts;
}

TileStore::Counts TileStore::deliver(std::span<const Arrival> arrivals, double* sums) {
  const Counts counts = find_runs(arrivals);
  constexpr std::size_t kAhead = 10;
  for (std::size_t index = 0; index < runs_.size(); ++index) {
    if (index + kAhead < runs_.size()) {
      const Run& later = runs_[index + kAhead];
      for (std::size_t byte = 0; byte < later.count * kSynapseBytes + kLine; byte += kLine) {
        __builtin_prefetch(later.synapses + byte);
      }
    }
    const Run& run = runs_[index];
    const std::byte* synapse = run.synapses;
    const auto size = static_cast<double>(run.size);
    for (std::uint32_t left = run.count; left > 0; --left, synapse += kSynapseBytes) {
      std::uint16_t place;
      float weight;
      std::memcpy(&place, synapse, sizeof(place));
      std::memcpy(&weight, synapse + sizeof(place), sizeof(weight));
      sums[place] += size * static_cast<double>(weight);
    }
  }
  return counts;
}

}  // namespace afterspike::spiking
