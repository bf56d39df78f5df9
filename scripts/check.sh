#!/usr/bin/env bash
# Runs the checks that every change passes besides the tests: format, layers, prose, the report's charts, warnings as
# errors, the tests of kernels and networks as an older processor runs them, and the tests of the LibTorch-free
# modules under the address and undefined-behaviour sanitizers. Prints one line "check NAME: passed|failed" for each
# and fails if one failed.
#
#   --all   the kernels without oneDNN, the sanitizers on everything, the thread sanitizer on the
#           LibTorch-free modules, and clang-tidy where it is installed
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

all=false
case "${1:-}" in
  "") ;;
  --all) all=true ;;
  *) fail "unknown argument '$1'; usage: scripts/check.sh [--all]" ;;
esac

format() {
  scripts/format.sh --check
}

layers() {
  python3 scripts/check_layers.py
}

# Hard-to-read comments and long lines of Markdown may only decrease.
prose() {
  scripts/check_prose.py
}

# The chart library in the repository matches its sources.
charts() {
  scripts/report_charts.sh --check
}

warnings() {
  cmake --preset ci && cmake --build --preset ci -j "$(build_jobs)"
}

# sanitized PRESET FOLDER CMAKE-OPTION...: builds and tests.
sanitized() {
  local preset=$1 folder=$2
  shift 2
  cmake --preset "$preset" -B "$folder" "$@" && cmake --build "$folder" -j "$(build_jobs)" &&
    run_tests "$folder"
}

# Kernels and networks as on a processor with AVX2, without AVX-512 and without products of bfloat16.
avx2() {
  if ! grep -qw avx2 /proc/cpuinfo; then
    echo "this processor has no AVX2: left out"
    return 0
  fi
  AFTERSPIKE_TEST_INSTRUCTIONS=avx2 DNNL_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2 \
    run_tests build/ci -R '^(kernels_test|kernels_bench|nn_test|golden_adam_test)$'
}

# The LibTorch-free modules, compiling every source alone, which also finds missing includes.
sanitizers() {
  sanitized asan build/asan -DAFTERSPIKE_TORCH=OFF
}

# The kernels without oneDNN, which other systems may lack.
blas() {
  cmake --preset release -B build/blas -DAFTERSPIKE_TORCH=OFF -DAFTERSPIKE_ONEDNN=OFF &&
    cmake --build build/blas -j "$(build_jobs)" --target kernels_test &&
    run_tests build/blas -R '^kernels_test$'
}

# Leak detection is off, because LibTorch keeps its start-up allocations until the end.
sanitizers_torch() {
  ASAN_OPTIONS=detect_leaks=0 sanitized asan build/asan-torch -DAFTERSPIKE_TORCH=ON
}

threads() {
  sanitized tsan build/tsan
}

# Without precompiled headers, because clang cannot read GCC's.
tidy() {
  cmake --preset dev -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON &&
    find src datasets tasks -name '*.cpp' -print0 |
    xargs -0 -r -n 1 -P "$(build_jobs)" clang-tidy --quiet -p build/tidy
}

failed=0
check() {
  step "check $1"
  # In an `if`, so that a failure is counted rather than ending the script.
  if "$1"; then
    echo "check $1: passed"
  else
    echo "check $1: failed"
    failed=$((failed + 1))
  fi
}

step "packages"
scripts/install_packages.sh build check

check format
check layers
check prose
check charts
check warnings
check avx2
check sanitizers
if $all; then
  check blas
  check sanitizers_torch
  check threads
  if command -v clang-tidy >/dev/null; then
    check tidy
  else
    echo "clang-tidy is not installed: skipped"
  fi
fi

((failed == 0)) || fail "$failed checks failed"
