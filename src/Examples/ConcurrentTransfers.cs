// Several transfers in flight, so that the bus never waits for the program; each is submitted again until all data was requested.
// Needs a device that returns on bulk IN the data that it got on bulk OUT, such as "loopback" of usbvbus.

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
        claimed.GetEndpoint(BulkOut).Write(new byte[count * TransferLength], TimeSpan.FromSeconds(5)); // something to read

        // Counted when submitted: counted when completed, the transfers in flight would come on top. Callbacks run one after the other
        // on the thread that handles events, so there is nothing to lock.
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

        // Nothing to clean up by hand, also when something above throws: disposing the handle cancels what is in flight, waits for the
        // callbacks, and frees the transfers. To close a transfer right after cancelling it would be too early.
        void OnEnded(UsbTransfer transfer)
        {
            if (transfer.Status != UsbTransferStatus.Completed)
            {
                output.WriteLine($"{transfer.State} ended: {transfer.Status}"); // the others go on
                return;
            }

            output.WriteLine($"{transfer.State} completed: {transfer.ActualLength} bytes");
            if (submitted == count)
                return;
            transfer.Submit(); // an exception comes out of HandleEvents; while the handle closes, nothing is submitted and nothing thrown
            submitted++;
        }
    }
}
