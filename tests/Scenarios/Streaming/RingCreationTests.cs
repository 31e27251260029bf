using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests that a thread may close a handle while another thread creates a ring on it.</summary>
public sealed class RingCreationTests : RingTest
{
    private static readonly UsbRingOptions s_options = new() { TransferSize = 512, Transfers = 16, Spares = 16 };

    [BusTheory]
    [InlineData(UsbDirection.In)]
    [InlineData(UsbDirection.Out)]
    public async Task A_handle_is_closed_while_a_ring_is_created(UsbDirection direction)
    {
        var device = new BulkSourceSink();
        int rounds = Rounds.Of(300), refused = 0;
        for (int round = 0; round < rounds; round++)
        {
            UsbDeviceHandle handle = Open(device);
            UsbEndpoint endpoint = handle.At(direction == UsbDirection.In ? BulkSourceSink.InAddress : BulkSourceSink.OutAddress);
            using var start = new Barrier(2);
            Task creating = Task.Run(() =>
            {
                start.SignalAndWait();
                while (true)
                    Create(endpoint).Dispose(); // until the handle is closed
            });
            start.SignalAndWait();
            for (int turn = round % 64; turn > 0; turn--)
                Thread.Yield(); // each round closes the handle at another step of the creation
            handle.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => creating.WaitAsync(Patience));
            refused++;
        }

        Assert.Equal(rounds, refused);
    }

    private static UsbRing Create(UsbEndpoint endpoint) =>
        UsbEndpointAddress.IsIn(endpoint.Address) ? endpoint.CreateInputRing(s_options) : endpoint.CreateOutputRing(s_options);
}
