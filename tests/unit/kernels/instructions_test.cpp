#include "afterspike/kernels/instructions.hpp"

#include <string>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike::kernels {
namespace {

TEST(Instructions, CanBeForcedAndAreTheBestAgain) {
  const std::string best(instructions());
  use_instructions("baseline");
  EXPECT_EQ(instructions(), "baseline");
  use_instructions("best");
  EXPECT_EQ(instructions(), best);
  if (best == "avx512") {
    use_instructions("avx2");
    EXPECT_EQ(instructions(), "avx2");
    use_instructions("avx512");
    EXPECT_EQ(instructions(), "avx512");
  }
  use_instructions("best");
}

TEST(Instructions, AreListedFromTheOnesInUseOn) {
  use_instructions("best");
  const auto all = instruction_sets();
  EXPECT_EQ(all.front().name, instructions());
  EXPECT_EQ(all.back().name, "baseline");
  use_instructions("baseline");
  ASSERT_EQ(instruction_sets().size(), 1U);
  use_instructions("best");
  EXPECT_EQ(instruction_sets().size(), all.size());
}

TEST(Instructions, RefuseOtherNames) {
  testing::expect_error(ErrorKind::config, {"instructions", "'sse9'", "best", "baseline"},
                        [] { use_instructions("sse9"); });
}

}  // namespace
}  // namespace afterspike::kernels
