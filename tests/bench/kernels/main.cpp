#include <benchmark/benchmark.h>

#include "afterspike/kernels/gemm.hpp"
#include "support/instructions.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  afterspike::testing::use_instructions_of_environment();
  const afterspike::kernels::GemmScope scope;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
