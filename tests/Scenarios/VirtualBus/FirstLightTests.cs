using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests data transfers between the real libusb and one device.</summary>
public sealed unsafe class FirstLightTests
{
    [BusFact]
    public void A_bulk_loopback_returns_the_data_that_it_received()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte* sent = stackalloc byte[100];
        byte* received = stackalloc byte[512];
        for (int i = 0; i < 100; i++)
            sent[i] = (byte)(i * 7);
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, sent, 100, &count, 0));
        Assert.Equal(100, count);
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.InAddress, received, 512, &count, 0));
        Assert.Equal(100, count);
        Assert.True(new Span<byte>(sent, 100).SequenceEqual(new Span<byte>(received, 100)));
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full, 3, 1023)]
    [InlineData(VirtualSpeed.High, 4, 3072)]
    [InlineData(VirtualSpeed.Super, 3, 49152)]
    public void An_isochronous_source_sends_its_pattern(VirtualSpeed speed, int alternate, int packetSize)
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Speed = speed, Paced = false });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: alternate);
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 16, packetSize);
        NumberedPatternChecker checker = new(0);
        for (int round = 0; round < 8; round++)
        {
            transfer.Submit().Wait();
            Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, transfer.Status);
            for (int i = 0; i < 16; i++)
            {
                Assert.Equal(0, (int)transfer.Packet(i).status);
                checker.AddPacket(transfer.PacketData(i));
            }
        }
        Assert.True(checker.IsPerfect, checker.ToString());
        Assert.Equal(128L * packetSize, checker.Bytes);
    }
}
