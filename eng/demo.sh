#!/usr/bin/env bash
# Builds everything, publishes usbcap as one Native AOT executable that contains libusb, and captures 5 seconds of an isochronous stream from a
# virtual device. The stream has the maximum rate of a high-speed device: 8,000 packets per second, with 3,072 bytes in each packet. The data
# passes through the real libusb. The script checks every number that it prints. The script ends with exit code 0 only if every byte is right, no packet
# was lost and the capture allocated no managed memory.
# usage: eng/demo.sh            (needs the .NET SDK; eng/setup.sh installs everything else)
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

packet_size=3072
packets=40000                     # 5 seconds of 125-microsecond intervals
least_rate=24.576                 # MB/s
largest_executable=4000000

fail() { echo "demo: $*" >&2; exit 1; }

eng/setup.sh
log=$(mktemp)
folder=$(mkdir -p artifacts/demo && cd artifacts/demo && pwd)
capture=$folder/capture.bin summary=$folder/summary.json
trap 'rm -f "$log" "$capture" "$capture.part"' EXIT

echo "demo: building and publishing"
if ! { dotnet publish src/usbcap/usbcap.csproj -c Release && dotnet build src/usbvbus/usbvbus.csproj -c Release; } >"$log" 2>&1; then
  cat "$log" >&2
  fail "the build failed"
fi
if grep ": warning " "$log" >&2; then fail "publishing printed warnings"; fi

usbcap=$(echo artifacts/publish/usbcap/release_*/usbcap)
usbvbus=artifacts/bin/usbvbus/release/usbvbus
[ -x "$usbcap" ] || fail "there is no $usbcap"

executable_size=$(stat -c %s "$usbcap")
((executable_size < largest_executable)) || fail "the executable has $executable_size bytes, not under $largest_executable"
libraries=$(ldd "$usbcap")
if grep -q libusb <<<"$libraries"; then fail "the executable loads libusb from a file"; fi

# 96 transfers of 32 packets form a queue of 384 ms. The device sends in real time and does not wait for the host. With this long queue, the capture
# loses no data even if this machine is still busy with the build.
echo "demo: capturing $((packets / 8000)) seconds"
"$usbvbus" run --device camera:speed=high,serial=DEMO -- \
  "$usbcap" capture --serial DEMO --packets "$packets" --in-flight 96 --output "$capture" --force --quiet --json --strict >"$summary" \
  || fail "usbcap ended with exit code $?"
check=$("$usbvbus" check "$capture" --packet-size "$packet_size" --first 0 --json) || fail "the file is not what the device sent: $check"

# The JSON of both programs contains each name only once, so a text search finds the value.
from_json() { sed -nE "s/.*\"$2\": ?\"?([^\",}]*)\"?.*/\1/p" <<<"$1" | head -n 1; }
of_capture() { from_json "$(<"$summary")" "$1"; }
of_check() { from_json "$(tr , '\n' <<<"$check")" "$1"; }
at_least() { awk -v value="$1" -v least="$2" 'BEGIN { exit !(value >= least) }'; }

received=$(of_capture packets) bytes=$(of_capture bytes) rate=$(of_capture megabytesPerSecond) host_rate=$(of_capture hostMegabytesPerSecond)
device_seconds=$(of_capture deviceSeconds)
lost=$(of_capture lost) allocated=$(of_capture allocatedBytes) collections=$(of_capture collections) resident=$(of_capture peakResidentBytes)
checked=$(of_check bytes) missing=$(of_check lost) mismatched=$(of_check mismatchedBytes)

[ "$received" = "$packets" ] || fail "$received packets arrived, not $packets"
[ "$bytes" = $((packets * packet_size)) ] || fail "$bytes bytes arrived, not $((packets * packet_size))"
[ "$checked" = "$bytes" ] || fail "$checked bytes were checked, not $bytes"
[ "$lost" = 0 ] && [ "$missing" = 0 ] || fail "lost $lost packets by the program's count and $missing by their numbers"
[ "$mismatched" = 0 ] || fail "$mismatched bytes differ from those that the device sent"
[ "$allocated" = 0 ] || fail "$allocated managed bytes were allocated while streaming"
[ "$collections" = 0 ] || fail "$collections collections while streaming"
at_least "$rate" "$least_rate" || fail "$rate MB/s, not $least_rate"
# $rate is measured with the device's clock. $host_rate is measured with the host's clock, from the first completion to the last one. Each completion
# is slightly late, so the two rates may differ by up to 2 %. A larger difference means that the device did not send in real time: by the host's
# clock, the stream was shorter or longer than 5 seconds.
times() { awk -v value="$1" -v factor="$2" 'BEGIN { print value * factor }'; }
at_least "$host_rate" "$(times "$least_rate" 0.98)" || fail "by the host's clock only $host_rate MB/s"
at_least "$(times "$rate" 1.02)" "$host_rate" || fail "by the host's clock $host_rate MB/s: the stream did not take its time"

cat <<END
device                   $(of_capture vendor):$(of_capture product) at $(of_capture port), $(of_capture speed) speed
endpoint                 $(of_capture endpoint) $(of_capture type), interface $(of_capture interface), alternate setting $(of_capture alternateSetting)
packets                  $received of $packet_size bytes
bytes                    $bytes
MB/s                     $(printf %.3f "$rate") over $(printf %.3f "$device_seconds") s ($(printf %.3f "$host_rate") by the host's clock)
lost                     $lost
mismatched bytes         $mismatched
managed bytes allocated  $allocated
collections              $collections
executable               $executable_size bytes, no libusb beside it
resident memory          $resident bytes
END
