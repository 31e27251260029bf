// Reads an isochronous stream. A transfer consists of many packets, and each packet has its own status and length. The example needs a device that has
// an isochronous IN endpoint. The device "camera" of usbvbus has one.

using Native.LibUsb;

namespace Examples;

internal static class IsoStreaming
{
    private const byte IsoIn = 0x81;
    private const int AlternateSetting = 1, TransfersInFlight = 4, PacketsPerTransfer = 10;

    public static void Run(ushort vendor, ushort product, int count, TextWriter output)
    {
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);

        // The first alternate setting of a streaming interface has no endpoint and reserves no bandwidth, so another setting must be selected. A packet must
        // have room for all data that the device may send in one service interval. If the packets are too small, the data that does not fit is lost.
        claimed.SetAlternateSetting(AlternateSetting);
        UsbEndpoint endpoint = claimed.GetEndpoint(IsoIn);
        int packetLength = endpoint.Descriptor.BytesPerInterval;

        int submitted = 0, packets = 0, errors = 0;
        long bytes = 0;
        var transfers = new UsbTransfer[Math.Min(TransfersInFlight, count)];
        for (int i = 0; i < transfers.Length; i++) // with only one transfer in flight, packets would be missed between two submissions
        {
            transfers[i] = endpoint.CreateTransfer(isoPackets: PacketsPerTransfer);
            transfers[i].SetIsochronous(IsoIn, packetLength, OnEnded); // no timeout: a timeout would interrupt the stream
            transfers[i].Submit();
            submitted++;
        }

        output.WriteLine($"Started isochronous streaming: packets of {packetLength} bytes");
        while (Array.Exists(transfers, static transfer => transfer.IsSubmitted))
            context.HandleEvents(TimeSpan.FromSeconds(1));
        output.WriteLine($"Streaming complete: {packets} packets, {errors} errors, {bytes} bytes");

        void OnEnded(UsbTransfer transfer)
        {
            foreach (var (status, data) in transfer.IterIso()) // data is a view of the packet's data in the buffer, without a copy
            {
                bool completed = status == UsbTransferStatus.Completed;
                packets++;
                errors += completed ? 0 : 1; // only this packet has failed; isochronous data is never sent again
                bytes += data.Length;
                output.WriteLine(completed ? $"Packet {packets}: {data.Length} bytes" : $"Packet {packets}: {status}");
            }

            if (transfer.Status != UsbTransferStatus.Completed)
                output.WriteLine($"Transfer ended: {transfer.Status}"); // an error of the whole transfer, which its packets do not report
            else if (submitted < count)
            {
                transfer.Submit();
                submitted++;
            }
        }
    }
}
