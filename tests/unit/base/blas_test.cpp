#include "afterspike/base/blas.hpp"

#include <gtest/gtest.h>

namespace afterspike {
namespace {

TEST(OpenblasCore, IsChosenOnlyWhereOpenblasDoesNotKnowTheProcessor) {
  const ProcessorInstructions none, avx2{true, false}, avx512{true, true};
  EXPECT_EQ(better_openblas_core("Prescott", avx512), "SkylakeX");
  EXPECT_EQ(better_openblas_core("Prescott", avx2), "Haswell");
  EXPECT_EQ(better_openblas_core("Barcelona", avx2), "Haswell");
  EXPECT_EQ(better_openblas_core("Prescott", none), std::nullopt);
  for (const char* known : {"SkylakeX", "Cooperlake", "Sapphirerapids", "Zen", "Haswell", ""}) {
    EXPECT_EQ(better_openblas_core(known, avx512), std::nullopt) << known;
  }
}

}  // namespace
}  // namespace afterspike
