#!/usr/bin/env bash
# Packs the libraries, the .NET tools and libusb itself (Native.LibUsb.Runtime.*) into artifacts/packages. Two runs with the same sources write the
# same bytes. For this purpose, each run builds in a new, empty folder, and sets the times in the packages to the time of the commit.
# usage: eng/pack.sh [--check]          --check packs twice and fails when a byte differs
# LIBUSB_VERSION is the version of libusb to pack (default: 1.0.28). LIBUSB_RIDS is the list of runtime identifiers to pack (default: all). If the
# compiler or the source of a runtime package is missing, the script prints a message and omits the package.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
root=$PWD build=$PWD/artifacts/pack output=$PWD/artifacts/packages

check=false
case ${1-} in
  '') ;;
  --check) check=true ;;
  *) sed -n 's/^# \(usage\)/\1/p' "$0" >&2; exit 2 ;;
esac

# The API of the libraries is compared with that of the newest earlier version. A tag names this version.
libraries=(Native.LibUsb Native.LibUsb.Testing)
version=$(dotnet msbuild src/Native.LibUsb -getProperty:Version)
previous=$(git describe --tags --abbrev=0 --match 'v[0-9]*' --exclude "v$version" 2>/dev/null || true)
baseline=$PWD/artifacts/pack-baseline/$previous
if [ -z "$previous" ]; then
  echo "pack: there is no tag of an earlier version, so the API is not compared"
elif [ ! -e "$baseline/complete" ]; then
  echo "pack: packing $previous to compare its API"
  # The earlier version is built in a folder outside of the repository. Inside the repository, the current settings for analysers and builds would
  # also apply to the earlier version.
  source=$(mktemp -d)
  trap 'git worktree remove --force "$source"' EXIT
  rm -rf "$baseline"
  mkdir -p "$baseline"
  git worktree add -q --detach --force "$source" "$previous"
  for library in "${libraries[@]}"; do
    log=$baseline/$library.log
    dotnet pack "$source/src/$library" -c Release -v quiet -nodeReuse:false -o "$baseline" >"$log" 2>&1 \
      || { tail -n 20 "$log" >&2; echo "pack: $library of $previous cannot be packed" >&2; exit 1; }
  done
  git worktree remove --force "$source"
  trap - EXIT
  touch "$baseline/complete"
fi

# The packages with libusb itself.
libusb=${LIBUSB_VERSION:-1.0.28}
declare -A built
for rid in ${LIBUSB_RIDS-linux-x64 linux-arm64 win-x64 win-x86}; do
  if ! built[$rid]=$(eng/build-libusb.sh "$libusb" "$rid"); then
    echo "pack: Native.LibUsb.Runtime.$rid is left out" >&2
    unset "built[$rid]"
  fi
done

pack() { # PROJECT FOLDER [OPTION]...
  local project=$1 folder=$2 log=$build/$1.log
  shift 2
  # A compiler server keeps results, which could hide a difference between two runs, and keeps files of the folder open.
  if ! dotnet pack "src/$project" -c Release -v quiet -o "$folder" -p:ArtifactsPath="$build" -p:UseSharedCompilation=false -nodeReuse:false "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "pack: $project cannot be packed" >&2
    exit 1
  fi
  if grep ': warning ' "$log" >&2; then echo "pack: packing $project printed warnings" >&2; exit 1; fi
}

pack_all() { # FOLDER
  rm -rf "$build" "$1"
  mkdir -p "$build" "$1"
  for library in "${libraries[@]}"; do
    compare=()
    if [ -n "$previous" ]; then compare=("-p:PackageValidationBaselinePath=$(echo "$baseline/$library".[0-9]*.nupkg)"); fi
    pack "$library" "$1" "${compare[@]}"
  done
  pack usbcap "$1" -p:UsbcapAsTool=true
  pack usbvbus "$1"
  for rid in "${!built[@]}"; do
    pack Native.LibUsb.Runtime "$1" "-p:LibUsbRid=$rid" "-p:LibUsbFolder=${built[$rid]}" "-p:Version=$libusb"
  done
}

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
pack_all "$output"

if $check; then
  again=$root/artifacts/packages-again
  pack_all "$again"
  for package in "$output"/*.nupkg; do
    cmp "$package" "$again/${package##*/}" || { echo "pack: the two runs produced different bytes" >&2; exit 1; }
  done
  rm -rf "$again"
  echo "pack: both runs produced identical packages"
fi

for package in "$output"/*.nupkg; do printf '%9d %s\n' "$(stat -c %s "$package")" "${package#"$root/"}"; done
