#!/usr/bin/env bash
# Measures streaming on a virtual bus. The part "allocations" measures how much memory a program allocates while it reads 10 million isochronous packets or 1
# million bulk transfers. This part measures each way of reading in two programs: one that is compiled just in time, and one that is compiled ahead of time. The
# part "line" measures the cost of reading at SuperSpeed line rate (8,000 packets of 49,152 bytes per second), and compares this cost with the cost of a program
# in C. The part "line" also reports how well the machine scheduled threads: the time that the hypervisor gave to other machines, and the delays of a thread
# that wakes every millisecond.
# usage: bench/streaming.sh [allocations|line]... [--quick]      (needs the tools that eng/setup.sh installs; --quick measures a tenth of the data)
# The virtual device runs in its own process, so that the printed numbers contain only the cost of the measured program.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

packets=10000000 bulk=1000000 seconds=60 parts=()
for argument; do
  case $argument in
    --quick) packets=1000000 bulk=100000 seconds=6 ;;
    allocations | line) parts+=("$argument") ;;
    *) echo "usage: bench/streaming.sh [allocations|line]... [--quick]" >&2; exit 2 ;;
  esac
done
((${#parts[@]})) || parts=(allocations line)

eng/setup.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { dotnet build src/usbvbus -c Release && dotnet build bench/Streaming -c Release -o artifacts/bin/Streaming/jit && dotnet publish bench/Streaming -c Release; } >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
usbvbus=artifacts/bin/usbvbus/release/usbvbus
jit="dotnet artifacts/bin/Streaming/jit/Streaming.dll" # has its own folder, because publishing writes another configuration file beside the build output
aot=$(echo artifacts/publish/Streaming/release_*/Streaming)
c=artifacts/bin/Streaming/line
cc -O2 -Wall -o "$c" bench/Streaming/line.c -lusb-1.0

allocations() {
  for build in managed "ahead of time"; do
    [ "$build" = managed ] && program=$jit || program=$aot
    echo "allocations, $build:"
    for consumer in handler delegate submit-async pipe read-async read-all stream; do
      "$usbvbus" run --device camera:speed=full,paced=false -- $program allocations "$consumer" iso "$packets"
      "$usbvbus" run --device source-sink:speed=high,numbered=false -- $program allocations "$consumer" bulk "$bulk"
    done
    # The consumer "endpoint-read" keeps four calls of UsbEndpoint.ReadAsync in flight, each with a cancellation token. UsbEndpoint cannot read isochronous
    # data, so this consumer reads only the bulk device.
    "$usbvbus" run --device source-sink:speed=high,numbered=false -- $program allocations endpoint-read bulk "$bulk"
  done
}

# The programs keep 64 transfers of 32 packets in flight. These transfers hold 256 ms of the stream and need 96 MiB of memory. The kernel's default limit
# (usbfs_memory_mb) is lower, so this function sets a higher limit for the virtual bus.
line() {
  echo "SuperSpeed isochronous line rate, $seconds s (393.216 MB/s):"
  for program in "$c" "$aot line" "$jit line"; do
    case $program in "$c") name=C ;; "$aot line") name="ahead of time" ;; *) name=managed ;; esac
    printf '%-14s ' "$name"
    # shellcheck disable=SC2086 # a program and its first argument
    "$aot" scheduling -- "$usbvbus" run --device camera:speed=super --usbfs-memory 256 -- $program "$seconds" 64 32 || status=1
  done
}

status=0
for part in "${parts[@]}"; do "$part"; done
exit "$status"
