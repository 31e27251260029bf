#!/usr/bin/env bash
# Runs some of the tests with more rounds than eng/test.sh does. Each test runs twice: first on the managed runtime, and then in a program that is compiled
# ahead of time. To repeat a random run, set NATIVE_LIBUSB_TEST_SEED to the seed that the run printed.
# usage: eng/long-test.sh [PART]...          (default: all parts; the numbers of eng/test.sh are in parentheses)
#   closing-orders    interfaces, handles and contexts are closed in every order, 1,008 rounds (240)
#   ring-accounting   the losses of rings are compared with the injected faults, 250,000 transfers of each of four rings (2,500)
#   ring-steps        rings are compared with a model, 1,000,000 steps (100,000)
#   ring-stops        rings are stopped and started while signals delay their threads, 9,000 rounds (2,000)
set -uo pipefail
cd "$(dirname "$0")/.."
status=0

run() { # PERCENTAGE OF THE USUAL ROUNDS, PART OF A TEST'S NAME
  export NATIVE_LIBUSB_TEST_ROUNDS=$1
  dotnet test tests/Native.LibUsb.Tests -c Release --filter "FullyQualifiedName~$2" --logger "console;verbosity=normal" || status=1
  eng/aot-test.sh installed -- "$2" || status=1
}

parts=("$@")
if ((${#parts[@]} == 0)); then parts=(closing-orders ring-accounting ring-steps ring-stops); fi
for part in "${parts[@]}"; do
  case $part in
    closing-orders) run 420 ClosingOrderTests ;;
    ring-accounting) run 10000 RingAccountingTests ;;
    ring-steps) run 1000 HandlerRingPropertyTests ;;
    ring-stops) run 450 when_threads_are_delayed_at_arbitrary_places ;;
    *) sed -n 's/^# \(usage.*\)/\1/p' "$0" >&2; exit 2 ;;
  esac
done
exit $status
