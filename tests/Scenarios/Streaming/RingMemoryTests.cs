using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings for which the kernel's memory limit leaves too little memory.</summary>
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
        var options = new UsbRingOptions { TransferSize = TransferSize, Transfers = 12, Spares = 12 }; // each ring fits into the limit alone, but not both together
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

        // When the next transfer completes, the second ring uses the memory that the first ring has freed.
        await first.DisposeAsync();
        VirtualEndpoint input = loopback.Endpoint(BulkLoopback.InAddress);
        Assert.True(input.WaitForPending(1, Patience)); // a submitted transfer reaches the device later
        input.Pending[0].CompleteWith([1]);
        using UsbInputBuffer buffer = await second.ReadAsync();
        Assert.True(SpinWait.SpinUntil(() => second.GetStatistics().InFlight == 12, Patience)); // the reader gets its data before the last transfer is submitted
    }

    [BusFact]
    public async Task Unsent_data_is_sent_in_order_when_some_of_its_transfers_are_refused()
    {
        const int size = 300 * 1024, transfers = 3; // all three fit into the limit, but not with a fourth transfer
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
