#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/spiking/network.hpp"
#include "connect/delay_table.hpp"
#include "connect/random_words.hpp"

namespace afterspike::spiking {

/// Targets are drawn by blocks, which are the same for any number of threads: each population has
/// so many, which differ in size by at most one neuron. 24 is divided by 2, 3, 4, 6, 8 and 12.
inline constexpr std::int64_t kBlocks = 24;

/// First neuron of a block of a population.
inline std::int64_t block_begin(std::int64_t size, std::int64_t block) {
  return size * block / kBlocks;
}

/// Receptors of the synapses of a rule, by the sign of the weight.
struct RuleReceptors {
  std::uint8_t positive = 0, negative = 0;
  bool is_absolute = false;  ///< Negative weights are conductances: their size counts.
};

/// Returns the receptors onto a population. REQUIRES: receptor < receptors of the target.
RuleReceptors receptors_of(const Population& target, std::int64_t receptor);

/// Whether a rule is of the kind that is drawn in tiles, if it stays a rule.
inline bool is_in_tiles(const RuleProjection& rule) {
  return rule.connection.rule == ConnectionRule::fixed_total_number;
}

/// Splits the synapses of a `fixed_total_number` rule over the blocks of its target: a multinomial
/// number for each.
std::vector<std::int64_t> block_counts(const RuleProjection& rule, std::int64_t targets);

/// The synapses of a `fixed_total_number` rule onto one block, drawn row after row in the order of
/// the sources. The numbers of synapses of the rows are multinomial, drawn when this is made.
class BlockRows {
 public:
  /// A synapse without its delay. `target` counts from the block's first neuron.
  struct Drawn {
    std::uint32_t target;
    float weight;
    std::uint8_t receptor;
  };

  /// `rule` must outlive this. `synapses` is the block's entry of block_counts().
  BlockRows(const RuleProjection& rule, const Population& source, const Population& target,
            std::int64_t block, std::int64_t synapses);

  /// Number of synapses of a source.
  std::uint32_t row(std::int64_t source) const { return rows_[static_cast<std::size_t>(source)]; }

  /// Draws the delay of a synapse. All those of a row are drawn before its synapses.
  std::uint32_t draw_delay(const DelayTable& table) { return table.draw(delays_.next()); }

  Drawn draw();

 private:
  const RuleProjection& rule_;
  RuleReceptors receptors_;
  std::uint32_t targets_;
  WordStream delays_, synapses_;
  std::vector<std::uint32_t> rows_;
};

}  // namespace afterspike::spiking
