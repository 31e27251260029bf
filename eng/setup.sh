#!/usr/bin/env bash
# Prepares this machine for the scripts in eng/. The script checks which of the required tools are missing. If the script runs as root or can use sudo
# without a password, it installs the Debian or Ubuntu packages of the missing tools. Otherwise, it prints the names of these packages. A second run
# changes nothing.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/.."

# Each row has the name of a tool, the Debian package that contains it, and a command that succeeds if the tool is installed.
needed=(
  "a C compiler|gcc|command -v cc"
  "make, for libusb's source|make|command -v make"
  "bzip2, for libusb's source|bzip2|command -v bzip2"
  "a compiler for arm64, for the runtime packages|gcc-aarch64-linux-gnu|command -v aarch64-linux-gnu-gcc"
  "the C library for arm64, for the runtime packages|libc6-dev-arm64-cross|test -e /usr/aarch64-linux-gnu/include/stdio.h"
  "clang, for Native AOT and the generator|clang|command -v clang"
  "lld, for fully static executables|lld|command -v ld.lld"
  "zlib's headers, for Native AOT|zlib1g-dev|test -e /usr/include/zlib.h"
  "pkg-config|pkg-config|command -v pkg-config"
  "libusb 1.0.26 or newer, with headers and the static library|libusb-1.0-0-dev|pkg-config --atleast-version=1.0.26 libusb-1.0"
  "udev's library, for the static libusb|libudev-dev|pkg-config --exists libudev"
  "valgrind, for the tests|valgrind|command -v valgrind"
  "lsusb, for the tests|usbutils|test -x /usr/bin/lsusb"
  "QEMU, for the tests on a real kernel|qemu-system-x86|command -v qemu-system-x86_64"
  "a static busybox, for the tests on a real kernel|busybox-static|busybox --list"
  "cpio, for the tests on a real kernel|cpio|command -v cpio"
  "depmod and modprobe, for the tests on a real kernel|kmod|command -v depmod"
  "python-libusb1, for the benchmarks|python3-usb1|/usr/bin/python3 -c 'import usb1'"
)

missing=() packages=()
for row in "${needed[@]}"; do
  IFS='|' read -r what package check <<<"$row"
  if ! eval "$check" >/dev/null 2>&1; then
    missing+=("$what ($package)")
    packages+=("$package")
  fi
done

if ((${#packages[@]})); then
  become=()
  if ((EUID)); then become=(sudo -n); fi
  if command -v apt-get >/dev/null && "${become[@]}" true 2>/dev/null; then
    echo "setup: installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if ! { "${become[@]}" apt-get update -qq && "${become[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
      cat "$log" >&2
      echo "setup: the packages could not be installed: ${packages[*]}" >&2
      exit 1
    fi
    rm -f "$log"
  else
    printf 'setup: missing: %s\n' "${missing[@]}" >&2
    echo "setup: install them (Debian, Ubuntu: apt-get install ${packages[*]}) and run this again" >&2
    exit 1
  fi
fi

wanted=10
if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q "^$wanted\."; then
  echo "setup: the .NET $wanted SDK is missing: see https://dotnet.microsoft.com/download" >&2
  exit 1
fi

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet restore Native.LibUsb.sln -v quiet
