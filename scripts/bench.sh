#!/usr/bin/env bash
# Measures training steps of the kernels' main shapes, by every path in turn, and writes docs/performance.md.
# Needs half an hour on a quiet machine and 12 GB of memory. Arguments go to scripts/bench_table.py:
#
#   scripts/bench.sh [--rounds 3] [--rows 5,2] [--out FILE]
#   AFTERSPIKE_PROGRAM=PROGRAM scripts/bench.sh     measures that program instead of building one
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

program=${AFTERSPIKE_PROGRAM:-build/release/bin/afterspike}
if [[ -z ${AFTERSPIKE_PROGRAM:-} ]]; then
  step "build"
  cmake --preset release
  cmake --build --preset release --target afterspike -j "$(build_jobs)"
fi

step "measurements"
python3 scripts/bench_table.py --program "$program" "$@"
