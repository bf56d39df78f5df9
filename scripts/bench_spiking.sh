#!/usr/bin/env bash
# Measures the simulator: a network of GLIF3 neurons by the exact engine (synaptic events a second), and the
# CUBA network of Brette et al. 2007, 10 s in steps of 0.1 ms, by the grid engine and by Brian 2 (C++
# standalone) in turn, one thread each, without compilation. Needs some minutes. docs/simulation.md has the results.
#
#   scripts/bench_spiking.sh [ROUNDS]                 default: 5
#   AFTERSPIKE_BENCH=PROGRAM scripts/bench_spiking.sh     measures that program instead of building one
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

rounds=${1:-5}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "found '$rounds', expected a number of rounds"

program=${AFTERSPIKE_BENCH:-build/release/tests/spiking}
if [[ -z ${AFTERSPIKE_BENCH:-} ]]; then
  step "build"
  cmake --preset release
  cmake --build --preset release --target spiking -j "$(build_jobs)"
fi

step "GLIF3, exact engine"
"$program" glif3 "$rounds"

step "CUBA"
# Debian's package belongs to Debian's Python.
if ! /usr/bin/python3 -c 'import brian2' 2>/dev/null; then
  "$program" cuba "$rounds"
  echo "Brian 2 is not installed (apt-get install python3-brian): not compared"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
/usr/bin/python3 scripts/cuba_brian.py "$folder/brian"

median() {
  sort -g | awk '{value[NR] = $1} END {print value[int((NR + 1) / 2)]}'
}
for ((round = 0; round < rounds; round++)); do
  "$program" cuba 1 | awk '{print $2}' >>"$folder/ours"
  (cd "$folder/brian" && ./main >/dev/null && awk '{print $1; exit}' results/last_run_info.txt) >>"$folder/theirs"
done
ours=$(median <"$folder/ours")
theirs=$(median <"$folder/theirs")
awk -v ours="$ours" -v theirs="$theirs" -v rounds="$rounds" \
  'BEGIN {printf "median of %d: %.3f s, Brian 2 %.3f s: %.2f times as long\n", rounds, ours, theirs, theirs / ours}'
