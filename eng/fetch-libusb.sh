#!/usr/bin/env bash
# Fetches the libusb of another Debian suite, and prints the path of the folder that contains the fetched files. In this folder, usr/include contains the
# header, and usr/lib/* contains libusb and every library that libusb needs. The C library and its loader are included, because a newer libusb may need a newer
# C library.
# usage: eng/fetch-libusb.sh SUITE CACHE_DIR          (bookworm = 1.0.26, trixie = 1.0.28, forky and sid = 1.0.30)
set -euo pipefail
if [ $# -ne 2 ]; then echo "usage: eng/fetch-libusb.sh SUITE CACHE_DIR" >&2; exit 2; fi
exec "$(dirname "$0")/fetch-packages.sh" "$1" "$2" libusb-1.0-0-dev libusb-1.0-0 libudev1 libcap2 libgcc-s1 libc6
