using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests the hints of exceptions. If a limit of the kernel's usbfs causes an error, the hint names the limit, because libusb's error code does not identify it.
/// </summary>
public sealed class LimitTrapTests : BusTest
{
    private const byte IsoEndpoint = IsoSource.EndpointAddress;

    // By default, the kernel limits the memory of all transfers in flight to 16 MiB.
    [BusFact]
    public void The_limit_of_all_transfers_is_named_for_every_kind_of_transfer()
    {
        var loopback = new BulkLoopback(new BulkLoopbackOptions { Speed = VirtualSpeed.Super });
        loopback.ControlHandler = _ => true; // never answers
        using UsbDeviceHandle bulk = Open(loopback);
        using UsbDeviceHandle iso = Open(new IsoSource(new IsoSourceOptions { Speed = VirtualSpeed.Super }));
        iso.ClaimInterface(0).SetAlternateSetting(3);
        const int megabyte = 1 << 20;
        for (int i = 0; i < 15; i++)
            Submitted(bulk, megabyte);

        UsbTransfer tooMuch = bulk.CreateTransfer();
        tooMuch.SetBulk(BulkLoopback.InAddress, megabyte);
        AssertNamesTheLimit(UsbError.NoMemory, Assert.Throws<UsbException>(tooMuch.Submit));
        AssertNamesTheLimit(UsbError.NoMemory, Assert.Throws<UsbException>(() => bulk.At(BulkLoopback.InAddress).Read(new byte[megabyte])));

        UsbTransfer packets = iso.CreateTransfer(isoPackets: 22);
        packets.SetIsochronous(IsoEndpoint, 49_152); // 1,081,344 bytes
        AssertNamesTheLimit(UsbError.IO, Assert.Throws<UsbException>(packets.Submit));

        Submitted(bulk, megabyte - (16 * 400)); // leaves room for the overhead that the kernel counts for each transfer, but not for the control transfer
        UsbTransfer control = bulk.CreateTransfer();
        control.SetControl(new UsbControlSetup(0xc0, 1, 0, 0), 4096);
        AssertNamesTheLimit(UsbError.IO, Assert.Throws<UsbException>(control.Submit));

        // The hint promises that each refused transfer can be submitted when enough memory is available.
        File.WriteAllText(Path.Combine(Bus.RootDirectory, "sys/module/usbcore/parameters/usbfs_memory_mb"), "32\n");
        foreach (UsbTransfer transfer in new[] { tooMuch, packets, control })
            transfer.Submit();
    }

    [BusFact]
    public void More_packets_than_a_URB_holds_are_one_transfer()
    {
        var source = new IsoSource(new IsoSourceOptions { Paced = false });
        using UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 257);
        int callbacks = 0;
        transfer.SetIsochronous(IsoEndpoint, 512, _ => callbacks++);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(3, source.Source.Submitted); // 128, 128 and 1
        Assert.Equal(1, callbacks);
        var checker = new NumberedPatternChecker();
        foreach (UsbIsoPacket packet in transfer.IterIso())
            checker.AddPacket(packet.Data);
        Assert.True(checker.IsPerfect, checker.ToString());
        Assert.Equal(257, checker.Packets);
    }

    [BusTheory]
    [InlineData(49_152, true)]
    [InlineData(200_000, false)]
    public void A_packet_that_is_too_long_is_named(int length, bool fits)
    {
        using UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Speed = VirtualSpeed.Super, Paced = false }));
        handle.ClaimInterface(0).SetAlternateSetting(3);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 2);
        transfer.SetIsochronous(IsoEndpoint, length);
        if (fits)
        {
            transfer.Submit();
            Finish(transfer);
            return;
        }

        UsbException refused = Assert.Throws<UsbException>(transfer.Submit);
        Assert.Equal(UsbError.InvalidParameter, refused.Error);
        Assert.Contains("98,304 bytes in one isochronous packet", refused.Hint, StringComparison.Ordinal);
        transfer.SetIsochronous(IsoEndpoint, 49_152);
        transfer.Submit();
        Finish(transfer);
    }

    // 128 packets of 48 KiB need 6 MiB. This size is below the limit for all transfers together, but the kernel cannot allocate it in one piece.
    [BusFact]
    public void A_URB_that_the_kernel_cannot_allocate_is_named()
    {
        var source = new IsoSource(new IsoSourceOptions { Speed = VirtualSpeed.Super, Paced = false });
        using UsbDeviceHandle handle = Open(source);
        handle.ClaimInterface(0).SetAlternateSetting(3);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 128);
        transfer.SetIsochronous(IsoEndpoint, 49_152);
        UsbException refused = Assert.Throws<UsbException>(transfer.Submit);
        Assert.Equal(UsbError.IO, refused.Error);
        Assert.Contains("6,291,456 contiguous bytes", refused.Hint, StringComparison.Ordinal);
        Assert.DoesNotContain("usbfs_memory_mb", refused.Hint, StringComparison.Ordinal);

        // Device memory also needs one piece of kernel memory of this size.
        using (UsbBuffer memory = handle.AllocateBuffer(128 * 49_152, preferDeviceMemory: true))
            Assert.False(memory.IsDeviceMemory);

        using UsbTransfer fewer = handle.CreateTransfer(isoPackets: 85);
        fewer.SetIsochronous(IsoEndpoint, 49_152);
        fewer.Submit();
        Finish(fewer);
        Assert.Equal(UsbTransferStatus.Completed, fewer.Status);
        var checker = new NumberedPatternChecker();
        foreach (UsbIsoPacket packet in fewer.IterIso())
            checker.AddPacket(packet.Data);
        Assert.True(checker.IsPerfect, checker.ToString());
    }

    [BusFact]
    public void A_control_transfer_that_is_too_long_is_named()
    {
        var loopback = new BulkLoopback
        {
            ControlHandler = urb =>
            {
                urb.Buffer.Clear();
                urb.Complete(urb.Length);
                return true;
            },
        };
        using UsbDeviceHandle handle = Open(loopback);
        var read = new UsbControlSetup(0xc0, 1, 0, 0);
        var write = new UsbControlSetup(0x40, 1, 0, 0);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetControl(read, 4096);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(4096, transfer.ActualLength);
        Assert.Equal(4096, handle.ControlRead(read, new byte[4096], Patience));

        transfer.SetControl(read, 4097);
        foreach (UsbException refused in new[]
        {
            Assert.Throws<UsbException>(transfer.Submit),
            Assert.Throws<UsbException>(() => handle.ControlRead(read, new byte[4097], Patience)),
            Assert.Throws<UsbException>(() => handle.ControlWrite(write, new byte[65_535], Patience)),
        })
        {
            Assert.Equal(UsbError.InvalidParameter, refused.Error);
            Assert.Contains("4,096 bytes in one control transfer", refused.Hint, StringComparison.Ordinal);
        }

        Assert.False(transfer.IsSubmitted);
    }

    // With ShortIsError, libusb compares the requested length with a count that is always 0 for isochronous transfers. Every isochronous transfer with this
    // flag would therefore fail.
    [BusFact]
    public void A_flag_that_would_make_good_packets_an_error_is_refused()
    {
        using UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Paced = false }));
        handle.ClaimInterface(0).SetAlternateSetting(1);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 2, UsbTransferFlags.ShortIsError);
        Assert.Throws<InvalidOperationException>(() => transfer.SetIsochronous(IsoEndpoint, 512));
        Assert.Throws<InvalidOperationException>(() => transfer.SetIsochronousPinned(IsoEndpoint, new byte[1024]));
        Assert.Throws<InvalidOperationException>(() => transfer.SetIsochronousCopy(0x01, (ReadOnlySpan<byte>)new byte[1024]));
        transfer.Flags = UsbTransferFlags.None;
        transfer.SetIsochronous(IsoEndpoint, 512);
        Assert.Throws<InvalidOperationException>(() => transfer.Flags = UsbTransferFlags.ShortIsError);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(UsbTransferStatus.Completed, transfer.Status);
        transfer.SetBulk(0x82, 8);
        transfer.Flags = UsbTransferFlags.ShortIsError; // allowed for a bulk transfer
    }

    private static void AssertNamesTheLimit(UsbError expected, UsbException refused)
    {
        Assert.Equal(expected, refused.Error);
        Assert.Contains("limit for all transfers in flight together (16 MiB now)", refused.Hint, StringComparison.Ordinal);
        Assert.Contains("usbfs_memory_mb", refused.Hint, StringComparison.Ordinal);
    }

    private static void Submitted(UsbDeviceHandle handle, int length)
    {
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, length);
        transfer.Submit();
    }
}

/// <summary>Tests bulk transfers on a controller without scatter-gather. libusb submits these transfers in pieces.</summary>
[PreloadOnly(KernelLimits.Capabilities)]
public sealed class NoScatterGatherTests : BusTest
{
    private const int Piece = 16_384;

    public NoScatterGatherTests()
        : base(new VirtualBusOptions { Capabilities = UsbfsCapabilities.WithoutScatterGather })
    {
    }

    [BusFact]
    public void A_write_in_pieces_is_one_transfer()
    {
        var loopback = new BulkLoopback();
        using UsbDeviceHandle handle = Open(loopback);
        byte[] sent = new byte[100_000];
        new Random(5).NextBytes(sent);
        using UsbTransfer output = handle.CreateTransfer();
        int callbacks = 0;
        output.SetBulkCopy(BulkLoopback.OutAddress, (ReadOnlySpan<byte>)sent, _ => callbacks++);
        output.Submit();
        Finish(output);
        Assert.Equal(7, loopback.Endpoint(BulkLoopback.OutAddress).Submitted); // pieces of at most 16 KiB
        Assert.Equal(1, callbacks);
        Assert.Equal(UsbTransferStatus.Completed, output.Status);
        byte[] received = new byte[200 * 512]; // longer than the data, so a short packet ends the read
        Assert.Equal(sent.Length, handle.At(BulkLoopback.InAddress).Read(received, Patience));
        Assert.True(received.AsSpan(0, sent.Length).SequenceEqual(sent));

        // Later transfers in both directions work as usual. If a halt ends one piece, the whole transfer has the status Stall.
        Assert.Equal(3, handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience));
        Assert.Equal(3, handle.At(BulkLoopback.InAddress).Read(new byte[50_176], Patience));
        loopback.Endpoint(BulkLoopback.OutAddress).Hold();
        output.Submit();
        Assert.True(loopback.Endpoint(BulkLoopback.OutAddress).WaitForPending(7, Patience));
        lock (loopback.SyncRoot)
            loopback.Endpoint(BulkLoopback.OutAddress).Pending[0].Accept();
        loopback.Endpoint(BulkLoopback.OutAddress).Halt();
        Finish(output);
        Assert.Equal(UsbTransferStatus.Stall, output.Status);
        Assert.Equal(Piece, output.ActualLength);
    }
}
