#!/usr/bin/env bash
# Formats all C++ files by .clang-format; with --check changes nothing and fails if it would.
# Use clang-format 14 (Debian 12): other versions break lines elsewhere.
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

quiet_step "formatting"
mode=(-i)
case "${1:-}" in
  "") ;;
  --check) mode=(--dry-run --Werror) ;;
  *) fail "unknown argument '$1'; usage: scripts/format.sh [--check]" ;;
esac

command -v clang-format >/dev/null || fail "clang-format is not installed: scripts/install_packages.sh check"
find include src datasets tasks tests -name '*.[ch]pp' -print0 |
  xargs -0 -r clang-format --style=file "${mode[@]}"
