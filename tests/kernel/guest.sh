#!/usr/bin/env bash
# When the virtual machine starts, init mounts the host's files and then runs this script. This script starts udevd, because without udevd, programs are not
# notified when devices arrive and leave. Then this script runs the command, and writes the command's output, its exit status and the kernel's log to /out.
set -uo pipefail
source /out/environment.sh
# udevd forwards the events of the kernel. The udev rules are for desktops, so the script hides them.
for rules in /etc/udev/rules.d /usr/lib/udev/rules.d; do if [ -d "$rules" ]; then mount -t tmpfs tmpfs "$rules"; fi; done
(exec -a systemd-udevd "$MACHINE_UDEVD" --daemon)
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do ln -s "/dev/${port##*/}" "/dev/virtio-ports/$(<"$port/name")"; done
# Each libusb context scans all buses, so the script keeps only one of the eight controllers of vhci_hcd. The kernel's enumeration of a device has delays that
# are necessary only if a person plugs the device in. Each test attaches a device, so the script shortens the enumeration on the ports of this controller. The
# value 3 sets two quirks of a port: the old enumeration scheme (1) and fast enumeration (2).
for controller in /sys/bus/platform/drivers/vhci_hcd/vhci_hcd.[1-9]; do echo "${controller##*/}" >"${controller%/*}/unbind"; done
for port in /sys/devices/platform/vhci_hcd.0/usb*/*/usb*-port*; do echo 3 >"$port/quirks"; done
bash /out/command.sh >/out/output.txt 2>&1
status=$?
dmesg >/out/kernel.txt
echo "$status" >/out/status
