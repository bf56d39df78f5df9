#!/usr/bin/env bash
# Makes src/report/web/charts.min.js, the parts of Apache ECharts that the report page uses, from the packages
# in package-lock.json. A build of the program does not need it: the file is in the repository.
#
#   --check   compares instead of replacing; prints a note and succeeds if npm is not installed or its registry
#             cannot be reached
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

quiet_step "making the charts of the report page"
check=false
case "${1:-}" in
  "") ;;
  --check) check=true ;;
  *) fail "unknown argument '$1'; usage: scripts/report_charts.sh [--check]" ;;
esac

# without REASON: ends a check that cannot be made.
without() {
  $check || fail "$1"
  echo "$1: charts.min.js is not compared"
  exit 0
}

command -v npm >/dev/null || without "npm is not installed"

# npm's error codes for an unreachable network.
unreachable="ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT"
unreachable+="|EIDLETIMEOUT|ECONNABORTED"

web=src/report/web
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$web"/{package.json,package-lock.json,.npmrc,charts.entry.js,charts.licenses.txt} "$work"
(cd "$work" && npm ci --loglevel=error --no-progress >npm.log 2>&1) || {
  cat "$work/npm.log" >&2
  # Only if nothing could be reached: packages that differ from the lock file are a failure.
  grep -Eq "code ($unreachable)\b" "$work/npm.log" || fail "npm ci failed"
  without "npm's registry cannot be reached"
}
(cd "$work" && npm run --silent build -- --outfile=charts.min.js --log-level=warning)

if $check; then
  cmp "$work/charts.min.js" "$web/charts.min.js" ||
    fail "charts.min.js is not what its sources give; call scripts/report_charts.sh"
else
  cp "$work/charts.min.js" "$web/charts.min.js"
  echo "$web/charts.min.js: $(wc -c <"$web/charts.min.js") bytes"
fi
