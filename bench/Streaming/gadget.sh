#!/usr/bin/env bash
# This script runs in the virtual machine that tests/kernel/machine.sh boots. The script creates the kernel's gadget SourceSink on dummy_hcd,
# and runs the programs of bench/device-memory.sh in turn.
# usage: gadget.sh C-PROGRAM AOT-PROGRAM MEBIBYTES ROUNDS
set -euo pipefail
c=$1 aot=$2 mebibytes=$3 rounds=$4
vendor=1209 product=000a size=65536 transfers=16

gadget=/sys/kernel/config/usb_gadget/measured
mkdir -p "$gadget"/{strings/0x409,configs/c.1,functions/SourceSink.0}
echo "0x$vendor" >"$gadget/idVendor"
echo "0x$product" >"$gadget/idProduct"
echo 2 >"$gadget/functions/SourceSink.0/pattern" # the gadget neither fills nor checks its buffers
echo 65536 >"$gadget/functions/SourceSink.0/bulk_buflen"
ln -s "$gadget/functions/SourceSink.0" "$gadget/configs/c.1/"
echo dummy_udc.0 >"$gadget/UDC"
# The kernel configures the device by itself; its node in /dev/bus/usb has the numbers of its bus and address.
node=
until [ -c "$node" ]; do
  sleep 0.1
  for device in /sys/bus/usb/devices/*; do
    if grep -qsx "$product" "$device/idProduct" && grep -qsx 1 "$device/bConfigurationValue"; then
      node=$(printf '/dev/bus/usb/%03d/%03d' "$(<"$device/busnum")" "$(<"$device/devnum")")
    fi
  done
done

echo "processors $(nproc), kernel $(uname -r); $mebibytes MiB in transfers of $((size / 1024)) KiB, $transfers in flight"
for ((round = 1; round <= rounds; round++)); do
  for mode in copy ordinary device; do printf '%-22s' "C $mode"; "$c" "$mode" "$vendor" "$product" "$mebibytes" "$size" "$transfers"; done
  for mode in ordinary device; do printf '%-22s' "ring $mode"; "$aot" memory "$mode" "$mebibytes" "$size" "$transfers"; done
done
