#include "connect/block_rows.hpp"

#include <cmath>
#include <cstddef>

#include "connect/binomial.hpp"
#include "connect/draw.hpp"

namespace afterspike::spiking {
namespace {

std::uint8_t receptor_named(const Population& target, std::string_view name) {
  const auto& receptors = model(target.model).receptors;
  for (std::size_t index = 0; index < receptors.size(); ++index) {
    if (receptors[index].name == name) return static_cast<std::uint8_t>(index);
  }
  return 0;
}

Rng stream_of(const RuleProjection& rule, const char* name, std::int64_t block) {
  return Rng::of_key(rule.key).stream(name, static_cast<std::uint64_t>(block));
}

}  // namespace

RuleReceptors receptors_of(const Population& target, std::int64_t receptor) {
  if (receptor >= 0) {
    const auto index = static_cast<std::uint8_t>(receptor);
    return {index, index, false};
  }
  RuleReceptors receptors{receptor_named(target, "excitatory"),
                          receptor_named(target, "inhibitory"), false};
  receptors.is_absolute = target.weight_unit(receptors.negative) == "nS";
  return receptors;
}

std::vector<std::int64_t> block_counts(const RuleProjection& rule, std::int64_t targets) {
  Rng rng = Rng::of_key(rule.key).stream("blocks");
  std::vector<std::int64_t> counts;
  std::int64_t left = rule.connection.count;
  for (std::int64_t block = 0; block < kBlocks; ++block) {
    const std::int64_t begin = block_begin(targets, block), end = block_begin(targets, block + 1);
    const double share =
        begin == targets ? 0
                         : static_cast<double>(end - begin) / static_cast<double>(targets - begin);
    counts.push_back(binomial(left, share, rng));
    left -= counts.back();
  }
  return counts;
}

BlockRows::BlockRows(const RuleProjection& rule, const Population& source, const Population& target,
                     std::int64_t block, std::int64_t synapses)
    : rule_(rule),
      receptors_(receptors_of(target, rule.connection.receptor)),
      targets_(static_cast<std::uint32_t>(block_begin(target.size, block + 1) -
                                          block_begin(target.size, block))),
      delays_(stream_of(rule, "delays", block)),
      synapses_(stream_of(rule, "synapses", block)),
      rows_(static_cast<std::size_t>(source.size)) {
  WordStream sources(stream_of(rule, "sources", block));
  const auto size = static_cast<std::uint32_t>(source.size);
  for (std::int64_t drawn = 0; drawn < synapses; ++drawn) ++rows_[sources.below(size)];
}

BlockRows::Drawn BlockRows::draw() {
  const std::uint32_t target = synapses_.below(targets_);
  const auto weight = static_cast<float>(draw_with(rule_.connection.weight, synapses_));
  if (weight >= 0) return {target, weight, receptors_.positive};
  return {target, receptors_.is_absolute ? -weight : weight, receptors_.negative};
}

}  // namespace afterspike::spiking
