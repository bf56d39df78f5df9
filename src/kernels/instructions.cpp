#include "afterspike/kernels/instructions.hpp"

#include <hwy/targets.h>

#include <array>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "gemm_library.hpp"

namespace afterspike::kernels {
namespace {

/// Highway numbers its targets from the best on, a bit each.
struct Level {
  std::string_view name;
  std::int64_t best;  ///< The best target of Highway that belongs to it.
};

constexpr std::array kLevels = {Level{"avx512", 1}, Level{"avx2", HWY_AVX2},
                                Level{"baseline", HWY_SSE4}};

/// The level of the best target that is supported.
const Level& present() {
  const std::int64_t targets = hwy::SupportedTargets();
  const std::int64_t best = targets & -targets;
  if (best < HWY_AVX2) return kLevels[0];
  return best < HWY_SSE4 ? kLevels[1] : kLevels[2];
}

}  // namespace

std::string_view instructions() {
  return present().name;
}

void use_instructions(std::string_view name) {
  hwy::DisableTargets(0);
  const Level& best = present();
  if (name == "best") name = best.name;
  std::vector<std::string_view> available;
  for (const Level& level : kLevels) {
    if (level.best < best.best) continue;
    available.push_back(level.name);
    if (level.name != name) continue;
    hwy::DisableTargets(level.best - 1);
    library::limit_instructions(level.name);
    return;
  }
  fail(ErrorKind::config, "instructions: found '{}', expected best or what this processor has: {}",
       name, fmt::join(available, ", "));
}

}  // namespace afterspike::kernels
