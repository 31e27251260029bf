#!/usr/bin/env bash
# Prints an apt source line for a Debian suite, with Debian's key and the mirror that is configured on this machine.
# usage: eng/debian-source.sh deb|deb-src SUITE          (LIBUSB_DEBIAN_MIRROR names another mirror)
set -euo pipefail
if [ $# -ne 2 ]; then echo "usage: eng/debian-source.sh deb|deb-src SUITE" >&2; exit 2; fi
mirror=${LIBUSB_DEBIAN_MIRROR:-}
if [ -z "$mirror" ]; then
  # Uses the mirror of the first package source with a complete Debian suite. Such a source has the component main, and the name of its suite contains
  # neither "-" nor "/". The suite of an update source has a name such as bookworm-updates or buster/updates, and the sources of other vendors have no
  # component main.
  # shellcheck disable=SC2016 # apt replaces the names
  mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' \
    | awk '$3 == "main" && $2 !~ /[-\/]/ { print $1; exit }')
fi
if [ -z "$mirror" ]; then
  echo "debian-source: apt has no Debian mirror on this machine: name one in LIBUSB_DEBIAN_MIRROR" >&2
  exit 1
fi
echo "$1 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $2 main"
