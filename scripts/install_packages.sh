#!/usr/bin/env bash
# Installs missing packages of scripts/packages.txt through apt, with sudo unless root.
# Prints nothing and needs no network if all are installed.
#
#   scripts/install_packages.sh [GROUP...]      groups: build check fetch; default: build
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

quiet_step "installing packages"
(($# > 0)) || set -- build

wanted=()
for group in "$@"; do
  mapfile -t names < <(awk -v group="$group" '$1 !~ /^#/ && $2 == group {print $1}' scripts/packages.txt)
  ((${#names[@]} > 0)) || fail "no group '$group' in scripts/packages.txt; there are: build, check, fetch"
  wanted+=("${names[@]}")
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  printf 'This is not a Debian system; what is needed is called there: %s\n' "${wanted[*]}" >&2
  exit 0
fi

missing=()
for name in "${wanted[@]}"; do
  # A program of that name from elsewhere is sufficient, and may conflict with Debian's.
  ! command -v "$name" >/dev/null || continue
  [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null || true) == *ii* ]] || missing+=("$name")
done
((${#missing[@]} > 0)) || exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null ||
    fail "packages are missing, and this is neither root nor is there sudo; as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

apt_get() {
  # Waits for another apt to end instead of failing; asks no questions.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
printf 'installing %s; with all they need this takes some minutes\n' "${missing[*]}"
apt_get update || fail "apt-get update failed; is the network reachable?"
apt_get install -y --no-install-recommends "${missing[@]}" >/dev/null ||
  fail "apt-get install ${missing[*]} failed"
