#!/usr/bin/env bash
# Runs the Native AOT tests on a real Linux kernel, in QEMU machines. Each machine has Debian's kernel, an xHCI controller, USB devices of QEMU, and a
# virtual bus that is attached to the kernel's vhci_hcd. A machine counts as failed if it hangs, if its output is incomplete, or if its kernel logs a
# warning. The last line of the output, "N passed, N failed, N skipped", adds up the results of all machines.
# usage: eng/kernel-test.sh [PART-OF-A-NAME | -PART-OF-A-NAME]...
# NATIVE_LIBUSB_KERNEL_SUITE: the Debian suite of the kernel (default: bookworm).
# NATIVE_LIBUSB_KERNEL_MACHINES: the number of machines that run at the same time. Each machine runs a part of the tests. The default is one machine if the
# arguments select tests. Otherwise, the default is the number of processors plus one, because a machine is idle for much of the time.
# NATIVE_LIBUSB_TEST_ROUNDS: the percentage of the usual repetitions (default: 100, or 5 under emulation).
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
results=$PWD/artifacts/test-results/kernel
machines=${NATIVE_LIBUSB_KERNEL_MACHINES:-$(($# ? 1 : $(nproc) + 1))}

stop() { echo "kernel-test: $1" >&2; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
eng/setup.sh || stop "this machine lacks what the tests need"
[ "$(uname -m)" = x86_64 ] || stop "the machines are of the kind x86_64, and so must this one be"
dotnet publish tests/Native.LibUsb.AotTests -c Release -v quiet || stop "the tests cannot be built"
dotnet publish src/usbcap -c Release -v quiet || stop "usbcap cannot be built"
# The fully static program contains the libusb of the runtime packages. If this libusb cannot be built, the tests of the program are skipped.
static=
if libusb=$(eng/build-libusb.sh "${LIBUSB_VERSION:-1.0.28}" linux-x64); then
  dotnet publish tests/StaticProgram -c Release -v quiet "-p:LibUsbLinkFile=$libusb/without-udev/libusb-1.0.a" || stop "the fully static program cannot be built"
  static=$(echo "$PWD"/artifacts/publish/StaticProgram/release_*/StaticProgram)
fi
kernel=$(eng/fetch-kernel.sh "${NATIVE_LIBUSB_KERNEL_SUITE:-bookworm}" artifacts/kernel) || stop "the kernel cannot be fetched"
# udevd is missing on many machines, because a container does not need it. The script fetches it then.
if ! MACHINE_UDEVD=$(command -v udevadm); then
  udev=$(eng/fetch-packages.sh "$(. /etc/os-release && echo "$VERSION_CODENAME")" artifacts/udev udev) || stop "udev cannot be fetched"
  MACHINE_UDEVD=$(find "$udev" -path '*/bin/udevadm')
fi
export MACHINE_UDEVD
program=$(echo "$PWD"/artifacts/publish/Native.LibUsb.AotTests/release_*/Native.LibUsb.AotTests)
usbcap=$(echo "$PWD"/artifacts/publish/usbcap/release_*/usbcap)
rm -rf "$results" && mkdir -p "$results"

# Uses the processor's virtualisation (KVM) if it works. KVM can fail even if /dev/kvm is writable, so the script first boots a machine with KVM.
export MACHINE_ACCELERATOR=tcg MACHINE_SECONDS=${MACHINE_SECONDS:-900}
if [ -w /dev/kvm ]; then
  working=artifacts/kernel/kvm-$(</proc/sys/kernel/random/boot_id)
  if [ ! -e "$working" ]; then
    MACHINE_ACCELERATOR=kvm MACHINE_SECONDS=15 tests/kernel/machine.sh "$kernel" "$results/kvm" true >/dev/null 2>&1
    echo $? >"$working"
  fi
  if [ "$(<"$working")" = 0 ]; then MACHINE_ACCELERATOR=kvm; fi
fi
echo "kernel-test: $machines machines with $(basename "$kernel"/boot/vmlinuz-*), accelerator $MACHINE_ACCELERATOR"

# Prints the content of a machine's disk: 16 MiB of 32-bit words. The value of each word is the word's index times 2654435761, modulo 2^32. The tests
# overwrite each word of the second half with its complement. A machine has two disks, one for StorageTests and one for StorageDriverTests.
disk() { # 1 for the content after the tests have written
  perl -e 'print pack("V*", map { (($_ * 2654435761) & 0xffffffff) ^ ($ARGV[0] && $_ >= 0x200000 ? 0xffffffff : 0) } 0 .. 0x3fffff)' "$1"
}

# Prints the audio data that the audio driver's test plays: 2 seconds of 32-bit frames. The value of each frame is the frame's index times 2654435761, modulo
# 2^32.
sound() { perl -e 'print pack("V*", map { ($_ * 2654435761) & 0xffffffff } 0 .. 95999)'; }

# Under emulation, everything takes 10 to 20 times as long, so tests that repeat their work repeat it less often.
rounds=${NATIVE_LIBUSB_TEST_ROUNDS:-}
if [ -z "$rounds" ]; then rounds=100; if [ "$MACHINE_ACCELERATOR" = tcg ]; then rounds=5; fi; fi
pids=()
for ((number = 1; number <= machines; number++)); do
  folder=$results/$number
  mkdir -p "$folder"
  for name in disk driver-disk; do disk 0 >"$folder/$name.img"; done
  tests/kernel/machine.sh "$kernel" "$folder" env "LD_PRELOAD=${program%/*}/libnative-libusb-counting.so" \
    "NATIVE_LIBUSB_TEST_ROUNDS=$rounds" "NATIVE_LIBUSB_TEST_USBCAP=$usbcap" "NATIVE_LIBUSB_TEST_STATIC_PROGRAM=$static" \
    "$program" "--share=$number/$machines" "$@" >"$folder/qemu.txt" 2>&1 &
  pids+=($!)
done

passed=0 failed=0 skipped=0
for ((number = 1; number <= machines; number++)); do
  folder=$results/$number
  wait "${pids[number - 1]}"
  status=$?
  line=$(tail -n 1 "$folder/output.txt" 2>/dev/null)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
    if ((status && !BASH_REMATCH[2])); then failed=$((failed + 1)); line+=", exit status $status"; fi
  else
    failed=$((failed + 1))
    line="ended early, exit status $status"
    if ((status == 124)); then line="hung"; fi
    tail -n 30 "$folder/output.txt" "$folder/console.txt" "$folder/qemu.txt" 2>/dev/null
  fi
  if grep -hE 'WARNING:|BUG:|Oops:|Call Trace:|INFO: task|soft lockup|detected stall|general protection|Kernel panic' "$folder/kernel.txt" "$folder/console.txt" 2>/dev/null; then
    failed=$((failed + 1))
    line+="; the kernel warned"
  fi
  touch "$folder/output.txt"
  for check in disk:StorageTests.Written_data_is_on_the_disk driver-disk:StorageDriverTests.Written_blocks_are_on_the_disk; do
    name=${check%%:*} written=0
    if grep -q "^passed  ${check#*:}" "$folder/output.txt"; then written=1; fi
    if ! disk "$written" | cmp - "$folder/$name.img"; then
      failed=$((failed + 1))
      line+="; the image of $name is not what was written"
    fi
  done
  if grep -q '^passed  AudioDriverTests.Played_sound_is_in_the_file' "$folder/output.txt" && ! sound | cmp - <(tail -c +45 "$folder/sound.wav" | head -c 384000); then
    failed=$((failed + 1))
    line+="; sound.wav is not what was played"
  fi
  grep -aE '^(FAILED|skipped) ' -A 8 "$folder/output.txt" | grep -av '^passed '
  rm -f "$folder"/*.img "$folder/sound.wav" "$folder/initramfs.gz"
  echo "kernel-test: machine $number ($(sed -n 1p "$folder/output.txt")): $line"
done

if ((passed + failed == 0)); then failed=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
exit $((failed ? 1 : 0))
