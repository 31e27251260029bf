#!/usr/bin/env bash
# Prints the line of a list of apt's for a Debian suite, with the mirror and the key that this machine itself is configured with.
# usage: eng/debian-source.sh deb|deb-src SUITE          (LIBUSB_DEBIAN_MIRROR names another mirror)
set -euo pipefail
if [ $# -ne 2 ]; then echo "usage: eng/debian-source.sh deb|deb-src SUITE" >&2; exit 2; fi
mirror=${LIBUSB_DEBIAN_MIRROR:-}
if [ -z "$mirror" ]; then
  # The first source of a whole suite: those of updates and of other vendors have other names or other components.
  # shellcheck disable=SC2016 # apt replaces the names
  mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' \
    | awk '$3 == "main" && $2 !~ /[-\/]/ { print $1; exit }')
fi
if [ -z "$mirror" ]; then
  echo "debian-source: apt has no Debian mirror on this machine: name one in LIBUSB_DEBIAN_MIRROR" >&2
  exit 1
fi
echo "$1 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $2 main"
