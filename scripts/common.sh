# shellcheck shell=bash
# Common functions of the scripts; sourced, never run. Changes to the root of the project, so that a script may be
# called from anywhere, and names the current step if a script fails.

set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step_under_way="starting"

# quiet_step TEXT: names the next step, for the message of a failure.
quiet_step() {
  step_under_way=$1
}

# step TEXT: names the next step and prints it.
step() {
  quiet_step "$1"
  printf '\n== %s\n' "$1"
}

# fail MESSAGE: ends the script with an explanation.
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit 1
}

trap 'printf "%s: failed while: %s\n" "$(basename "$0")" "$step_under_way" >&2' ERR

# Prints the number of compilers to run at once: one per core, limited by memory, because a file that includes
# LibTorch takes up to 2 GB.
build_jobs() {
  local cores kilobytes limit by_memory
  cores=$(nproc)
  kilobytes=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)
  # A container may have less memory than the machine.
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit != max ]] && ((limit / 1024 < kilobytes)); then
    kilobytes=$((limit / 1024))
  fi
  # Half a gigabyte of tolerance: a machine of 4 GB reports slightly less.
  by_memory=$(((kilobytes + 512 * 1024) / (2 * 1024 * 1024)))
  ((by_memory > 0)) || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

# run_tests FOLDER CTEST-OPTION...: the tests of a build folder. With AFTERSPIKE_TEST_RESULTS=DIRECTORY the
# results of each call are written there as a JUnit file, for scripts/count_tests.py.
run_tests() {
  local folder=$1 options=()
  shift
  if [[ -n ${AFTERSPIKE_TEST_RESULTS:-} ]]; then
    # Whole outputs: the lists of skipped tests are at their end.
    options=(--output-junit "$(mktemp "$AFTERSPIKE_TEST_RESULTS/XXXXXX.xml")" --test-output-size-passed 10000000)
  fi
  ctest --test-dir "$folder" --output-on-failure -j "$(nproc)" "${options[@]}" "$@"
}
