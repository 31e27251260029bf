#!/usr/bin/env bash
# Fetches Debian's kernel for the virtual machine of the kernel tests, and prints the folder that contains boot/vmlinuz-* and lib/modules/*. The
# script installs nothing.
# usage: eng/fetch-kernel.sh SUITE CACHE_DIR          (bookworm = 6.1, trixie = 6.12)
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
if [ $# -ne 2 ]; then echo "usage: eng/fetch-kernel.sh SUITE CACHE_DIR" >&2; exit 2; fi
root=$("$(dirname "$0")/fetch-packages.sh" "$1" "$2" linux-image-amd64:)
modules=$root/lib/modules
if [ ! -e "$modules" ]; then modules=$root/usr/lib/modules; fi # in suites where /lib is a link to /usr/lib
version=$(basename "$root"/boot/vmlinuz-*)
version=${version#vmlinuz-}
if [ "$modules" != "$root/lib/modules" ]; then mkdir -p "$root/lib" && ln -s ../usr/lib/modules "$root/lib/modules"; fi
if [ ! -e "$root/lib/modules/$version/modules.dep" ]; then depmod -b "$root" "$version"; fi
echo "$root"
