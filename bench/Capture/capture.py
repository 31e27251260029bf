"""Does the same work as capture.c, with python-libusb1.

usage: capture.py python bulk|iso|sync SIZE PACKETS DEPTH DEVICES CONTEXTS      (CONTEXTS must be 1)
"""
import json
import sys
import time

import usb1

INTERFACE, ENDPOINT, ISO_SETTING = 0, 0x81, 1
VENDOR, BULK_PRODUCT, ISO_PRODUCT = 0x1209, 0x0014, 0x0010


class Capture:
    def __init__(self, arguments):
        self.kind = arguments[0]
        self.size, self.packets, self.depth, self.devices, contexts = map(int, arguments[1:])
        if self.kind not in ('bulk', 'iso', 'sync') or contexts != 1:
            raise ValueError
        self.completed = self.failed = self.bytes = self.sum = self.in_flight = 0
        self.stopping = False

    def on_bulk(self, transfer):
        data = transfer.getBuffer()[:transfer.getActualLength()]
        if transfer.getStatus() == usb1.TRANSFER_COMPLETED and len(data) > 0:
            self.bytes += len(data)
            self.sum += data[0]
        else:
            self.failed += 1
        self.again(transfer)

    def on_iso(self, transfer):
        length = first = 0
        for status, data in transfer.iterISO():
            if status == usb1.TRANSFER_COMPLETED and len(data) > 0:
                length += len(data)
                first += data[0]
            else:
                self.failed += 1
        self.bytes += length
        self.sum += first
        self.again(transfer)

    def again(self, transfer):
        self.completed += 1
        if self.stopping:
            self.in_flight -= 1
        else:
            transfer.submit()

    def read_until(self, handle, count):
        while self.completed < count:
            data = handle.bulkRead(ENDPOINT, self.size, 1000)
            if len(data) > 0:
                self.bytes += len(data)
                self.sum += data[0]
            else:
                self.failed += 1
            self.completed += 1

    def run(self):
        product = ISO_PRODUCT if self.kind == 'iso' else BULK_PRODUCT
        with usb1.USBContext() as context:
            found = [d for d in context.getDeviceList() if d.getVendorID() == VENDOR and d.getProductID() == product]
            if len(found) < self.devices:
                sys.exit(f'capture.py: found {len(found)} matching devices, but {self.devices} are needed')
            handles = [device.open() for device in found[:self.devices]]
            for handle in handles:
                handle.claimInterface(INTERFACE)
                if self.kind == 'iso':
                    handle.setInterfaceAltSetting(INTERFACE, ISO_SETTING)
            transfers = []
            if self.kind != 'sync':
                for i in range(len(handles) * self.depth):
                    transfer = handles[i % len(handles)].getTransfer(self.packets)
                    if self.kind == 'iso':
                        transfer.setIsochronous(ENDPOINT, self.size * self.packets, callback=self.on_iso)
                    else:
                        transfer.setBulk(ENDPOINT, self.size, callback=self.on_bulk)
                    transfer.submit()
                    transfers.append(transfer)
                    self.in_flight += 1
            for line in sys.stdin:
                start, used, target = time.monotonic_ns(), time.process_time_ns(), self.completed + int(line)
                if self.kind == 'sync':
                    self.read_until(handles[0], target)
                else:
                    while self.completed < target:
                        context.handleEvents()
                print(time.process_time_ns() - used, time.monotonic_ns() - start, flush=True)
            self.stopping = True
            while self.in_flight > 0:
                context.handleEvents()
            for transfer in transfers:
                transfer.close()
            for handle in handles:
                handle.releaseInterface(INTERFACE)
                handle.close()
        with open('/proc/self/status', encoding='ascii') as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith('VmHWM:'))
        print(json.dumps({
            'completed': self.completed, 'failed': self.failed, 'bytes': self.bytes, 'sum': self.sum, 'peakKib': peak,
        }))
        return 1 if self.failed else 0


def main():
    try:
        if sys.argv[1] != 'python':
            raise ValueError
        capture = Capture(sys.argv[2:])
    except (IndexError, ValueError):
        sys.exit(__doc__)
    sys.exit(capture.run())


main()
