#!/usr/bin/env bash
# Fetches libusb as another Debian suite has it, and prints the folder where it lies: usr/include has the header, usr/lib/* the library with
# all that it needs, the C library and its loader included (a newer libusb wants a newer one).
# usage: eng/fetch-libusb.sh SUITE CACHE_DIR          (bookworm = 1.0.26, trixie = 1.0.28, forky and sid = 1.0.30)
set -euo pipefail
if [ $# -ne 2 ]; then echo "usage: eng/fetch-libusb.sh SUITE CACHE_DIR" >&2; exit 2; fi
exec "$(dirname "$0")/fetch-packages.sh" "$1" "$2" libusb-1.0-0-dev libusb-1.0-0 libudev1 libcap2 libgcc-s1 libc6
