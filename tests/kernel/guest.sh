#!/usr/bin/env bash
# The second stage in the machine, with the host's files around it: starts udevd, without which no program hears of devices that come and
# go, runs the command, and leaves its output, its exit status and the kernel's log in /out.
set -uo pipefail
source /out/environment.sh
# rules are for desktops; here udevd passes on what the kernel tells
for rules in /etc/udev/rules.d /usr/lib/udev/rules.d; do if [ -d "$rules" ]; then mount -t tmpfs tmpfs "$rules"; fi; done
(exec -a systemd-udevd "$MACHINE_UDEVD" --daemon)
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do ln -s "/dev/${port##*/}" "/dev/virtio-ports/$(<"$port/name")"; done
# One of eight controllers of vhci_hcd is enough, and each libusb context looks at all buses. The ports of this one need not wait as long as
# those that people plug devices into (quirks 1 and 2 of a port: the old scheme of enumeration, and fast): there is one attachment a test.
for controller in /sys/bus/platform/drivers/vhci_hcd/vhci_hcd.[1-9]; do echo "${controller##*/}" >"${controller%/*}/unbind"; done
for port in /sys/devices/platform/vhci_hcd.0/usb*/*/usb*-port*; do echo 3 >"$port/quirks"; done
bash /out/command.sh >/out/output.txt 2>&1
status=$?
dmesg >/out/kernel.txt
echo "$status" >/out/status
