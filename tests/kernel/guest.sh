#!/usr/bin/env bash
# Runs as the second stage in the machine, on the host's files: starts udevd, without which no program sees devices arrive and leave, runs
# the command, and writes the output and exit status of the command and the kernel's log to /out.
set -uo pipefail
source /out/environment.sh
# udevd forwards the events of the kernel without the rules, which are for desktops
for rules in /etc/udev/rules.d /usr/lib/udev/rules.d; do if [ -d "$rules" ]; then mount -t tmpfs tmpfs "$rules"; fi; done
(exec -a systemd-udevd "$MACHINE_UDEVD" --daemon)
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do ln -s "/dev/${port##*/}" "/dev/virtio-ports/$(<"$port/name")"; done
# One of eight controllers of vhci_hcd is enough, and each libusb context scans all buses. Each test attaches a device, so the ports of this
# controller enumerate without the delays for hand-plugged devices (quirks 1 and 2 of a port: the old enumeration scheme, and fast).
for controller in /sys/bus/platform/drivers/vhci_hcd/vhci_hcd.[1-9]; do echo "${controller##*/}" >"${controller%/*}/unbind"; done
for port in /sys/devices/platform/vhci_hcd.0/usb*/*/usb*-port*; do echo 3 >"$port/quirks"; done
bash /out/command.sh >/out/output.txt 2>&1
status=$?
dmesg >/out/kernel.txt
echo "$status" >/out/status
