#!/usr/bin/env bash
# Fetches the source of a version of libusb from Debian, and prints the path of the archive. The script installs nothing. It gives apt separate
# package lists, so the system's package lists do not change. If the archive is already in CACHE_DIR, the script does not fetch it again.
# usage: eng/fetch-libusb-source.sh VERSION CACHE_DIR          (LIBUSB_SOURCE names an archive to use instead)
set -euo pipefail
if [ $# -ne 2 ]; then echo "usage: eng/fetch-libusb-source.sh VERSION CACHE_DIR" >&2; exit 2; fi
version=$1
if [ -n "${LIBUSB_SOURCE:-}" ]; then realpath -e "$LIBUSB_SOURCE"; exit; fi
cache=$(mkdir -p "$2" && cd "$2" && pwd)
eng=$(cd "$(dirname "$0")" && pwd)

found() { find "$cache" -maxdepth 1 -name "libusb-1.0_$version.orig.tar.*" ! -name '*.asc' | head -n 1; }
if [ -n "$(found)" ]; then found; exit; fi

for suite in sid forky trixie bookworm bullseye; do
  lists=$cache/lists-$suite
  mkdir -p "$lists/partial" "$cache/packages"
  "$eng/debian-source.sh" deb-src "$suite" >"$cache/$suite.list"
  options=(-o "Dir::Etc::sourcelist=$cache/$suite.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$lists"
    -o "Dir::Cache=$cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -qq -o APT::Update::Error-Mode=any >&2 || continue
  listed=$(apt-cache "${options[@]}" showsrc libusb-1.0 2>/dev/null | sed -n 's/^Version: \(.*:\)\?\(.*\)-[^-]*$/\2/p')
  grep -qxF "$version" <<<"$listed" || continue
  # A failure of this command is ignored, because the mirror may lack Debian's packaging files. The script needs only the archive, and apt-get checks
  # its hash.
  (cd "$cache" && apt-get "${options[@]}" source -qq --download-only libusb-1.0 >fetch.log 2>&1) || true
  rm -rf "$lists" "$cache/packages" "$cache"/*.bin
  if [ -n "$(found)" ]; then found; exit; fi
done

cat "$cache/fetch.log" >&2 2>/dev/null || true
echo "fetch-libusb-source: the source of libusb $version cannot be fetched: name its archive in LIBUSB_SOURCE" >&2
exit 1
