#!/usr/bin/env bash
# Measures device memory in the machine of the kernel tests: a gadget of the kernel sends as fast as it can, and programs in C and C# read its
# data into ordinary memory and into memory of the kernel, which does not copy the data then. C also copies the data into memory of its own.
# usage: bench/device-memory.sh [MEBIBYTES [ROUNDS]]      (64 and 5; QEMU emulates the processor, so only the ratios mean anything)
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
