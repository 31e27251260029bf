#!/usr/bin/env bash
# Writes the generated C# from libusb.h (see generator/README.md).
# usage: eng/generate.sh                      write the files
#        eng/generate.sh check                show how the files in the repository differ from the output; the exit code is 1 if they differ
#        eng/generate.sh check --all-headers  check with the libusb.h of several Debian suites, which the script fetches first
#        eng/generate.sh table                print the README's table, which counts the declarations of libusb.h that are bound
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
run() { dotnet run --project "$root/generator" -c Release -v q -- "$@" --root "$root"; }

if [ "${1:-}" != check ] || [ "${2:-}" != --all-headers ]; then
  run "${@:-generate}"
  exit
fi

shift 2
failed=0 checked=0
for suite in bookworm trixie forky; do
  if ! fetched=$("$root/eng/fetch-libusb.sh" "$suite" "$root/artifacts/libusb"); then
    echo "$suite: NOT CHECKED, its libusb cannot be fetched" >&2
    continue
  fi
  include=$fetched/usr/include
  version=$(sed -n 's/^#define LIBUSB_API_VERSION *//p' "$include/libusb-1.0/libusb.h")
  if ((version > 0x0100010C)); then
    echo "$suite: NOT CHECKED, its libusb.h ($version) is newer than the 1.0.30 that is bound" >&2
    continue
  fi
  echo "$suite, LIBUSB_API_VERSION $version:"
  checked=$((checked + 1))
  run check --libusb-include "$include" "$@" || failed=1
done
if ((checked == 0)); then echo "no header could be checked" >&2; exit 1; fi
exit $failed
