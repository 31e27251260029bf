#!/usr/bin/env bash
# Builds libusb from its source for the package Native.LibUsb.Runtime.RID, and prints the folder with the files. If the folder was built before, the
# script only prints its path. The folder contains:
#   linux-x64, linux-arm64   with-udev/ and without-udev/, each with libusb-1.0.so.0 and libusb-1.0.a
#   win-x64, win-x86         libusb-1.0.dll, and libusb-1.0.lib to link with it
#   all                      COPYING, and source/ with the archive of the source
# The libraries for Linux are linked with the C library of Debian 11 and need only glibc 2.17, so they also run on older systems.
# usage: eng/build-libusb.sh VERSION RID          (1.0.28 is the newest version in Debian's mirrors; LIBUSB_SOURCE names the archive
#                                                  of another version)
# needs: gcc, make, bzip2; for linux-arm64 gcc-aarch64-linux-gnu, for win-x64 gcc-mingw-w64-x86-64, for win-x86 gcc-mingw-w64-i686
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

usage() { sed -n '/^# usage/,/^# needs/s/^# //p' "$0" >&2; exit 2; }
if [ $# -ne 2 ]; then usage; fi
version=$1 rid=$2
case $rid in
  linux-x64) host=x86_64-linux-gnu architecture=amd64 package=gcc ;;
  linux-arm64) host=aarch64-linux-gnu architecture=arm64 package=gcc-aarch64-linux-gnu ;;
  win-x64) host=x86_64-w64-mingw32 machine=i386:x86-64 package=gcc-mingw-w64-x86-64 ;;
  win-x86) host=i686-w64-mingw32 machine=i386 package=gcc-mingw-w64-i686 ;;
  *) usage ;;
esac

folder=$root/artifacts/libusb-build/$version/$rid
if [ -e "$folder/complete" ]; then echo "$folder"; exit; fi
command -v "$host-gcc" >/dev/null || { echo "build-libusb: there is no $host-gcc (Debian: $package)" >&2; exit 1; }
source=$(eng/fetch-libusb-source.sh "$version" artifacts/libusb-source)

rm -rf "$folder"
mkdir -p "$folder/work/source" "$folder/source"
log=$folder/work/build.log
trap 'status=$?; if ((status)); then tail -n 20 "$log" >&2; echo "build-libusb: libusb $version cannot be built for $rid" >&2; fi' EXIT
tar -xf "$source" -C "$folder/work/source" --strip-components=1 >"$log" 2>&1
cp "$folder/work/source/COPYING" "$folder/COPYING"
cp "$source" "$folder/source/"

# Without these settings, the files would contain paths and times, and two builds would differ.
flags="-O2 -g0 -ffile-prefix-map=$folder/work=."
export SOURCE_DATE_EPOCH=1 ZERO_AR_DATE=1

build() { # NAME [CONFIGURE-OPTION]...
  local name=$1
  shift
  mkdir -p "$folder/work/$name"
  (cd "$folder/work/$name" && ../source/configure --host="$host" --build="$(uname -m)-pc-linux-gnu" \
    --cache-file="$folder/work/config.cache" "$@" >>"$log" 2>&1 && make -C libusb -j2 AR_FLAGS=crD >>"$log" 2>&1)
}

# Fails if the linker used a file outside of the sysroot. A library that was linked with such a file may not load on older systems, or may contain parts of the
# C library.
check_library() { # FILE
  local symbols foreign newest
  symbols=$(objdump -T "$1")
  foreign=$(awk '$4 == ".text" && $NF !~ /^libusb_/ { print $NF }' <<<"$symbols")
  if [ -n "$foreign" ]; then echo "$1 contains ${foreign//$'\n'/, }" >>"$log"; return 1; fi
  foreign=$(awk '/\*UND\*/ && / Base / && / D / { print $NF }' <<<"$symbols" | grep -v '^_\|^udev_' || true)
  if [ -n "$foreign" ]; then echo "$1 is not linked with the library of ${foreign//$'\n'/, }" >>"$log"; return 1; fi
  newest=$(grep -o 'GLIBC_[0-9.]*' <<<"$symbols" | sort -Vu | tail -n 1)
  if [ "$(printf '%s\n' "$newest" GLIBC_2.17 | sort -V | tail -n 1)" != GLIBC_2.17 ]; then echo "$1 needs $newest" >>"$log"; return 1; fi
}

case $rid in
  linux-*)
    sysroot=$(eng/fetch-packages.sh bullseye "artifacts/sysroot-$architecture" "libc6:$architecture" "libc6-dev:$architecture" \
      "linux-libc-dev:$architecture" "libcrypt-dev:$architecture" "libudev1:$architecture" "libudev-dev:$architecture" 2>>"$log")
    # On this machine, absolute links in the sysroot would lead to this machine's own files.
    find "$sysroot" -type l -lname '/*' | while IFS= read -r link; do
      ln -sfn "$(realpath -m -s --relative-to="$(dirname "$link")" "$sysroot$(readlink "$link")")" "$link"
    done
    # Without these options, gcc would search the folders of its own C library before those of the sysroot.
    for udev in with without; do
      choice=--enable-udev
      if [ $udev = without ]; then choice=--disable-udev; fi
      build $udev-udev $choice --enable-shared --enable-static --with-pic "CC=$host-gcc -static-libgcc --sysroot=$sysroot -B$sysroot/usr/lib/$host" "CFLAGS=$flags" LIBS=-lpthread "LDFLAGS=-L$sysroot/lib/$host -L$sysroot/usr/lib/$host -Wl,-z,now -Wl,-z,relro"
      mkdir "$folder/$udev-udev"
      cp "$folder/work/$udev-udev/libusb/.libs/"libusb-1.0.so.0.*.* "$folder/$udev-udev/libusb-1.0.so.0"
      cp "$folder/work/$udev-udev/libusb/.libs/libusb-1.0.a" "$folder/$udev-udev/"
      "$host-strip" --strip-unneeded "$folder/$udev-udev/libusb-1.0.so.0"
      check_library "$folder/$udev-udev/libusb-1.0.so.0"
      "$host-strip" --strip-debug --enable-deterministic-archives "$folder/$udev-udev/libusb-1.0.a"
    done
    ;;
  win-*)
    # With -static-libgcc, the DLL needs only the DLLs of Windows.
    build dll --enable-shared --disable-static "CFLAGS=$flags" "LDFLAGS=-static-libgcc -Wl,--no-insert-timestamp"
    cp "$folder/work/dll/libusb/.libs/libusb-1.0.dll" "$folder/"
    "$host-strip" --strip-unneeded --enable-deterministic-archives "$folder/libusb-1.0.dll"
    "$host-dlltool" --machine "$machine" --deterministic-libraries --kill-at --input-def "$folder/work/source/libusb/libusb-1.0.def" \
      --dllname libusb-1.0.dll --output-lib "$folder/libusb-1.0.lib" >>"$log" 2>&1
    ;;
esac

rm -rf "$folder/work"
trap - EXIT
touch "$folder/complete"
echo "$folder"
