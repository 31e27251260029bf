using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests the sizes that rings choose. These sizes must fit into the kernel's limit and leave memory for other rings. If a size is refused, the exception must
/// explain how to raise the limit.
/// </summary>
public sealed class RingSizeTests : RingTest
{
    private const int LineSetting = 3, LinePacket = 49_152; // bytes in each of the 8,000 intervals per second at SuperSpeed
    private const double LineRate = LinePacket * 8000.0;
    private const string LimitFile = "/sys/module/usbcore/parameters/usbfs_memory_mb";

    [BusFact]
    public async Task Two_default_rings_at_line_rate_fit_the_usual_limit_together()
    {
        Assert.Equal(16 << 20, UsbRingOptions.SystemMemoryLimit);
        UsbInputRing[] rings = [LineRing(), LineRing()];
        foreach (UsbInputRing ring in rings)
        {
            Assert.Equal(LinePacket, ring.PacketSize);
            Assert.InRange((long)ring.Transfers * ring.TransferSize, 6 << 20, 8 << 20);
            ring.Start();
        }

        foreach (UsbInputRing ring in rings)
        {
            using (UsbInputBuffer buffer = await ring.ReadAsync())
                Assert.Equal(ring.PacketsPerTransfer, buffer.PacketCount);
            Assert.Equal(0, ring.GetStatistics().SubmitFailures);
            await ring.DisposeAsync();
        }
    }

    [BusTheory]
    [InlineData(0, 16, 32)] // 0 means no limit
    [InlineData(1, 5, 2)]
    [InlineData(4, 5, 8)]
    [InlineData(16, 5, 32)]
    [InlineData(64, 16, 32)]
    [InlineData(4095, 16, 32)]
    public void A_default_ring_takes_half_of_the_limit_at_most(int megabytes, int transfers, int packets)
    {
        SetLimit(megabytes);
        using UsbInputRing ring = LineRing();
        Assert.Equal((transfers, packets), (ring.Transfers, ring.PacketsPerTransfer));
    }

    [BusTheory]
    [InlineData(0, 50, 16)]
    [InlineData(1, 5, 2)]
    [InlineData(16, 10, 16)]
    [InlineData(200, 50, 16)]
    public void A_rate_without_a_depth_takes_half_of_the_limit_at_most(int megabytes, int transfers, int packets)
    {
        SetLimit(megabytes);
        UsbDeviceHandle handle = Line();
        UsbRingOptions options = UsbRingOptions.ForRate(Endpoint(handle, IsoSource.EndpointAddress, LineSetting), LineRate);
        Assert.Equal((transfers, packets), (options.Transfers, options.PacketsPerTransfer));
        using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, options, LineSetting);
        ring.Start();
        Assert.Equal(0, ring.GetStatistics().SubmitFailures);
    }

    [BusFact]
    public void A_bulk_rate_without_a_depth_takes_half_of_the_limit_at_most()
    {
        UsbDeviceHandle handle = Open(new BulkLoopback(new BulkLoopbackOptions { Speed = VirtualSpeed.Super }));
        UsbRingOptions options = UsbRingOptions.ForRate(Endpoint(handle, BulkLoopback.InAddress), 400e6);
        Assert.InRange((long)options.Transfers * options.TransferSize, 7 << 20, 8 << 20);
        using UsbInputRing ring = InputRing(handle, BulkLoopback.InAddress, options);
        ring.Start();
        Assert.Equal(0, ring.GetStatistics().SubmitFailures);
    }

    [BusFact]
    public void A_depth_that_exceeds_the_limit_is_refused_and_the_number_in_the_message_is_enough()
    {
        var depth = TimeSpan.FromMilliseconds(256);
        UsbDeviceHandle handle = Line();
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => Sizes()).Message;
        foreach (string part in (string[])["256 ms", "97 MiB", "16 MiB", LimitFile, "usbcore.usbfs_memory_mb=97"]) // the data needs 96 MiB, and the kernel counts its own structures too
            Assert.Contains(part, message, StringComparison.Ordinal);

        SetLimit(96);
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizes());
        SetLimit(97);
        UsbRingOptions options = Sizes();
        Assert.Equal(2048, options.Transfers * options.PacketsPerTransfer);
        using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, options with { Spares = 0 }, LineSetting);
        ring.Start(_ => { });
        Assert.Equal(0, ring.GetStatistics().SubmitFailures);

        UsbRingOptions Sizes() => UsbRingOptions.ForRate(Endpoint(handle, IsoSource.EndpointAddress, LineSetting), LineRate, depth);
    }

    [BusFact]
    public void A_ring_that_exceeds_the_limit_is_refused_with_the_way_to_raise_it()
    {
        UsbDeviceHandle handle = Line();
        var options = new UsbRingOptions { Transfers = 16, PacketsPerTransfer = 32 };
        string message = Assert.Throws<ArgumentException>(() => InputRing(handle, IsoSource.EndpointAddress, options, LineSetting)).Message;
        foreach (string part in (string[])["at most 10", "16 MiB", LimitFile, "usbcore.usbfs_memory_mb=25"])
            Assert.Contains(part, message, StringComparison.Ordinal);
        SetLimit(25);
        InputRing(handle, IsoSource.EndpointAddress, options, LineSetting).Dispose();
    }

    [BusTheory]
    [InlineData(VirtualSpeed.High, 2)]
    [InlineData(VirtualSpeed.Super, 1)]
    public async Task Sizes_for_low_latency_deliver_each_packet_at_once(VirtualSpeed speed, int buffers)
    {
        byte[] message = Pattern(0, 1024); // full packets only, without a short packet at the end
        UsbDeviceHandle handle = Open(new BulkLoopback(new BulkLoopbackOptions { Speed = speed }));
        UsbRingOptions options = UsbRingOptions.ForLatency(Endpoint(handle, BulkLoopback.InAddress));
        await using (UsbInputRing ring = InputRing(handle, BulkLoopback.InAddress, options))
        {
            Assert.Equal((1024 / buffers, 32), (ring.TransferSize, ring.Transfers));
            ring.Start();
            handle.At(BulkLoopback.OutAddress).Write(message, Patience);
            long position = 0;
            for (int i = 0; i < buffers; i++)
            {
                Assert.True(ring.TryTake(out UsbInputBuffer buffer, Patience));
                using (buffer)
                    CheckPattern(buffer.Data, ref position);
            }

            Assert.Equal(message.Length, position);
            Assert.False(ring.TryTake(out _));
        }

        // By default, a transfer collects up to 64 KiB, as the documentation of the option describes. The message is shorter, so the ring delivers it only when
        // the ring is stopped.
        await using UsbInputRing collecting = InputRing(handle, BulkLoopback.InAddress);
        collecting.Start();
        handle.At(BulkLoopback.OutAddress).Write(message, Patience);
        Assert.False(collecting.TryTake(out _, TimeSpan.FromMilliseconds(20)));
        await collecting.StopAsync();
        using UsbInputBuffer all = await collecting.ReadAsync();
        Assert.Equal((UsbTransferStatus.Canceled, message.Length), (all.Status, all.Length));
    }

    [BusFact]
    public void Sizes_for_low_latency_fit_other_endpoints_and_the_limit()
    {
        UsbDeviceHandle line = Line();
        UsbRingOptions options = Sizes(0);
        Assert.Equal((8, 21), (options.PacketsPerTransfer, options.Transfers)); // each transfer lasts a millisecond, and all transfers together use at most 8 of the 16 MiB
        InputRing(line, IsoSource.EndpointAddress, options, LineSetting).Dispose();
        Assert.Equal(3, Sizes(3).Transfers);
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizes(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sizes(4097));

        UsbDeviceHandle keys = Open(new InterruptSource());
        UsbEndpointDescriptor interrupt = Endpoint(keys, InterruptSource.EndpointAddress);
        Assert.Equal(interrupt.BytesPerInterval, UsbRingOptions.ForLatency(interrupt).TransferSize);
        InputRing(keys, InterruptSource.EndpointAddress, UsbRingOptions.ForLatency(interrupt)).Dispose();

        UsbRingOptions Sizes(int transfers) => UsbRingOptions.ForLatency(Endpoint(line, IsoSource.EndpointAddress, LineSetting), transfers);
    }

    private void SetLimit(int megabytes) => File.WriteAllText(Path.Combine(Bus.RootDirectory, LimitFile[1..]), $"{megabytes}\n");

    private UsbDeviceHandle Line()
    {
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Speed = VirtualSpeed.Super }));
        handle.ClaimInterface(0).SetAlternateSetting(LineSetting);
        return handle;
    }

    private UsbInputRing LineRing() => InputRing(Line(), IsoSource.EndpointAddress, alternate: LineSetting);
}
