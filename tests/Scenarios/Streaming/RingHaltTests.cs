using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests rings that clear halts, on an endpoint that halts while the test starts the ring.</summary>
public sealed class RingHaltTests : RingTest
{
    private static readonly UsbRingOptions s_options = new() { TransferSize = 512, Transfers = 16, Stall = UsbRingStall.ClearHalt };

    private readonly BulkSourceSink _device = new();
    private readonly UsbDeviceHandle _handle;
    private readonly SemaphoreSlim _recovered = new(0);
    private long _before; // the recoveries at the start of the round; long.MaxValue after the handler has seen one more

    public RingHaltTests() => _handle = Open(_device);

    [BusFact]
    public async Task Starting_a_ring_that_writes_does_not_report_a_halt_that_is_cleared()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkSourceSink.OutAddress, s_options);
        await Restart(ring, () => ring.Start(buffer =>
        {
            Look(ring);
            buffer.Commit(512);
        }));
    }

    [BusFact]
    public async Task Starting_a_ring_that_reads_does_not_report_a_halt_that_is_cleared()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkSourceSink.InAddress, s_options);
        await Restart(ring, () => ring.Start(_ => Look(ring)));
    }

    private async Task Restart(UsbRing ring, Action start)
    {
        int rounds = Rounds.Of(300);
        for (int round = 0; round < rounds; round++)
        {
            Volatile.Write(ref _before, ring.GetStatistics().Recoveries);
            _device.Endpoint(ring.Endpoint).FailNext(UrbStatus.Stall);
            start();
            Assert.True(await _recovered.WaitAsync(Patience), "The ring did not recover from the halt.");
            Assert.Null(ring.Failure);
            await ring.StopAsync();
        }
    }

    // The handler checks the number of recoveries. A test thread that polls this number would compete with the ring for the processors.
    private void Look(UsbRing ring)
    {
        if (ring.GetStatistics().Recoveries <= Volatile.Read(ref _before))
            return;
        Volatile.Write(ref _before, long.MaxValue);
        _recovered.Release();
    }
}
