using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>QEMU's sound card: an isochronous OUT endpoint on an xHCI controller, a packet of 192 bytes each millisecond.</summary>
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
    public void It_says_what_it_is()
    {
        Assert.Equal(UsbSpeed.Full, _handle.Device.Speed);
        UsbConfiguration configuration = _handle.Device.GetActiveConfiguration();
        Assert.True(configuration.TryFindSetting(Streaming, 0, out UsbAlternateSetting silent));
        Assert.Equal(0, silent.Endpoints.Count);
        Assert.Equal(1, silent.Class); // audio
        UsbEndpoint endpoint = EndpointOf(_handle, Endpoint, 1, Streaming);
        Assert.Equal(UsbTransferType.Isochronous, endpoint.TransferType);
        Assert.Equal(PacketLength, endpoint.MaxPacketSize);
        Assert.Equal(PacketLength, endpoint.BytesPerInterval);
        Assert.Equal(TimeSpan.FromMilliseconds(1), endpoint.ServiceInterval);
        _handle.SetAlternateSetting(Streaming, 1);
        Assert.Equal(PacketLength, _handle.Device.GetMaxIsoPacketSize(Endpoint));
    }

    [Fact]
    public async Task One_transfer_moves_all_its_packets()
    {
        _handle.SetAlternateSetting(Streaming, 1);
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

    [Fact]
    public async Task A_ring_plays_on()
    {
        _handle.SetAlternateSetting(Streaming, 1);
        await using UsbOutputRing ring = _handle.CreateOutputRing(EndpointOf(_handle, Endpoint, 1, Streaming), new UsbRingOptions { PacketsPerTransfer = 8, Transfers = 16, FillUnderruns = true });
        Assert.Equal(PacketLength, ring.PacketSize);
        ring.Start();
        const int total = 800; // packets
        for (int packet = 0; packet < total; packet += 8)
        {
            using UsbOutputBuffer buffer = await ring.AcquireAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(8 * PacketLength, buffer.Span.Length);
            LoopbackPattern.Fill(packet * PacketLength, buffer.Span);
            buffer.Commit(buffer.Span.Length);
        }

        await ring.FlushAsync().AsTask().WaitAsync(Patience);
        await ring.StopAsync().WaitAsync(Patience);
        UsbRingStatistics statistics = ring.GetStatistics();
        Console.WriteLine(statistics);
        Assert.True(statistics.Packets >= total);
        Assert.Equal(0, statistics.SubmitFailures);
        Assert.Null(ring.Failure);
    }

    [Fact]
    public void Without_the_setting_there_is_no_endpoint()
    {
        using UsbTransfer transfer = _handle.CreateTransfer(isoPackets: 1);
        transfer.SetIsochronous(Endpoint, PacketLength);
        Assert.Equal(UsbError.NotFound, transfer.TrySubmit());
    }
}
