#include "afterspike/kernels/instructions.hpp"

#include <hwy/targets.h>

#include <cstdint>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "gemm_library.hpp"

namespace afterspike::kernels {
namespace {

/// From the best on: a processor that has one has those after it, too.
constexpr InstructionSet kSets[] = {{"avx512", "vectors of 512 bits (AVX-512)"},
                                    {"avx2", "vectors of 256 bits (AVX2)"},
                                    {"baseline", "vectors of 128 bits, which every processor has"}};

/// Instruction sets in the terms of the libraries. Highway numbers its targets from the best on, a
/// bit each.
struct Level {
  std::int64_t best;  ///< The best target of Highway that belongs to it.
  library::Vectors longest;
};
constexpr Level kLevels[] = {{1, library::Vectors::of_512},
                             {HWY_AVX2, library::Vectors::of_256},
                             {HWY_SSE4, library::Vectors::of_128}};
static_assert(std::size(kSets) == std::size(kLevels));

/// The number of the best that is supported.
std::size_t present() {
  const std::int64_t targets = hwy::SupportedTargets();
  const std::int64_t best = targets & -targets;
  if (best < HWY_AVX2) return 0;
  return best < HWY_SSE4 ? 1 : 2;
}

}  // namespace

std::string_view instructions() {
  return kSets[present()].name;
}

std::span<const InstructionSet> instruction_sets() {
  return std::span(kSets).subspan(present());
}

void use_instructions(std::string_view name) {
  hwy::DisableTargets(0);
  if (name == "best") name = instructions();
  std::vector<std::string_view> available;
  for (std::size_t i = present(); i < std::size(kSets); ++i) {
    available.push_back(kSets[i].name);
    if (kSets[i].name != name) continue;
    hwy::DisableTargets(kLevels[i].best - 1);
    library::limit_instructions(kLevels[i].longest);
    return;
  }
  fail(ErrorKind::config, "instructions: found '{}', expected best or what this processor has: {}",
       name, fmt::join(available, ", "));
}

}  // namespace afterspike::kernels
