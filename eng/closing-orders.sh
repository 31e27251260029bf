#!/usr/bin/env bash
# Closes interfaces, handle and context in every order, more than 1,000 rounds each, JIT and Native AOT: 42 rounds in each of the 24 ways in which events
# are handled and objects are closed. eng/test.sh runs 10 rounds in each way.
# usage: eng/closing-orders.sh
set -uo pipefail
cd "$(dirname "$0")/.."
export NATIVE_LIBUSB_TEST_ROUNDS=420 # percent of the usual 10
status=0
dotnet test tests/Native.LibUsb.Tests -c Release --filter "FullyQualifiedName~ClosingOrderTests" || status=1
eng/aot-test.sh installed -- ClosingOrderTests || status=1
exit $status
