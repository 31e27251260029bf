using Native.LibUsb.Interop;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests that the bus and a program do not deadlock when each side has sent more data than the other side has read.</summary>
public sealed unsafe class FullSocketTests
{
    private const int Piece = 16 << 10, Pieces = 16, Whole = Piece * Pieces, Transfers = 80, Outgoing = 1 << 20, OutgoingCount = 20;
    private const string Submitter = "usb-submitter";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [BusFact]
    public void A_piece_fails_while_both_sides_have_much_to_send()
    {
        using Watchdog watchdog = new();
        BulkLoopback device = new();
        VirtualEndpoint input = device.Endpoint(BulkLoopback.InAddress), output = device.Endpoint(BulkLoopback.OutAddress);
        using RawHost host = new(new VirtualBusOptions { Capabilities = UsbfsCapabilities.WithoutScatterGather, UsbfsMemoryMegabytes = 0 }, device);
        libusb_device_handle* handle = host.Open(device);
        input.Hold();
        output.Hold();
        RawTransfer[] incoming = [.. Enumerable.Range(0, Transfers).Select(_ => RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, Whole).Submit())];
        Assert.True(input.WaitForPending(Transfers * Pieces, s_limit));
        RawTransfer[] outgoing = [.. Enumerable.Range(0, OutgoingCount).Select(_ => RawTransfer.Bulk(host, handle, BulkLoopback.OutAddress, Outgoing))];
        Thread submitter = new(() => Array.ForEach(outgoing, transfer => transfer.Submit())) { Name = Submitter };
        lock (device.SyncRoot) // the bus reads no more messages
        {
            submitter.Start();
            Assert.True(SpinWait.SpinUntil(IsSubmitterBlocked, s_limit));
            VirtualUrb[] pieces = [.. input.Pending];
            pieces[0].Complete(UrbStatus.Protocol); // the pieces behind it must be unlinked
            foreach (VirtualUrb piece in pieces[Pieces..])
                piece.Complete(piece.Length);
        }

        submitter.Join();
        output.Resume();
        incoming[0].Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_ERROR, 0);
        foreach (RawTransfer transfer in incoming[1..])
            transfer.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, Whole);
        foreach (RawTransfer transfer in (RawTransfer[])[.. incoming, .. outgoing])
            transfer.Dispose();
    }

    [BusFact]
    public void All_pieces_behind_a_failed_one_are_unlinked()
    {
        const int many = 100;
        using Watchdog watchdog = new();
        BulkLoopback device = new();
        VirtualEndpoint input = device.Endpoint(BulkLoopback.InAddress);
        using RawHost host = new(new VirtualBusOptions { Capabilities = UsbfsCapabilities.WithoutScatterGather }, device);
        libusb_device_handle* handle = host.Open(device);
        input.Hold();
        using RawTransfer transfer = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, many * Piece).Submit();
        Assert.True(input.WaitForPending(many, s_limit));
        input.Pending[0].Complete(UrbStatus.Protocol);
        Assert.True(device.WaitUntil(() => input.Unlinked == many - 1, s_limit));
        transfer.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_ERROR, 0);
    }

    /// <summary>Determines whether the submitting thread waits in the kernel because its socket is full.</summary>
    private static bool IsSubmitterBlocked()
    {
        foreach (string thread in Directory.GetDirectories("/proc/self/task"))
            try
            {
                if (File.ReadAllText(Path.Combine(thread, "comm")).Trim() == Submitter[..Math.Min(Submitter.Length, 15)])
                    return Enumerable.Range(0, 50).All(_ => File.ReadAllText(Path.Combine(thread, "stat")).Split(')')[^1].TrimStart().StartsWith('S'));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The thread ended after the list of threads was read.
            }

        return false;
    }
}
