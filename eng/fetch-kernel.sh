#!/usr/bin/env bash
# Fetches Debian's kernel for the machine of the kernel tests, and prints the folder where it lies: boot/vmlinuz-*, lib/modules/*, and
# bin/udevadm, which is udevd too. Nothing is installed.
# usage: eng/fetch-kernel.sh SUITE CACHE_DIR          (bookworm = 6.1, trixie = 6.12)
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
if [ $# -ne 2 ]; then echo "usage: eng/fetch-kernel.sh SUITE CACHE_DIR" >&2; exit 2; fi
root=$("$(dirname "$0")/fetch-packages.sh" "$1" "$2" linux-image-amd64: udev)
version=$(basename "$root"/boot/vmlinuz-*)
version=${version#vmlinuz-}
if [ ! -e "$root/lib/modules/$version/modules.dep" ]; then depmod -b "$root" "$version"; fi
echo "$root"
