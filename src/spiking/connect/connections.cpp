#include "connect/connections.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>

namespace afterspike::spiking {

struct Connections::Entry {
  double delay_ms;
  std::uint32_t target;
  double weight;

  bool operator<(const Entry& other) const {
    return std::tie(delay_ms, target, weight) <
           std::tie(other.delay_ms, other.target, other.weight);
  }
};

bool weights_are_float32(const Network& network, const Options& options) {
  const auto exact = [](double weight) {
    return static_cast<double>(static_cast<float>(weight)) == weight;
  };
  return options.float32_weights ||
         std::all_of(network.projections.begin(), network.projections.end(),
                     [&](const Projection& projection) {
                       return std::all_of(projection.weights.begin(), projection.weights.end(),
                                          exact);
                     });
}

Connections::Connections(const Layout& layout, const std::vector<Piece>& pieces,
                         const Target& target, bool float32) {
  std::vector<Entry> row;
  first_run_.push_back(0);
  const auto& network = *layout.network;
  const auto gather = [&](const Projection& projection, std::size_t piece, std::int64_t source) {
    const auto first = static_cast<std::size_t>(source);
    for (std::int64_t at = projection.offsets[first]; at < projection.offsets[first + 1]; ++at) {
      const std::int64_t neuron =
          projection.targets[static_cast<std::size_t>(at)] - pieces[piece].begin;
      if (neuron < 0 || neuron >= pieces[piece].size()) continue;
      row.push_back({projection.delay_ms(at), target(piece, neuron, projection.receptor(at)),
                     projection.weights[static_cast<std::size_t>(at)]});
    }
  };
  for (std::size_t from = 0; from < network.populations.size(); ++from) {
    for (std::int64_t source = 0; source < network.populations[from].size; ++source) {
      row.clear();
      for (const Projection& projection : network.projections) {
        if (projection.source != static_cast<std::int64_t>(from)) continue;
        for (std::size_t piece = 0; piece < pieces.size(); ++piece) {
          if (pieces[piece].population == projection.target) gather(projection, piece, source);
        }
      }
      add_row(row, layout);
    }
  }
  if (float32) {
    narrow_.assign(wide_.begin(), wide_.end());
    wide_ = {};
  }
}

void Connections::add_row(std::vector<Entry>& row, const Layout& layout) {
  std::sort(row.begin(), row.end());
  first_synapse_.push_back(targets_.size());
  for (const Entry& entry : row) {
    if (runs_.size() == first_run_.back() || runs_.back().delay_ms != entry.delay_ms) {
      const double steps = layout.window_steps > 0 ? std::round(entry.delay_ms / layout.dt_ms) : 0;
      runs_.push_back({entry.delay_ms, 0, static_cast<std::uint32_t>(steps) & 0x7fffffffu, true});
    } else if (entry.target != targets_.back() + 1) {
      runs_.back().is_dense = false;
    }
    ++runs_.back().count;
    targets_.push_back(entry.target);
    wide_.push_back(entry.weight);
  }
  first_run_.push_back(runs_.size());
}

}  // namespace afterspike::spiking
