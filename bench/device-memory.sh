#!/usr/bin/env bash
# Measures how fast programs in C and C# read data into ordinary memory and into device memory. Device memory is memory of the kernel that
# programs can read directly, so the kernel does not copy the data. The C program can also copy the data from ordinary memory into a buffer
# of its own. The programs run in the virtual machine of the kernel tests, where a gadget of the kernel sends data as fast as possible.
# usage: bench/device-memory.sh [MEBIBYTES [ROUNDS]]      (default: 64 and 5)
# QEMU emulates the processor. Therefore, only the ratios of the times are meaningful.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
eng/setup.sh
dotnet publish bench/Streaming -c Release -v quiet
aot=$(echo "$PWD"/artifacts/publish/Streaming/release_*/Streaming)
c=$PWD/artifacts/bin/Streaming/memory
cc -O2 -Wall -o "$c" bench/Streaming/memory.c -lusb-1.0
kernel=$(eng/fetch-kernel.sh bookworm artifacts/kernel)
out=$PWD/artifacts/bench/device-memory
mkdir -p "$out"
status=0
tests/kernel/machine.sh "$kernel" "$out" bash "$PWD/bench/Streaming/gadget.sh" "$c" "$aot" "${1:-64}" "${2:-5}" >"$out.txt" 2>&1 || status=$?
cat "$out/output.txt"
if ((status)); then cat "$out.txt" >&2; exit "$status"; fi
# the median of each program, and its ratio to C that copies
sed -n 's/^\([A-Za-z]* [a-z]*\) *\([0-9]*\) ns.*/\1|\2/p' "$out/output.txt" | sort -t'|' -k1,1 -k2,2n | awk -F'|' '
  { times[$1, ++count[$1]] = $2 }
  END {
    for (name in count) median[name] = times[name, int((count[name] + 1) / 2)]
    for (name in count) printf "%-16s %8d ns/KiB  %.2f times C that copies\n", name, median[name], median[name] / median["C copy"]
  }' | sort
