#!/usr/bin/env bash
# Reconciles rings with the faults that are injected into their endpoints: 1,000,000 transfers, 250,000 of each of the four rings (bulk and isochronous, reading
# and writing), JIT and Native AOT. eng/test.sh runs 10,000. NATIVE_LIBUSB_TEST_SEED repeats a run with the seed that it printed.
# usage: eng/ring-accounting.sh
set -uo pipefail
cd "$(dirname "$0")/.."
export NATIVE_LIBUSB_TEST_ROUNDS=10000 # percent of the usual 2,500 transfers of each ring
status=0
dotnet test tests/Native.LibUsb.Tests -c Release --filter "FullyQualifiedName~RingAccountingTests" --logger "console;verbosity=normal" || status=1
eng/aot-test.sh installed -- RingAccountingTests || status=1
exit $status
