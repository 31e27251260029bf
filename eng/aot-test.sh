#!/usr/bin/env bash
# Publishes the Native AOT test executable, and runs it on the installed libusb, on the libusb of newer Debian suites, and under valgrind.
# The last line of the output is "N passed, N failed, N skipped", with the sums of all runs.
# usage: eng/aot-test.sh [installed | valgrind | SUITE]... [-- PART-OF-A-NAME | -PART-OF-A-NAME ...]
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
root=$PWD results=$PWD/artifacts/test-results/aot

runs=()
while (($#)) && [ "$1" != -- ]; do runs+=("$1"); shift; done
if (($#)); then shift; fi
if ((${#runs[@]} == 0)); then runs=(installed trixie forky valgrind); fi

eng/setup.sh || exit 1
dotnet publish tests/Native.LibUsb.AotTests -c Release -v quiet || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
program=$(echo artifacts/publish/Native.LibUsb.AotTests/release_*/Native.LibUsb.AotTests)
program=$root/$program
folder=${program%/*}
preload=$folder/libnative-libusb-usbfs.so:$folder/libnative-libusb-counting.so
rm -rf "$results" && mkdir -p "$results"

passed=0 failed=0 skipped=0
add() { # NAME, and the exit code of its run
  local line
  line=$(tail -n 1 "$results/$1.txt")
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
    if (($2 && !BASH_REMATCH[2])); then failed=$((failed + 1)); line+=", exit status $2"; fi
  else
    failed=$((failed + 1)); line="ended early, exit status $2"
    tail -n 50 "$results/$1.txt"
  fi
  grep -aE '^(FAILED|skipped) ' -A 8 "$results/$1.txt" | grep -av '^passed '
  echo "aot-test: $1 ($(sed -n '1h;2{H;x;s/\n/; /p}' "$results/$1.txt")): $line"
}

for run in "${runs[@]}"; do
  case $run in
    installed)
      LD_PRELOAD=$preload "$program" "$@" >"$results/$run.txt" 2>&1
      add "$run" $?
      ;;
    valgrind)
      # valgrind cannot read the debug information of newer compilers, so objcopy removes it. DOTNET_GCHeapHardLimit prevents the garbage collector
      # from reserving more memory than valgrind can provide. The library that counts allocations is not preloaded, because valgrind installs its own
      # allocator. valgrind runs only one thread at a time. --fair-sched=yes ensures that every thread gets its turn. Because valgrind is slow,
      # NATIVE_LIBUSB_TEST_ROUNDS reduces the rounds of each test to a tenth of the usual number.
      mkdir -p "$results/program"
      for file in "$program" "$folder/libnative-libusb-usbfs.so"; do objcopy --remove-section=.gnu_debuglink --strip-debug "$file" "$results/program/${file##*/}"; done
      LD_PRELOAD=$results/program/libnative-libusb-usbfs.so DOTNET_GCHeapHardLimit=10000000 NATIVE_LIBUSB_TEST_ROUNDS=10 \
        valgrind --fair-sched=yes --error-exitcode=99 --log-file="$results/valgrind.log" "$results/program/${program##*/}" "$@" >"$results/$run.txt" 2>&1
      status=$?
      if ((status == 99)); then cat "$results/valgrind.log"; fi
      add "$run" "$status"
      ;;
    *)
      if ! suite=$(eng/fetch-libusb.sh "$run" artifacts/libusb); then
        echo "aot-test: skipped on the libusb of $run: its packages cannot be fetched"
        skipped=$((skipped + 1))
        continue
      fi
      libraries=$(echo "$suite"/usr/lib/*-linux-gnu*)
      LD_PRELOAD=$preload "$libraries"/ld-linux-*.so.* --library-path "$libraries:/lib/${libraries##*/}" "$program" "$@" >"$results/$run.txt" 2>&1
      add "$run" $?
      ;;
  esac
done

if ((passed + failed == 0)); then failed=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $((failed ? 1 : 0))
