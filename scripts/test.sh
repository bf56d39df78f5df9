#!/usr/bin/env bash
# Installs missing packages, builds in build/release (the folder of scripts/quickstart.sh) and runs the tests.
# Arguments go to ctest: scripts/test.sh -R glifr
#
#   AFTERSPIKE_PRESET=ci scripts/test.sh     builds in build/ci instead, where warnings are errors
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=${AFTERSPIKE_PRESET:-release}

step "packages"
scripts/install_packages.sh build

step "build (build/$preset)"
cmake --preset "$preset"
cmake --build --preset "$preset" -j "$(build_jobs)"

step "tests"
run_tests "build/$preset" "$@"
