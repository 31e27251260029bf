using Drivers.Serial;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests the driver of <c>Drivers.Serial</c> on QEMU's serial adapter. The adapter is connected to a line that returns all data.</summary>
public sealed class SerialDriverTests : MachineTest
{
    private readonly QemuDevice _adapter;

    public SerialDriverTests()
    {
        SerialLine.Make();
        _adapter = Plug("usb-serial", "4", ("chardev", SerialLine.Name), ("always-plugged", true));
    }

    /// <summary>Tests that the driver removes exactly the status bytes of each packet, even if the driver reads many packets.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(62)]
    [InlineData(384)]
    [InlineData(20_000)]
    public async Task Written_bytes_come_back(int length)
    {
        await using FtdiStream port = FtdiStream.Open(_adapter.Device);
        byte[] data = LoopbackPattern.Make(length, length), back = new byte[length];
        const int most = 1000; // as many as the line holds while the port does not read
        for (int position = 0; position < length; position += most)
        {
            Memory<byte> part = back.AsMemory(position, Math.Min(most, length - position));
            await port.WriteAsync(data.AsMemory(position, part.Length)).AsTask().WaitAsync(Patience);
            await port.ReadExactlyAsync(part).AsTask().WaitAsync(Patience);
        }

        AssertBytes(data, back);
    }

    [Fact]
    public async Task The_adapter_accepts_the_settings_and_reports_the_lines()
    {
        await using FtdiStream port = FtdiStream.Open(_adapter.Device);
        Assert.Equal(115_384.6, port.SetBaudRate(115_200), 0.1);
        port.SetFormat(7, FtdiParity.Even, FtdiStopBits.Two);
        port.SetFlowControl(FtdiFlowControl.RtsCts);
        port.SetModemLines(dataTerminalReady: true, requestToSend: true);
        port.SetLatency(TimeSpan.FromMilliseconds(40));
        Assert.Equal(TimeSpan.FromMilliseconds(40), port.ReadLatency());
        // QEMU's adapter reports these lines if it is not connected to a serial port of the host.
        Assert.Equal(FtdiModemLines.ClearToSend | FtdiModemLines.DataSetReady | FtdiModemLines.CarrierDetect, port.ReadStatus().Lines);
    }

    [Fact]
    public async Task Unplugging_ends_a_read_with_an_error()
    {
        await using FtdiStream port = FtdiStream.Open(_adapter.Device);
        Task<int> read = port.ReadAsync(new byte[64]).AsTask();
        _adapter.Unplug();
        UsbException gone = await Assert.ThrowsAsync<UsbException>(() => read.WaitAsync(Patience));
        Assert.Equal(UsbError.NoDevice, gone.Error);
        _adapter.WaitForDeparture();
    }
}
