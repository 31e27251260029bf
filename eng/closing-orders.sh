#!/usr/bin/env bash
# Closes interfaces, handle and context in every order, 1,000 rounds each, in all forms: JIT and Native AOT. eng/test.sh runs a hundredth of it.
# usage: eng/closing-orders.sh
set -uo pipefail
cd "$(dirname "$0")/.."
export NATIVE_LIBUSB_TEST_ROUNDS=10000 # percent of the usual 10
status=0
dotnet test tests/Native.LibUsb.Tests -c Release --filter "FullyQualifiedName~ClosingOrderTests" || status=1
eng/aot-test.sh installed -- ClosingOrderTests || status=1
exit $status
