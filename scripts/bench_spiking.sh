#!/usr/bin/env bash
# Measures the simulator on one thread, without compilation: synaptic events a second of GLIF3 neurons by the
# exact engine; the networks of Brette et al. 2007, 10 s in steps of 0.1 ms, by the grid engine and by Brian 2
# (C++ standalone) in turn; and the time of each model. Needs some ten minutes. docs/simulation.md has the results.
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
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

median() {
  sort -g "$1" | awk '{value[NR] = $1} END {print value[int((NR + 1) / 2)]}'
}

# Runs a network by both programs in turn and prints the medians.
compare() {
  local network=$1 round
  /usr/bin/python3 scripts/brian_networks.py "$network" "$folder/$network" 2>"$folder/log" ||
    fail "Brian 2, $network: $(tail -n 1 "$folder/log")"
  for ((round = 0; round < rounds; round++)); do
    "$program" "$network" 1 | tee "$folder/last" | awk '{print $2}' >>"$folder/$network.ours"
    (cd "$folder/$network" && ./main >/dev/null && awk '{print $1; exit}' results/last_run_info.txt) \
      >>"$folder/$network.theirs"
  done
  cat "$folder/last"
  awk -v ours="$(median "$folder/$network.ours")" -v theirs="$(median "$folder/$network.theirs")" -v rounds="$rounds" \
    'BEGIN {printf "median of %d: %.3f s, Brian 2 %.3f s: %.2f times as long\n", rounds, ours, theirs, theirs / ours}'
}

step "machine"
lscpu | sed -n 's/^Model name: *//p'
step "GLIF3, exact engine"
"$program" glif3 "$rounds"
for network in cuba coba cobahh; do
  step "$network"
  # Debian's package belongs to Debian's Python.
  if /usr/bin/python3 -c 'import brian2' 2>/dev/null; then
    compare "$network"
  else
    "$program" "$network" "$rounds"
    echo "Brian 2 is not installed (apt-get install python3-brian): not compared"
  fi
done
step "models"
"$program" models "$rounds"
