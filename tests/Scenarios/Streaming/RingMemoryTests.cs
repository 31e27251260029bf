using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Bus;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Rings that find less memory in the kernel than there could be.</summary>
public sealed class RingMemoryTests : RingTest
{
    private const int TransferSize = 64 * 1024;

    public RingMemoryTests()
        : base(new VirtualBusOptions { UsbfsMemoryMegabytes = 1 })
    {
    }

    [BusFact]
    public async Task With_some_transfers_refused_it_runs_and_tells_why()
    {
        Assert.Equal(1 << 20, UsbRingOptions.SystemMemoryLimit);
        var options = new UsbRingOptions { TransferSize = TransferSize, Transfers = 12, Spares = 12 }; // each ring fits, both do not
        var loopback = new BulkLoopback();
        UsbInputRing first = InputRing(Open(new BulkLoopback()), BulkLoopback.InAddress, options);
        first.Start();
        Assert.Equal(UsbError.Success, first.GetStatistics().LastSubmitFailure);

        Bus.Attach(loopback);
        await using UsbInputRing second = InputRing(OpenAt(loopback), BulkLoopback.InAddress, options);
        second.Start();
        UsbRingStatistics statistics = second.GetStatistics();
        Assert.True(second.IsRunning);
        Assert.InRange(statistics.Armed, 1, 4);
        Assert.Equal(1, statistics.SubmitFailures);
        Assert.Equal(UsbError.NoMemory, statistics.LastSubmitFailure);

        // What another gives back is used with the next transfer that ends.
        await first.DisposeAsync();
        VirtualEndpoint input = loopback.Endpoint(BulkLoopback.InAddress);
        Assert.True(input.WaitForPending(1, Patience)); // what is armed is on its way there
        input.Pending[0].CompleteWith([1]);
        using UsbInputBuffer buffer = await second.ReadAsync();
        Assert.Equal(12, second.GetStatistics().Armed);
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

        throw new InvalidOperationException("It is not there.");
    }
}
