#include <benchmark/benchmark.h>

#include "afterspike/kernels/gemm.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  afterspike::kernels::prepare_thread();
  const afterspike::kernels::SignalsHeld held;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
