using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Tests the kernel's loopback gadget, whose bulk IN endpoint returns the data of its bulk OUT endpoint. The gadget receives blocks of up to 4,096 bytes; a
/// short packet ends a block. The gadget keeps up to 32 blocks.
/// </summary>
public sealed class LoopbackGadgetTests : MachineTest
{
    private const int Request = 4096;
    private const int Packet = 512;

    private readonly Gadget _gadget;
    private readonly UsbDeviceHandle _handle;
    private readonly byte _in, _out;

    public LoopbackGadgetTests()
    {
        _gadget = Plug("Loopback");
        _handle = _gadget.Device.Open();
        _handle.ClaimInterface(0);
        Assert.True(_gadget.Device.GetActiveConfigurationDescriptor().TryFindSetting(0, 0, out UsbInterfaceDescriptor? setting));
        foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
        {
            Assert.Equal((UsbTransferType.Bulk, Packet), (endpoint.TransferType, endpoint.MaxPacketSize));
            if (endpoint.Direction == UsbDirection.In)
                _in = endpoint.Address;
            else
                _out = endpoint.Address;
        }
    }

    [Fact]
    public void The_gadget_has_the_configured_strings()
    {
        Assert.Equal(UsbSpeed.High, _gadget.Device.Speed);
        Assert.Equal("The kernel", _handle.GetString(_gadget.Device.Descriptor.ManufacturerIndex));
        Assert.Equal("Loopback.0", _handle.GetString(_gadget.Device.Descriptor.ProductIndex));
        Assert.Equal(Gadget.Serial, _handle.GetString(_gadget.Device.Descriptor.SerialNumberIndex));
        Assert.Equal([0x0409], _handle.GetLanguages());
        using UsbDevice? bySerial = Context.FindDevice(new UsbDeviceFilter { SerialNumber = Gadget.Serial });
        Assert.Equal(_gadget.Device, bySerial);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(16384)]
    [InlineData(65537)]
    public async Task Written_bytes_are_read(int length)
    {
        await using UsbTransfer write = _handle.CreateTransfer(flags: UsbTransferFlags.AddZeroPacket); // without the flag the gadget waits for more data
        byte[] data = LoopbackPattern.Make(length, length);
        write.SetBulkPinned(_out, data, timeout: Patience);
        Assert.Equal(length, await write.SubmitAsync());
        await using UsbTransfer read = _handle.CreateTransfer();
        read.SetBulk(_in, length + Packet, timeout: Patience);
        Assert.Equal(length, await read.SubmitAsync()); // a short packet ends the read, also one without data
        AssertBytes(data, read.Data);
    }

    [Fact]
    public void Data_that_fills_the_requests_of_the_gadget_needs_no_short_packet()
    {
        byte[] data = LoopbackPattern.Make(3, 4 * Request);
        Assert.Equal(data.Length, _handle.At(_out).Write(data, Patience));
        byte[] read = new byte[data.Length];
        Assert.Equal(data.Length, _handle.At(_in).Read(read, Patience));
        AssertBytes(data, read);
    }

    [Fact]
    public void No_data_comes_back_before_a_short_packet_ends_the_message()
    {
        Assert.Equal(Packet, _handle.At(_out).Write(LoopbackPattern.Make(0, Packet), Patience));
        Assert.Equal(UsbError.Timeout, _handle.At(_in).TryRead(new byte[Packet], out int early, TimeSpan.FromMilliseconds(500)));
        Assert.Equal(0, early);
        Assert.Equal(0, _handle.At(_out).Write([], Patience)); // a packet without data
        byte[] read = new byte[2 * Packet];
        Assert.Equal(Packet, _handle.At(_in).Read(read, Patience));
        AssertBytes(LoopbackPattern.Make(0, Packet), read.AsSpan(0, Packet));
    }

    [Fact]
    public async Task Short_packets_keep_messages_apart()
    {
        int[] lengths = [1, 700, 0, 4000, 511, 12];
        await using UsbTransfer write = _handle.CreateTransfer(flags: UsbTransferFlags.AddZeroPacket);
        foreach (int length in lengths)
        {
            write.SetBulkPinned(_out, LoopbackPattern.Make(length, length), timeout: Patience);
            Assert.Equal(length, await write.SubmitAsync());
        }

        byte[] read = new byte[Request];
        foreach (int length in lengths)
        {
            Assert.Equal(length, _handle.At(_in).Read(read, Patience));
            AssertBytes(LoopbackPattern.Make(length, length), read.AsSpan(0, length));
        }
    }

    [Fact]
    public async Task A_short_packet_is_an_error_with_ShortIsError()
    {
        _handle.At(_out).Write(LoopbackPattern.Make(0, 100), Patience);
        await using UsbTransfer read = _handle.CreateTransfer(flags: UsbTransferFlags.ShortIsError);
        read.SetBulk(_in, Packet, timeout: Patience);
        Assert.Equal(new UsbTransferOutcome(UsbError.IO, 100), await read.TrySubmitAsync());
        Assert.Equal(100, read.ActualLength);
    }

    [Fact]
    public void More_data_than_requested_is_an_overflow()
    {
        _handle.At(_out).Write(LoopbackPattern.Make(0, 300), Patience);
        Assert.Equal(UsbError.Overflow, _handle.At(_in).TryRead(new byte[100], out _, Patience));
    }

    [Theory]
    [InlineData(Request, 4, 4)]
    [InlineData(16 * 1024, 8, 8)]
    [InlineData(64 * 1024, 4, 0)]
    public async Task Rings_stream_both_ways_and_every_byte_is_right(int transferSize, int transfers, int spares)
    {
        const int total = 4 << 20;
        UsbRingOptions options = new() { TransferSize = transferSize, Transfers = transfers, Spares = spares };
        await using UsbInputRing input = _handle.At(_in).CreateInputRing(options);
        await using UsbOutputRing output = _handle.At(_out).CreateOutputRing(options);
        input.Start();
        output.Start();
        Task writing = Task.Run(async () =>
        {
            for (int position = 0; position < total;)
            {
                using UsbOutputBuffer buffer = await output.AcquireAsync();
                LoopbackPattern.Fill(position, buffer.Span);
                position += buffer.Span.Length;
                buffer.Commit(buffer.Span.Length);
            }

            await output.FlushAsync();
        });

        byte[] expected = new byte[transferSize];
        for (int position = 0; position < total;)
        {
            using UsbInputBuffer buffer = await input.ReadAsync().AsTask().WaitAsync(Patience);
            LoopbackPattern.Fill(position, expected);
            AssertBytes(expected, buffer.Data);
            Assert.True(buffer.LostBefore.IsNone);
            position += buffer.Length;
        }

        await writing;
        await input.StopAsync();
        await output.StopAsync();
        Assert.Equal(total, input.GetStatistics().Bytes);
        Assert.Equal(total, output.GetStatistics().Bytes);
        Assert.Equal(0, input.GetStatistics().Transfers.Failed);
        Assert.Equal(0, output.GetStatistics().Transfers.Failed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_halted_endpoint_stalls_until_it_is_cleared(bool isIn)
    {
        byte endpoint = isIn ? _in : _out;
        Assert.Equal(0, StatusOf(endpoint));
        Halt(endpoint);
        Assert.Equal(1, StatusOf(endpoint));
        UsbError error = isIn
            ? _handle.At(endpoint).TryRead(new byte[Packet], out int moved, Patience)
            : _handle.At(endpoint).TryWrite(new byte[Packet], out moved, Patience);
        Assert.Equal((UsbError.Pipe, 0), (error, moved));
        _handle.At(endpoint).ClearHalt();
        Assert.Equal(0, StatusOf(endpoint));
        Data_that_fills_the_requests_of_the_gadget_needs_no_short_packet();
    }

    [Fact]
    public async Task A_ring_clears_a_halt_when_its_options_permit_it()
    {
        await using UsbInputRing ring = _handle.At(_in).CreateInputRing(new UsbRingOptions { TransferSize = Packet, Stall = UsbRingStall.ClearHalt });
        ring.Start();
        Halt(_in);
        Machine.WaitUntil(() => ring.GetStatistics().Recoveries > 0, "the ring recovers");
        _handle.At(_out).Write(LoopbackPattern.Make(0, 100), Patience);
        byte[]? read = null;
        while (read is null)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync().AsTask().WaitAsync(Patience);
            if (buffer.Status == UsbTransferStatus.Completed)
                read = buffer.Data.ToArray();
            else
                Assert.Equal(UsbTransferStatus.Stall, buffer.Status);
        }

        AssertBytes(LoopbackPattern.Make(0, 100), read);
        Assert.Null(ring.Failure);
    }

    [Fact]
    public void Control_requests_are_answered_by_the_kernels_gadget()
    {
        byte[] answer = new byte[18];
        Assert.Equal(18, _handle.ControlRead(new UsbControlSetup(0x80, 0x06, 0x0100, 0), answer, Patience)); // the device descriptor
        Assert.Equal([18, 1], answer[..2]);
        Assert.Equal(2, _handle.ControlRead(new UsbControlSetup(0x80, 0x00, 0, 0), answer, Patience)); // GET_STATUS
        Assert.Equal(9, _handle.ControlRead(new UsbControlSetup(0x80, 0x06, 0x0200, 0), answer.AsSpan(0, 9), Patience));
        Assert.Equal([9, 2], answer[..2]);
        Assert.Equal(UsbError.Pipe, _handle.TryControlRead(new UsbControlSetup(0x80, 0x06, 0x0f77, 0), answer, out _, Patience));
        Assert.Equal(1, _handle.GetConfiguration());
    }

    [Fact]
    public async Task Unplugging_ends_the_transfers_in_flight()
    {
        var waiting = new List<Task<UsbTransferOutcome>>();
        for (int i = 0; i < 8; i++)
        {
            UsbTransfer transfer = _handle.CreateTransfer();
            transfer.SetBulk(_in, Request);
            waiting.Add(transfer.TrySubmitAsync().AsTask());
        }

        UsbEndpoint output = _handle.At(_out);
        _gadget.Unplug();
        foreach (Task<UsbTransferOutcome> end in waiting)
            Assert.Contains((await end.WaitAsync(Patience)).Error, (UsbError[])[UsbError.NoDevice, UsbError.IO]);
        _gadget.WaitForDeparture();
        Assert.Equal(UsbError.NoDevice, output.TryWrite(new byte[1], out _, Patience));
        _handle.Dispose();
    }

    [Fact]
    public async Task Unplugging_ends_streaming_rings()
    {
        UsbRingOptions options = new() { TransferSize = 16 * 1024, Transfers = 4 };
        await using UsbInputRing input = _handle.At(_in).CreateInputRing(options);
        await using UsbOutputRing output = _handle.At(_out).CreateOutputRing(options);
        input.Start(_ => { });
        output.Start(buffer => buffer.Commit(buffer.Span.Length));
        Machine.WaitUntil(() => input.GetStatistics().Bytes > 1 << 20, "a MiB has been streamed");
        _gadget.Unplug();
        await Task.WhenAll(input.Completion, output.Completion).WaitAsync(Patience);
        Assert.Equal(UsbError.NoDevice, input.Failure?.Error);
        Assert.Contains(output.Failure!.Error, (UsbError[])[UsbError.NoDevice, UsbError.IO]); // an output ring stops at its first failure
        _gadget.WaitForDeparture();
    }

    /// <summary>Sends SET_FEATURE(ENDPOINT_HALT).</summary>
    private void Halt(byte endpoint) =>
        _handle.ControlWrite(new UsbControlSetup(UsbDirection.Out, UsbRequestKind.Standard, UsbRecipient.Endpoint, 0x03, 0, endpoint), timeout: Patience);

    /// <summary>Sends GET_STATUS, which returns 1 while the endpoint is halted.</summary>
    private int StatusOf(byte endpoint)
    {
        byte[] status = new byte[2];
        var request = new UsbControlSetup(UsbDirection.In, UsbRequestKind.Standard, UsbRecipient.Endpoint, 0, 0, endpoint);
        Assert.Equal(2, _handle.ControlRead(request, status, Patience));
        return status[0];
    }
}
