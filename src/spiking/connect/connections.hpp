#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "simulation/part.hpp"

namespace afterspike::spiking {

/// The synapses onto the neurons of a part: rows by source, sorted by delay, target, weight, so
/// that sums come out the same in whatever order synapses were listed.
class Connections {
 public:
  /// Synapses of a row that share a delay: 16 bytes, which a synapse alone must bear.
  struct Run {
    double delay_ms;
    std::uint32_t count;
    std::uint32_t delay_steps : 31;  ///< Layout bounds them; 0 where there is no grid.
    std::uint32_t is_dense : 1;      ///< Its targets follow each other without a gap.
  };
  static_assert(sizeof(Run) == 16);

  /// `target` gives the place of a synapse by piece, neuron of the piece and receptor.
  using Target = std::function<std::uint32_t(std::size_t, std::int64_t, std::uint8_t)>;
  Connections(const Layout& layout, const std::vector<Piece>& pieces, const Target& target,
              bool float32);

  /// Calls visit(run, targets, weights) for each run of a source; weights are float or double.
  template <typename Visit>
  void visit(std::uint32_t source, const Visit& visit) const {
    std::uint64_t synapse = first_synapse_[source];
    for (std::uint64_t at = first_run_[source]; at < first_run_[source + 1]; ++at) {
      const Run& run = runs_[at];
      const std::uint32_t* targets = targets_.data() + synapse;
      if (narrow_.empty()) {
        visit(run, targets, wide_.data() + synapse);
      } else {
        visit(run, targets, narrow_.data() + synapse);
      }
      synapse += run.count;
    }
  }

  std::uint64_t synapses() const { return targets_.size(); }

 private:
  struct Entry;
  void add_row(std::vector<Entry>& row, const Layout& layout);

  std::vector<std::uint64_t> first_run_, first_synapse_;
  std::vector<Run> runs_;
  std::vector<std::uint32_t> targets_;
  std::vector<float> narrow_;
  std::vector<double> wide_;
};

/// Whether every weight of the network is kept in float32.
bool weights_are_float32(const Network& network, const Options& options);

}  // namespace afterspike::spiking
