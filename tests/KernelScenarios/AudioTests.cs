using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests QEMU's sound card on an xHCI controller. The card's isochronous OUT endpoint receives a packet of 192 bytes each millisecond.</summary>
public sealed class AudioTests : MachineTest
{
    private const byte Endpoint = 0x01;
    private const int Streaming = 1; // the interface; alternate setting 0 has no endpoint, 1 has two channels
    private const int PacketLength = 192;

    private readonly UsbDeviceHandle _handle;

    public AudioTests()
    {
        QemuDevice audio = Plug("usb-audio", "3", ("audiodev", "silence"));
        _handle = audio.Device.Open();
        _handle.ClaimInterface(Streaming);
    }

    [Fact]
    public void The_card_has_the_expected_descriptors()
    {
        Assert.Equal(UsbSpeed.Full, _handle.Device.Speed);
        UsbConfigurationDescriptor configuration = _handle.Device.GetActiveConfigurationDescriptor();
        Assert.True(configuration.TryFindSetting(Streaming, 0, out UsbInterfaceDescriptor? silent));
        Assert.Empty(silent.Endpoints);
        Assert.Equal(1, silent.Class); // audio
        UsbEndpointDescriptor endpoint = EndpointOf(_handle, Endpoint, 1, Streaming);
        Assert.Equal(UsbTransferType.Isochronous, endpoint.TransferType);
        Assert.Equal(PacketLength, endpoint.MaxPacketSize);
        Assert.Equal(PacketLength, endpoint.BytesPerInterval);
        Assert.Equal(TimeSpan.FromMilliseconds(1), endpoint.ServiceInterval);
        _handle.ClaimInterface(Streaming).SetAlternateSetting(1);
        Assert.Equal(PacketLength, _handle.Device.GetMaxIsoPacketSize(Endpoint));
    }

    [Fact]
    public async Task One_transfer_moves_all_its_packets()
    {
        _handle.ClaimInterface(Streaming).SetAlternateSetting(1);
        await using UsbTransfer transfer = _handle.CreateTransfer(isoPackets: 16);
        transfer.SetIsochronous(Endpoint, PacketLength);
        Assert.Equal(UsbError.Success, (await transfer.TrySubmitAsync().AsTask().WaitAsync(Patience)).Error);
        int packets = 0;
        foreach (UsbIsoPacket packet in transfer.IterIso())
        {
            Assert.Equal((UsbTransferStatus.Completed, PacketLength), (packet.Status, packet.ActualLength));
            packets++;
        }

        Assert.Equal(16, packets);
    }

    /// <summary>
    /// Tests that a ring sends all its packets and that a flush completes. If <paramref name="fillUnderruns"/> is true, the ring also sends zeros while the
    /// program supplies no data.
    /// </summary>
    [Theory]
    [InlineData(2, 8, false)]
    [InlineData(8, 32, false)]
    [InlineData(16, 8, true)]
    public async Task A_ring_plays_on(int transfers, int packetsPerTransfer, bool fillUnderruns)
    {
        _handle.ClaimInterface(Streaming).SetAlternateSetting(1);
        await using UsbOutputRing ring = _handle.At(Endpoint).CreateOutputRing(
            new UsbRingOptions { PacketsPerTransfer = packetsPerTransfer, Transfers = transfers, FillUnderruns = fillUnderruns });
        Assert.Equal(PacketLength, ring.PacketSize);
        ring.Start();
        const int total = 768; // packets
        for (int packet = 0; packet < total; packet += packetsPerTransfer)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(packetsPerTransfer * PacketLength, buffer.Span.Length);
            LoopbackPattern.Fill(packet * PacketLength, buffer.Span);
            buffer.Commit(buffer.Span.Length);
        }

        await ring.FlushAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(0, ring.UnsentBytes);
        Assert.True(ring.IsRunning);
        if (fillUnderruns) // the ring sends silence when it has no data
        {
            long now = ring.GetStatistics().Packets;
            Machine.WaitUntil(() => ring.GetStatistics().Packets >= now + 100, "silence is played");
        }

        await ring.StopAsync().WaitAsync(Patience);
        UsbRingStatistics statistics = ring.GetStatistics();
        Assert.True(statistics.Packets >= total, $"{statistics}");
        Assert.Equal(statistics.Packets, statistics.PacketStatuses.Completed + statistics.PacketStatuses.Canceled);
        Assert.Equal(0, statistics.Transfers.Failed);
        Assert.Equal(0, statistics.SubmitFailures);
        Assert.Null(ring.Failure);
        if (!fillUnderruns)
            Assert.Equal((total, (long)total * PacketLength), (statistics.Packets, statistics.Bytes));
    }

    [Fact]
    public void Without_the_setting_there_is_no_endpoint()
    {
        using UsbTransfer transfer = _handle.CreateTransfer(isoPackets: 1);
        transfer.SetIsochronous(Endpoint, PacketLength);
        UsbException refused = Assert.Throws<UsbException>(transfer.Submit);
        Assert.Equal(UsbError.IO, refused.Error);
        Assert.Contains("alternate setting", refused.Message, StringComparison.Ordinal);
    }
}
