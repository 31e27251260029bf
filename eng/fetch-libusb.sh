#!/usr/bin/env bash
# Fetches libusb as another Debian suite has it, and prints the folder where it lies: usr/include has the header, usr/lib/* the library with
# all that it needs, the C library and its loader included (a newer libusb wants a newer one).
# Nothing is installed: apt gets its own lists, and the packages are only unpacked into CACHE_DIR/SUITE.
# usage: eng/fetch-libusb.sh SUITE CACHE_DIR          (bookworm = 1.0.26, trixie = 1.0.28, forky and sid = 1.0.30)
set -euo pipefail
if [ $# -ne 2 ]; then echo "usage: eng/fetch-libusb.sh SUITE CACHE_DIR" >&2; exit 2; fi
suite=$1
cache=$(mkdir -p "$2/$1" && cd "$2/$1" && pwd)
if [ ! -e "$cache/root/complete" ]; then
  mirror=$(sed -n 's/^URIs: \(.*debian\)\/\?$/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  mirror=${LIBUSB_DEBIAN_MIRROR:-${mirror:-http://deb.debian.org/debian}}
  mkdir -p "$cache/lists/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$cache/suite.list"
  options=(-o "Dir::Etc::sourcelist=$cache/suite.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$cache/lists" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -qq -o APT::Update::Error-Mode=any >&2
  (cd "$cache" && apt-get "${options[@]}" download -qq libusb-1.0-0-dev libusb-1.0-0 libudev1 libcap2 libgcc-s1 libc6 >&2)
  for package in "$cache"/*.deb; do dpkg -x "$package" "$cache/root"; done
  touch "$cache/root/complete"
fi
echo "$cache/root"
