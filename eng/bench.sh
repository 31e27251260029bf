#!/usr/bin/env bash
# Compares this library with C and Python, and writes bench/RESULTS.md, bench/results.json, the plots and the table of the README.
# usage: eng/bench.sh [--short] [--gate] [--part captures|instructions|start|growth|micro]...
#   --short   measure with fewer programs and rounds; writes to artifacts/bench/results/, and does not change the files in the repository
#   --gate    fail when a ratio exceeds its limit (bench/Report/Limits.cs)
#   --part    measure only this part; also writes to artifacts/bench/results/
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

form=long parts=() arguments=()
while (($#)); do
  case $1 in
    --short) form=short arguments+=(--short) ;;
    --gate) arguments+=(--gate) ;;
    --part)
      case ${2-} in
        captures | instructions | start | growth | micro) parts+=("$2") arguments+=(--part "$2") ;;
        *) echo "bench: --part is captures, instructions, start, growth or micro" >&2; exit 2 ;;
      esac
      shift ;;
    *) sed -n '3,6s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift
done
wanted() { ((${#parts[@]} == 0)) || [[ " ${parts[*]} " == *" $1 "* ]]; }

eng/setup.sh
out=artifacts/bench
mkdir -p "$out"

# The build prints its output only when it fails.
log=$out/build.log
: >"$log"
quietly() { "$@" >>"$log" 2>&1 || { tail -n 40 "$log" >&2; echo "bench: $* failed" >&2; exit 1; }; }
build() { quietly dotnet "$@" -c Release -v quiet -nodereuse:false; }

echo "bench: building"
build build src/usbvbus -o "$out/usbvbus"
build build bench/Report -o "$out/report"
if wanted captures || wanted instructions || wanted growth; then
  quietly cc -O2 -Wall -Wextra -o "$out/capture" bench/Capture/capture.c -lusb-1.0 -lpthread
  build build bench/Capture -o "$out/jit"
  build publish bench/Capture -o "$out/aot"
  if [[ $form = long ]]; then
    quietly cc -O2 -Wall -Wextra -o "$out/capture-static" bench/Capture/capture.c -l:libusb-1.0.a -ludev -lpthread
    build publish bench/Capture -p:LibUsbLink=static -o "$out/aot-static"
  fi
  # valgrind cannot read debug symbols from a separate file
  quietly objcopy --remove-section=.gnu_debuglink "$out/aot/capture"
fi
if wanted start; then
  quietly cc -O2 -Wall -Wextra -o "$out/list" bench/Start/list.c -lusb-1.0
  quietly cc -O2 -Wall -Wextra -o "$out/list-static" bench/Start/list.c -l:libusb-1.0.a -ludev
  quietly cc -O2 -Wall -Wextra -o "$out/empty" bench/Start/empty.c
  quietly cc -O2 -Wall -Wextra -static -o "$out/measure" bench/Start/measure.c
  for variant in aot aot-static jit empty; do
    build publish bench/Start -p:StartVariant=$variant -o "$out/list-$variant"
  done
fi

export BENCH_AOT_RUNTIME
BENCH_AOT_RUNTIME="Native AOT $(basename "$(ls -d "${NUGET_PACKAGES:-$HOME/.nuget/packages}"/runtime.*.microsoft.dotnet.ilcompiler/10.0.* | tail -n 1)")"
rm -rf "$out/micro"
if wanted micro; then
  echo "bench: micro benchmarks"
  build build bench/Native.LibUsb.Benchmarks
  micro=artifacts/bin/Native.LibUsb.Benchmarks/release/Native.LibUsb.Benchmarks
  # for a run ahead of time, BenchmarkDotNet compiles itself too, which takes too long for the short form
  if [[ $form = short ]]; then quietly "$micro" --short --jit --results "$out/micro"; else quietly "$micro" --short --results "$out/micro"; fi
fi
echo "bench: measuring"
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
if [[ $form = long ]] && ((${#parts[@]} == 0)); then
  arguments+=(--output bench --readme README.md)
else
  arguments+=(--output "$out/results")
fi
dotnet "$out/report/bench-report.dll" "${arguments[@]}" --commit "$commit"
