#!/usr/bin/env bash
# Prepares the machine, builds, and runs every test. The last line of the output is "N passed, N failed, N skipped".
# usage: eng/test.sh [arguments for dotnet test, such as --filter FullyQualifiedName~UsbTransfer]
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

if ! eng/setup.sh || ! dotnet build Native.LibUsb.sln -c Release -v quiet -p:CheckPublicApi=true; then
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

status=0
results=artifacts/test-results
rm -rf "$results"

eng/generate.sh check || status=1

# Fetches the libusb versions of several Debian suites. Tests of the generator and of the raw layer read the header of each version. The Native AOT
# tests also run on the libraries of the newer suites. If a version cannot be fetched, the script prints a message and continues without this version.
for suite in bookworm trixie forky; do
  eng/fetch-libusb.sh "$suite" artifacts/libusb >/dev/null || echo "test: the libusb of $suite cannot be fetched" >&2
done

dotnet test Native.LibUsb.sln -c Release --no-build -m:1 --results-directory "$results" --logger trx \
  --logger "console;verbosity=normal" "$@" || status=1

# Adds up the counts of all result files. If there is no result file, the run has failed.
passed=0 failed=0 skipped=0
while IFS= read -r counters; do
  value() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
  passed=$((passed + $(value passed)))
  failed=$((failed + $(value failed) + $(value error) + $(value timeout) + $(value aborted)))
  skipped=$((skipped + $(value total) - $(value executed)))
done < <(grep -rhoE '<Counters [^>]*>' "$results" 2>/dev/null)

# Runs the Native AOT tests on several libusb versions and on a real kernel. If the script has arguments, it skips this part, because the arguments
# apply only to dotnet test.
if (($# == 0)); then
  for run in aot kernel; do
    "eng/$run-test.sh" | tee "$results/$run.txt"
    if [[ $(tail -n 1 "$results/$run.txt") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
      passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
    else
      status=1
    fi
  done
fi

# Repeats the failures at the end of the output, with their messages.
find "$results" -name '*.trx' -exec perl -0777 -ne '
  while (/<UnitTestResult ([^>]*)>(.*?)<\/UnitTestResult>/sg) {
    my ($result, $details) = ($1, $2);
    next unless $result =~ /outcome="(?:Failed|Error|Timeout|Aborted)"/;
    my ($name) = $result =~ /testName="([^"]*)"/;
    my ($message) = $details =~ /<Message>(.*?)<\/Message>/s;
    my ($trace) = $details =~ /<StackTrace>(.*?)<\/StackTrace>/s;
    print "FAILED $name\n", $message // "", "\n", $trace // "", "\n";
  }' {} +
for run in aot kernel; do
  if [ -e "$results/$run.txt" ]; then grep -aE '^FAILED ' -A 8 "$results/$run.txt"; fi
done

if ((passed + failed == 0)); then failed=1; fi
if ((status && !failed)); then failed=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $((failed ? 1 : 0))
