#!/bin/sh
# Compiles the preload library so that it runs on glibc 2.28 and newer. For this purpose, preload.h requests the old versions of functions. Before
# glibc 2.34, separate libraries contained some of these functions, so the preload library must name these libraries as dependencies. Newer versions
# of glibc do not provide these libraries to the linker, so the script creates empty libraries with their names.
# usage: build.sh COMPILER OUTPUT [FLAG]...
set -eu
compiler=$1 output=$2
shift 2
folder=$(dirname "$0")
mkdir -p "$(dirname "$output")"
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
for library in libpthread.so.0 libdl.so.2; do
  # shellcheck disable=SC2086 # the compiler may be a name with options
  $compiler -shared -nostdlib "-Wl,-soname,$library" -o "$empty/$library" -x c /dev/null
done
# shellcheck disable=SC2086
$compiler -shared -fPIC -std=gnu11 -O2 -fvisibility=hidden -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0 -Wall -Wextra -Werror -Wl,--hash-style=both \
  -o "$empty/library.so" "$@" "$folder"/*.c -Wl,--no-as-needed "$empty/libpthread.so.0" "$empty/libdl.so.2"
mv "$empty/library.so" "$output"
