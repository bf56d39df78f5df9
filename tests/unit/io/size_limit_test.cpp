#include "afterspike/io/size_limit.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike::io {
namespace {

using testing::expect_error;

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

TEST(PlausibleSize, TakesValuesThatAreStored) {
  require_plausible_size(0, 0, "x");
  require_plausible_size(kGib, 1, "x");  // Small enough, whatever is stored.
  require_plausible_size(2 * kGib, 2 * kGib, "x");
  require_plausible_size(2 * kGib, 2 * kGib / 1000, "x");
}

TEST(PlausibleSize, RefusesAFileThatGrowsAThousandfold) {
  expect_error(ErrorKind::data,
               {"bomb.csv: its values take 3.0 GiB of memory", "more than 1000 times the 700 KiB",
                "sequences of similar lengths"},
               [] { require_plausible_size(3 * kGib, 700 << 10, "bomb.csv"); });
}

TEST(PlausibleSize, RefusesMoreThanTheMachineHas) {
  constexpr std::uint64_t kPebi = std::uint64_t{1} << 50;
  expect_error(ErrorKind::data, {"big.h5: its values take 1024.0 TiB", "this machine has"},
               [] { require_plausible_size(kPebi, kPebi, "big.h5"); });
}

}  // namespace
}  // namespace afterspike::io
