using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Rings that clear halts, on an endpoint that halts while they are being started.</summary>
public sealed class RingHaltTests : RingTest
{
    private static readonly UsbRingOptions s_options = new() { TransferSize = 512, Transfers = 16, Stall = UsbRingStall.ClearHalt };

    private readonly BulkSourceSink _device = new();
    private readonly UsbDeviceHandle _handle;

    public RingHaltTests() => _handle = Open(_device);

    [BusFact]
    public async Task Starting_a_ring_that_writes_does_not_report_a_halt_that_is_cleared()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkSourceSink.OutAddress, s_options);
        await Restart(ring, () => ring.Start(static buffer => buffer.Commit(512)));
    }

    [BusFact]
    public async Task Starting_a_ring_that_reads_does_not_report_a_halt_that_is_cleared()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkSourceSink.InAddress, s_options);
        await Restart(ring, () => ring.Start(static _ => { }));
    }

    private async Task Restart(UsbRing ring, Action start)
    {
        int rounds = Rounds.Of(300);
        for (int round = 0; round < rounds; round++)
        {
            long before = ring.GetStatistics().Recoveries;
            _device.Endpoint(ring.Endpoint).FailNext(UrbStatus.Stall);
            start();
            while (ring.GetStatistics().Recoveries == before)
                await Task.Yield();
            Assert.Null(ring.Failure);
            await ring.StopAsync();
        }
    }
}
