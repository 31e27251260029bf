using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings that cannot submit all their transfers because of the kernel's memory limit.</summary>
public sealed class RingMemoryTests : RingTest
{
    private const int TransferSize = 64 * 1024;

    public RingMemoryTests()
        : base(new VirtualBusOptions { UsbfsMemoryMegabytes = 1 })
    {
    }

    [BusFact]
    public async Task A_ring_with_refused_transfers_runs_and_reports_the_reason()
    {
        Assert.Equal(1 << 20, UsbRingOptions.SystemMemoryLimit);
        var options = new UsbRingOptions { TransferSize = TransferSize, Transfers = 12, Spares = 12 }; // either ring fits into the limit, but both rings together do not
        var loopback = new BulkLoopback();
        UsbInputRing first = InputRing(Open(new BulkLoopback()), BulkLoopback.InAddress, options);
        first.Start();
        Assert.Equal(UsbError.Success, first.GetStatistics().LastSubmitFailure);

        Bus.Attach(loopback);
        await using UsbInputRing second = InputRing(OpenAt(loopback), BulkLoopback.InAddress, options);
        second.Start();
        UsbRingStatistics statistics = second.GetStatistics();
        Assert.True(second.IsRunning);
        Assert.InRange(statistics.InFlight, 1, 4);
        Assert.Equal(1, statistics.SubmitFailures);
        Assert.Equal(UsbError.NoMemory, statistics.LastSubmitFailure);

        // The first ring frees its memory. The second ring submits its refused transfers when its next transfer completes.
        await first.DisposeAsync();
        VirtualEndpoint input = loopback.Endpoint(BulkLoopback.InAddress);
        Assert.True(input.WaitForPending(1, Patience)); // a submitted transfer reaches the device later
        input.Pending[0].CompleteWith([1]);
        using UsbInputBuffer buffer = await second.ReadAsync();
        Assert.True(SpinWait.SpinUntil(() => second.GetStatistics().InFlight == 12, Patience)); // the ring delivers the data to the reader before it submits the last transfer
    }

    [BusFact]
    public async Task Unsent_data_is_sent_in_order_when_some_of_its_transfers_are_refused()
    {
        const int size = 300 * 1024, transfers = 3; // three transfers fit into the limit, but four do not
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        VirtualEndpoint output = loopback.Endpoint(BulkLoopback.OutAddress);
        await using UsbOutputRing ring = OutputRing(handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = size, Transfers = transfers, Spares = 1 });
        output.Hold();
        ring.Start();
        for (int i = 0; i <= transfers; i++)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync();
            Pattern(i * size, size).CopyTo(buffer.Span);
            buffer.Commit(size);
        }

        await ring.StopAsync();
        Assert.Equal((transfers + 1) * size, ring.UnsentBytes);
        using (UsbTransfer other = handle.CreateTransfer())
        {
            other.SetBulk(BulkLoopback.InAddress, size);
            other.Submit();
            ring.Start();
            Assert.Equal((2, UsbError.NoMemory), (ring.GetStatistics().InFlight, ring.GetStatistics().LastSubmitFailure));
            Assert.Equal((transfers + 1) * size, ring.UnsentBytes);
            other.Cancel();
            SpinWait.SpinUntil(() => !other.IsSubmitted, Patience);
        }

        output.Resume();
        Task flushing = ring.FlushAsync().AsTask();
        byte[] received = new byte[(transfers + 1) * size];
        for (int position = 0; position < received.Length;)
            position += handle.At(BulkLoopback.InAddress).Read(received.AsSpan(position, 512), Patience);
        await flushing.WaitAsync(Patience);
        long start = 0;
        CheckPattern(received, ref start);
    }

    private UsbDeviceHandle OpenAt(VirtualDevice device)
    {
        foreach (UsbDevice found in Context.GetDevices())
        {
            if (found.Address != device.DeviceNumber)
                continue;
            UsbDeviceHandle handle = found.Open();
            handle.ClaimInterface(0);
            return handle;
        }

        throw new InvalidOperationException("The device is not in the list.");
    }
}
