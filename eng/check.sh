#!/usr/bin/env bash
# Checks a change. If everything has already been built on this machine, the script needs about a minute. It checks the format, builds with the
# analysers, checks the generated files, the prose and the layers, and runs the tests that need no device. eng/test.sh runs every test.
# usage: eng/check.sh
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

check() { # NAME COMMAND...
  local name=$1 began=$SECONDS
  shift
  if "$@" >"$log" 2>&1; then
    echo "check: $name: passed ($((SECONDS - began)) s)"
  else
    cat "$log"
    echo "check: $name: FAILED ($((SECONDS - began)) s)"
    failed=1
  fi
}

# These tests need no device. They check the source rules, the documents and the record layouts, and test some classes that work without a bus.
fast='FullyQualifiedName~Tests.SourceRules|FullyQualifiedName~Tests.Documentation|FullyQualifiedName~Tests.Layout|FullyQualifiedName~MissedIntervalsTests|FullyQualifiedName~RingSignalTests|FullyQualifiedName~TimevalTests'

check format dotnet format whitespace Native.LibUsb.sln --no-restore --verify-no-changes
check build dotnet build Native.LibUsb.sln -c Release -v quiet -p:CheckPublicApi=true
check "generated files" eng/generate.sh check
check prose eng/prose.sh
check "layers, documents and fast tests" dotnet test tests/Native.LibUsb.Tests -c Release --no-build --filter "$fast"
exit "$failed"
