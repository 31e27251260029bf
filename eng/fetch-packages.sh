#!/usr/bin/env bash
# Fetches and unpacks packages of a Debian suite into the folder CACHE_DIR/SUITE/root, and prints the path of this folder. The script installs
# nothing, and makes apt use package lists separate from those of the system. If the folder already contains the same packages, the script does not
# fetch them again.
# usage: eng/fetch-packages.sh SUITE CACHE_DIR PACKAGE...          ("PACKAGE:" stands for the first package on which PACKAGE depends;
#                                                                  "PACKAGE:arm64" is the package for arm64)
set -euo pipefail
if [ $# -lt 3 ]; then echo "usage: eng/fetch-packages.sh SUITE CACHE_DIR PACKAGE..." >&2; exit 2; fi
suite=$1
eng=$(cd "$(dirname "$0")" && pwd)
cache=$(mkdir -p "$2/$1" && cd "$2/$1" && pwd)
shift 2
if [ "$(cat "$cache/root/complete" 2>/dev/null)" != "$*" ]; then
  rm -rf "$cache/root"
  mkdir -p "$cache/lists/partial" "$cache/packages"
  "$eng/debian-source.sh" deb "$suite" >"$cache/suite.list"
  options=(-o "Dir::Etc::sourcelist=$cache/suite.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$cache/lists"
    -o "Dir::Cache=$cache" -o "Dir::State::status=$cache/status" -o APT::Sandbox::User=root)
  : >"$cache/status" # with the machine's own status file, apt would prefer an installed library that is newer
  for architecture in $(sed -n 's/.*:\(..*\)/\1/p' < <(printf '%s\n' "$@") | sort -u); do options+=(-o "APT::Architectures::=$architecture"); done
  apt-get "${options[@]}" update -qq -o APT::Update::Error-Mode=any >&2
  packages=()
  for package; do
    if [[ $package == *: ]]; then
      package=$(apt-cache "${options[@]}" depends "${package%:}" | sed -n 's/^ *Depends: //p' | head -n 1)
    fi
    packages+=("$package")
  done
  (cd "$cache/packages" && apt-get "${options[@]}" download -qq "${packages[@]}" >&2)
  for package in "$cache"/packages/*.deb; do dpkg -x "$package" "$cache/root"; done
  rm -rf "$cache/packages" "$cache/status" "$cache"/*.bin
  echo "$*" >"$cache/root/complete"
fi
echo "$cache/root"
