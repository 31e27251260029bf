#!/usr/bin/env bash
# Runs eng/consumer-test.sh twice on a small Debian system in a folder. The small system has only the packages that a .NET program needs, and uses the
# host's .NET SDK. For the first run, the small system has no C compiler, so eng/consumer-test.sh tests only the programs that need no compiler. This script
# then installs clang, lld and zlib1g-dev. The second run tests the programs that are compiled ahead of time.
# usage: eng/consumer-machine.sh          (as root; needs debootstrap)
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/.."
root=$PWD

((EUID == 0)) || { echo "consumer-machine: only root can set up a system in a folder" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "consumer-machine: debootstrap is missing (Debian: debootstrap)" >&2; exit 1; }
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(eng/debian-source.sh deb "$suite" | awk '{ print $3 }')

system=$(mktemp -d)
log=$(mktemp)
trap 'status=$?; if ((status)); then tail -n 20 "$log" >&2; fi; rm -rf "$log" "$system"' EXIT
echo "consumer-machine: unpacking Debian $suite"
debootstrap --variant=minbase --include=ca-certificates "$suite" "$system" "$mirror" >"$log" 2>&1

# The SDK and the repository of this machine are mounted in the small system. The system has a copy of this machine's NuGet configuration. The kernel
# removes the mounts when the process that made them ends.
nuget=$HOME/.nuget/NuGet
mkdir -p "$system$sdk" "$system$root" "$system/root/.nuget/NuGet"
if [ -d "$nuget" ]; then cp -r "$nuget/." "$system/root/.nuget/NuGet/"; fi
cp -L /etc/resolv.conf /etc/hosts "$system/etc/" 2>/dev/null || true
cp -L /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/" 2>/dev/null || true
inside() { # COMMAND [ARGUMENT]...
  # shellcheck disable=SC2016 # the inner shell replaces the names
  unshare -m sh -ec '
    system=$1 sdk=$2 root=$3
    shift 3
    mount --bind "$system" "$system" # the root of a mount namespace has to be a mount
    mount --rbind "$sdk" "$system$sdk"
    mount --rbind "$root" "$system$root"
    mount --rbind /dev "$system/dev"
    mount -t proc none "$system/proc"
    mount --rbind /sys "$system/sys"
    exec chroot "$system" env -i HOME=/root PATH="$sdk:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C.UTF-8 "$@"' sh "$system" "$sdk" "$root" "$@"
}

variables=()
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NUGET_CERT_REVOCATION_MODE SSL_CERT_FILE; do
  if [ -n "${!name-}" ]; then variables+=("$name=${!name}"); fi
done

# Without ICU, the SDK warns about the names of languages in the packages of the test platform.
install() { # PACKAGE...
  inside env "${variables[@]}" DEBIAN_FRONTEND=noninteractive sh -ec 'apt-get update -qq; apt-get install -y -qq --no-install-recommends "$@"' sh "$@" >"$log" 2>&1
}
install '^libicu[0-9]+$'

if inside sh -c 'command -v cc || command -v clang' >/dev/null; then echo "consumer-machine: the system has a C compiler" >&2; exit 1; fi
echo "consumer-machine: without a C compiler"
inside env "${variables[@]}" "$root/eng/consumer-test.sh" jit library single-file tools xunit2 xunit3 nunit platform
install clang lld zlib1g-dev
echo "consumer-machine: with clang, lld and zlib1g-dev"
inside env "${variables[@]}" "$root/eng/consumer-test.sh" aot-dynamic aot-direct aot-static aot-full aot-library
