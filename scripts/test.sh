#!/usr/bin/env bash
# Installs what is missing, builds (release, warnings are errors) and runs the tests. Further arguments
# go to ctest: scripts/test.sh -R glifr
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

step "packages"
scripts/install_packages.sh build

step "build (build/ci)"
cmake --preset ci
cmake --build --preset ci -j "$(build_jobs)"

step "tests"
ctest --test-dir build/ci --output-on-failure -j "$(nproc)" "$@"
