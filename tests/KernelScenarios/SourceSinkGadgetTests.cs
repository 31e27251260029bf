using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Tests the kernel's source and sink gadget. The gadget sends a pattern continuously, and checks that the data from the host has the same pattern. If a byte
/// is wrong, the gadget halts the endpoint.
/// </summary>
public sealed class SourceSinkGadgetTests : MachineTest
{
    private const int Packet = 512;
    private const int Total = 4 << 20;

    private static readonly UsbRingOptions s_sizes = new() { TransferSize = 32 * 1024, Transfers = 8 };

    private UsbDeviceHandle _handle = null!;
    private byte _in, _out;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_source_is_read(int pattern)
    {
        PlugAndOpen(pattern);
        byte[] data = new byte[256 * 1024];
        Assert.Equal(data.Length, _handle.At(_in).Read(data, Patience));
        AssertBytes(Expected(pattern, data.Length), data);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_ring_reads_the_source(int pattern)
    {
        PlugAndOpen(pattern);
        await using UsbInputRing ring = _handle.At(_in).CreateInputRing(s_sizes);
        ring.Start();
        byte[] expected = Expected(pattern, ring.TransferSize);
        for (long position = 0; position < Total;)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(position / ring.TransferSize, buffer.Sequence);
            AssertBytes(expected, buffer.Data);
            position += buffer.Length;
        }

        await ring.StopAsync();
        Assert.Equal(0, ring.GetStatistics().Transfers.Failed);
        Assert.True(ring.GetStatistics().Dropped.IsNone);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_ring_writes_the_pattern_that_the_sink_checks(int pattern)
    {
        PlugAndOpen(pattern);
        await using UsbOutputRing ring = _handle.At(_out).CreateOutputRing(s_sizes);
        ring.Start();
        byte[] data = Expected(pattern, ring.TransferSize);
        for (long position = 0; position < Total; position += data.Length)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync();
            data.CopyTo(buffer.Span);
            buffer.Commit(data.Length);
        }

        await ring.FlushAsync();
        Assert.Equal(Total, ring.GetStatistics().Bytes);
        await ring.StopAsync();
    }

    [Fact]
    public async Task One_wrong_byte_halts_the_sink_and_stops_the_ring()
    {
        PlugAndOpen(pattern: 1);
        await using UsbOutputRing ring = _handle.At(_out).CreateOutputRing(new UsbRingOptions { TransferSize = 4096, Transfers = 4 });
        ring.Start();
        byte[] data = Expected(1, ring.TransferSize);
        UsbException? failure = null;
        for (int i = 0; failure is null; i++)
        {
            Assert.True(i < 1000, "The sink accepted all buffers.");
            try
            {
                using UsbOutputBuffer buffer = await ring.AcquireAsync();
                data.CopyTo(buffer.Span);
                if (i == 20)
                    buffer.Span[1234] ^= 1;
                buffer.Commit(data.Length);
            }
            catch (UsbException stopped)
            {
                failure = stopped;
            }
        }

        Assert.Equal(UsbError.Pipe, failure.Error);
        await ring.Completion.WaitAsync(Patience);
        Assert.Equal(UsbError.Pipe, ring.Failure?.Error);
        Assert.True(ring.GetStatistics().Bytes >= 21 * data.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(500)]
    [InlineData(4000)]
    public void Control_data_written_is_read(int length)
    {
        PlugAndOpen(pattern: 0);
        byte[] data = LoopbackPattern.Make(length, length);
        Assert.Equal(length, _handle.ControlWrite(new UsbControlSetup(0x40, 0x5b, 0, 0), data, Patience));
        byte[] read = new byte[length];
        Assert.Equal(length, _handle.ControlRead(new UsbControlSetup(0xc0, 0x5c, 0, 0), read, Patience));
        AssertBytes(data, read);
    }

    [Fact]
    public void A_buffer_that_is_no_multiple_of_the_packet_overflows()
    {
        PlugAndOpen(pattern: 1);
        byte[] data = new byte[(3 * Packet) + 100];
        UsbException overflow = Assert.Throws<UsbException>(() => _handle.At(_in).Read(data, Patience));
        Assert.Equal(UsbError.Overflow, overflow.Error);
        byte[] whole = new byte[Packet];
        Assert.Equal(Packet, _handle.At(_in).Read(whole, Patience)); // the next read succeeds
    }

    [Fact]
    public async Task Many_transfers_are_cancelled_under_load()
    {
        PlugAndOpen(pattern: 1);
        for (int round = 0; round < 20; round++)
        {
            await using UsbInputRing ring = _handle.At(_in).CreateInputRing(new UsbRingOptions { TransferSize = 16 * 1024, Transfers = 16 });
            ring.Start();
            using (UsbInputBuffer buffer = await ring.ReadAsync().AsTask().WaitAsync(Patience))
                AssertBytes(Expected(1, buffer.Length), buffer.Data);
            await ring.StopAsync().WaitAsync(Patience);
            Assert.Equal(0, ring.GetStatistics().InFlight);
            Assert.Null(ring.Failure);
        }
    }

    /// <summary>
    /// Tests that the kernel omits the alternate setting that has isochronous endpoints. The controller of dummy_hcd does not support such endpoints. Tests on
    /// other controllers cover isochronous transfers.
    /// </summary>
    [Fact]
    public void The_controller_has_no_isochronous_endpoints()
    {
        Gadget gadget = PlugAndOpen(pattern: 0);
        UsbConfigurationDescriptor configuration = gadget.Device.GetActiveConfigurationDescriptor();
        UsbInterfaceDescriptor setting = Assert.Single(Assert.Single(configuration.Interfaces).AlternateSettings);
        Assert.Equal(2, setting.Endpoints.Count);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => _handle.ClaimInterface(0).SetAlternateSetting(1)).Error);
    }

    private Gadget PlugAndOpen(int pattern)
    {
        Gadget gadget = Plug("SourceSink", ("pattern", $"{pattern}"));
        _handle = gadget.Device.Open();
        _handle.ClaimInterface(0);
        Assert.True(gadget.Device.GetActiveConfigurationDescriptor().TryFindSetting(0, 0, out UsbInterfaceDescriptor? setting));
        foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
        {
            if (endpoint.Direction == UsbDirection.In)
                _in = endpoint.Address;
            else
                _out = endpoint.Address;
        }

        return gadget;
    }

    /// <summary>Returns the bytes of a pattern. Pattern 0 consists of zeros. In pattern 1, each packet repeats the numbers 0 to 62 and begins with 0.</summary>
    private static byte[] Expected(int pattern, int length)
    {
        byte[] bytes = new byte[length];
        if (pattern == 1)
        {
            for (int i = 0; i < length; i++)
                bytes[i] = (byte)(i % Packet % 63);
        }

        return bytes;
    }
}
