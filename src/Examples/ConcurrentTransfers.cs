// Keeps several transfers in flight, so that the bus never waits for the program. Each transfer is submitted again until all data has been requested. The
// device must return the data of its bulk OUT endpoint on its bulk IN endpoint. For example, the device "loopback" of usbvbus does this.

using Native.LibUsb;

namespace Examples;

internal static class ConcurrentTransfers
{
    private const byte BulkOut = 0x02, BulkIn = 0x82;
    private const int TransfersInFlight = 4, TransferLength = 1024;

    public static void Run(ushort vendor, ushort product, int count, TextWriter output)
    {
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);
        claimed.GetEndpoint(BulkOut).Write(new byte[count * TransferLength], TimeSpan.FromSeconds(5)); // the data to read back

        // The program increments this counter when it submits a transfer. If it incremented the counter only when a transfer completes, it would submit too
        // many transfers. The counter needs no lock, because the callbacks run one after the other on the thread that handles events.
        int submitted = 0;
        var transfers = new UsbTransfer[Math.Min(TransfersInFlight, count)];
        for (int i = 0; i < transfers.Length; i++)
        {
            transfers[i] = handle.CreateTransfer();
            transfers[i].SetBulk(BulkIn, TransferLength, OnEnded, state: $"Transfer {i}", timeout: TimeSpan.FromSeconds(2));
            transfers[i].Submit();
            submitted++;
        }

        output.WriteLine($"Started {transfers.Length} concurrent transfers");
        while (Array.Exists(transfers, static transfer => transfer.IsSubmitted))
            context.HandleEvents(TimeSpan.FromSeconds(1));
        output.WriteLine("All transfers ended");

        // No cleanup code is needed, even after an exception. Disposing the handle cancels the transfers in flight, waits for their callbacks, and frees the
        // transfers. If a program cancels a transfer itself, it must wait for the callback before it calls UsbTransfer.Close. UsbTransfer.Dispose does not
        // require this wait.
        void OnEnded(UsbTransfer transfer)
        {
            if (transfer.Status != UsbTransferStatus.Completed)
            {
                output.WriteLine($"{transfer.State} ended: {transfer.Status}"); // the other transfers continue
                return;
            }

            output.WriteLine($"{transfer.State} completed: {transfer.ActualLength} bytes");
            if (submitted == count)
                return;
            transfer.Submit(); // HandleEvents throws the exception of a callback; while the handle closes, Submit does nothing
            submitted++;
        }
    }
}
