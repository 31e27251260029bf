using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests that an exception names the cause if a ring cannot be created or has ended.</summary>
public sealed class RingFailureTests : RingTest
{
    [BusFact]
    public void Packets_that_exceed_the_interval_of_the_endpoint_are_refused_when_the_ring_is_created()
    {
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Paced = false }));
        handle.ClaimInterface(0).SetAlternateSetting(2);
        int most = Endpoint(handle, IsoSource.EndpointAddress, 2).BytesPerInterval;
        ArgumentException refused = Assert.Throws<ArgumentException>(
            () => InputRing(handle, IsoSource.EndpointAddress, new UsbRingOptions { PacketSize = most + 1 }, 2));
        Assert.Contains($"{most + 1} bytes are more than the {most} of endpoint", refused.Message, StringComparison.Ordinal);
    }

    [BusFact]
    public void An_endpoint_of_the_other_direction_is_refused_with_the_method_to_call()
    {
        UsbDeviceHandle handle = Open(new BulkSourceSink());
        ArgumentException refused = Assert.Throws<ArgumentException>(() => InputRing(handle, BulkSourceSink.OutAddress));
        Assert.Contains("is an OUT endpoint: use CreateOutputRing", refused.Message, StringComparison.Ordinal);
    }

    [PreloadOnly(KernelLimits.Resets)]
    [BusFact]
    public async Task A_ring_that_a_reset_ended_names_the_reset()
    {
        UsbDeviceHandle handle = Open(new BulkSourceSink());
        await using UsbInputRing ring = InputRing(handle, BulkSourceSink.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 4 });
        ring.Start(static _ => { });
        handle.Reset();
        await ring.Completion.WaitAsync(Patience);
        Assert.Equal(UsbError.NoDevice, ring.Failure?.Error);
        Assert.Contains("The device was reset", ring.Failure!.Message, StringComparison.Ordinal);
    }
}
