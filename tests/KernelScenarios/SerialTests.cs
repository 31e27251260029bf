namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests QEMU's serial adapter on a loopback line, which sends all data back. Each packet from the adapter begins with two status bytes.</summary>
public sealed class SerialTests : MachineTest
{
    private const byte In = 0x81, Out = 0x02;
    private const int Packet = 64, StatusLength = 2;

    private readonly UsbDeviceHandle _handle;

    public SerialTests()
    {
        SerialLine.Make();
        QemuDevice adapter = Plug("usb-serial", "4", ("chardev", SerialLine.Name), ("always-plugged", true));
        Assert.Equal((0x0403, 0x6001), ((int)adapter.Device.VendorId, (int)adapter.Device.ProductId));
        _handle = adapter.Device.Open();
        _handle.ClaimInterface(0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(61)]
    [InlineData(62)]
    [InlineData(63)]
    [InlineData(200)]
    public void Written_bytes_come_back_in_packets(int length)
    {
        byte[] data = LoopbackPattern.Make(length, length);
        Assert.Equal(length, _handle.At(Out).Write(data, Patience));
        byte[] line = new byte[length];
        byte[] buffer = new byte[8 * Packet];
        for (int position = 0; position < length;)
        {
            int received = _handle.At(In).Read(buffer, Patience);
            for (int packet = 0; packet < received; packet += Packet)
            {
                int size = Math.Min(Packet, received - packet) - StatusLength;
                Assert.True(size > 0, $"A packet of {size + StatusLength} bytes has no data.");
                buffer.AsSpan(packet + StatusLength, size).CopyTo(line.AsSpan(position));
                position += size;
            }
        }

        AssertBytes(data, line);
    }

    [Fact]
    public void A_read_without_data_on_the_line_times_out()
    {
        Assert.Equal(UsbError.Timeout, _handle.At(In).TryRead(new byte[Packet], out int received, TimeSpan.FromMilliseconds(300)));
        Assert.Equal(0, received);
        Written_bytes_come_back_in_packets(10);
    }
}
