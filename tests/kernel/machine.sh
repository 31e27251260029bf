#!/usr/bin/env bash
# This script boots a Linux kernel in a virtual machine and runs one command in it. The command runs as root, in the folder that is current when this script is
# called.
# The root of the machine contains the host's files. The machine keeps its changes to these files in memory, and never writes the changes to the host. The
# machine has its own /tmp, /run and /dev. The current folder exists in the machine even if it is inside the /tmp, /run or /dev of the host. The machine has an
# xHCI controller, a UHCI controller, vhci_hcd and dummy_hcd.
# usage: tests/kernel/machine.sh KERNEL_DIR OUT_DIR COMMAND [ARGUMENT...] (eng/fetch-kernel.sh prints KERNEL_DIR)
# MACHINE_UDEVD is the path of a udevadm that runs with the host's libraries. The machine starts this executable under the name systemd-udevd, so that the
# executable runs as the udev daemon.
# OUT_DIR is /out in the machine. The machine writes these files to OUT_DIR: output.txt has the output of the command, status has the command's exit status,
# kernel.txt has the kernel's log, and console.txt has the text of the console.
# This script exits with the exit status of the command. The script exits with 124 if the machine did not end in time, and with 98 if the machine ended without
# an exit status.
# The QMP monitor of QEMU is /dev/virtio-ports/monitor in the machine. Each file OUT_DIR/NAME.img is QEMU's drive NAME. The audio device "sound" writes
# OUT_DIR/sound.wav. QEMU does not mix this sound, so the file has the format of the USB device that plays the sound. The audio device "silence" writes nothing.
# Further variables, with their defaults: MACHINE_SECONDS (600), MACHINE_MEMORY (1536, in MiB), MACHINE_PROCESSORS (2), MACHINE_ACCELERATOR (tcg).
# MACHINE_OPTIONS has additional options for the kernel.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -lt 3 ]; then echo "usage: tests/kernel/machine.sh KERNEL_DIR OUT_DIR COMMAND [ARGUMENT...]" >&2; exit 2; fi
kernel=$(cd "$1" && pwd) out=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
version=$(basename "$kernel"/boot/vmlinuz-*)
version=${version#vmlinuz-}

# The order of the modules matters. vhci_hcd is loaded before the other controllers. Its buses then have the same numbers as on the virtual bus: 1 for high
# speed and 2 for SuperSpeed.
modules=(virtio_pci virtio_console 9p 9pnet_virtio overlay vhci-hcd xhci-pci uhci-hcd dummy_hcd libcomposite usb_f_ss_lb usbmon usblp usb-storage hid-generic usbhid)

# The initramfs contains busybox, the modules, and the first process.
image=$out/image
rm -rf "$image" "$out"/{status,output.txt,kernel.txt,console.txt,monitor,sound.wav}
mkdir -p "$image"/{bin,proc,sys,dev,lower,upper,root,modules}
cp "$(command -v busybox)" "$image/bin/busybox"
cp "$here/init" "$image/init"
printf '%s\n' "$PWD" >"$image/folder"
chmod +x "$image/init"
for module in "${modules[@]}"; do
  modprobe -d "$kernel" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | awk '!seen[$0]++' | while read -r file; do
  cp "$file" "$image/modules/"
  basename "$file" >>"$image/modules/order"
done
(cd "$image" && find . | cpio --quiet -o -H newc | gzip -1) >"$out/initramfs.gz"
rm -rf "$image"

cp "$here/guest.sh" "$out/guest.sh"
printf 'export PATH=%q HOME=%q MACHINE_UDEVD=%q\n' "$PATH" "$HOME" "${MACHINE_UDEVD:-$(command -v udevadm)}" >"$out/environment.sh"
{ printf 'cd %q\nexec' "$PWD"; printf ' %q' "$@"; echo; } >"$out/command.sh"

drives=()
quoted=${out//,/,,} # QEMU's options escape a comma by doubling it
for disk in "$out"/*.img; do
  if [ ! -e "$disk" ]; then continue; fi
  name=${disk##*/}
  drives+=(-blockdev "driver=raw,node-name=${name%.img},file.driver=file,file.filename=$quoted/$name")
done
cpu=max
if [ "${MACHINE_ACCELERATOR:=tcg}" = kvm ]; then cpu=host; fi
# The monitor is a socket of QEMU, and the port in the machine connects to this socket. The machine ends after a kernel oops. The machine also ends if a task
# waits in the kernel for two minutes and cannot be killed. The text of the console then contains the stack of the task. Hubs do not suspend
# (usbcore.autosuspend=-1). A test may plug in a hub, and immediately plug a device into this hub. If hubs suspended, a busy host would sometimes not detect
# this device.
cd "$out"
timeout "${MACHINE_SECONDS:-600}" qemu-system-x86_64 -accel "$MACHINE_ACCELERATOR" -cpu "$cpu" -smp "${MACHINE_PROCESSORS:-2}" -m "${MACHINE_MEMORY:-1536}" \
  -display none -nodefaults -no-reboot -serial "file:console.txt" \
  -kernel "$kernel/boot/vmlinuz-$version" -initrd initramfs.gz \
  -append "console=ttyS0 loglevel=5 panic=-1 oops=panic nowatchdog sysctl.kernel.hung_task_panic=1 sysctl.kernel.hung_task_timeout_secs=120 usbcore.autosuspend=-1 rcupdate.rcu_cpu_stall_timeout=120 ${MACHINE_OPTIONS:-}" \
  -fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap" -device virtio-9p-pci,fsdev=host,mount_tag=host \
  -fsdev "local,id=out,path=$quoted,security_model=none,multidevs=remap" -device virtio-9p-pci,fsdev=out,mount_tag=out \
  -chardev socket,id=monitor,path=monitor,server=on,wait=off -mon chardev=monitor,mode=control \
  -device virtio-serial-pci -chardev socket,id=port,path=monitor -device virtserialport,chardev=port,name=monitor \
  -device qemu-xhci,id=xhci -device piix3-usb-uhci,id=uhci "${drives[@]}" \
  -audiodev none,id=silence -audiodev "wav,id=sound,path=sound.wav,out.mixing-engine=off" >&2 || { status=$?; if ((status == 124)); then exit 124; fi; }
exit "$(cat status 2>/dev/null || echo 98)"
