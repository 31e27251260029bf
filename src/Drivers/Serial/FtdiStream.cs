using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Drivers.Serial;

/// <summary>
/// Represents a serial port of an FTDI chip (FT232BM and compatible). The methods of <see cref="Stream"/> read and write the bytes on the line. Other members
/// change the settings of the line. Only one thread at a time may read, and only one thread at a time may write.
/// </summary>
public sealed partial class FtdiStream : Stream
{
    /// <summary>The vendor identifier of FTDI.</summary>
    public const ushort VendorId = 0x0403;

    /// <summary>The default product identifier of the FT232BM.</summary>
    public const ushort ProductId = 0x6001;

    private const int PacketsPerTransfer = 64;
    private const ushort Port = 0; // the port number, for chips that have several ports
    private const ushort ResetChip = 0, PurgeOne = 1, PurgeOther = 2;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly UsbDeviceHandle _handle;
    private readonly UsbInterface _claimed;
    private readonly UsbEndpoint _output;
    private readonly UsbInputRing _ring;

    private FtdiStream(UsbDeviceHandle handle)
    {
        _handle = handle;
        _claimed = handle.ClaimInterface(0);
        _output = _claimed.GetEndpoint(UsbDirection.Out, UsbTransferType.Bulk);
        UsbEndpoint input = _claimed.GetEndpoint(UsbDirection.In, UsbTransferType.Bulk);
        _packetSize = input.Descriptor.MaxPacketSize;
        if (_packetSize <= FtdiStatus.Size)
            throw new InvalidDataException($"A packet of {_packetSize} bytes has no room for the status and data: this is no FTDI chip.");
        Send(FtdiRequest.Reset, ResetChip);
        // A transfer ends when a packet that is not full arrives. The chip sends such a packet whenever its latency timer expires. Received bytes therefore do
        // not wait until a large transfer is full.
        _ring = input.CreateInputRing(new UsbRingOptions { TransferSize = PacketsPerTransfer * _packetSize, Transfers = 4, Spares = 4 });
        _received = _pipe.Reader.AsStream();
        _ring.Start();
        _pump = PumpAsync();
    }

    /// <summary>Opens a port and resets the chip. If a kernel driver was attached to the device, disposing the port attaches the driver again.</summary>
    /// <param name="device">The adapter.</param>
    /// <exception cref="UsbException">The device cannot be opened, is in use by another program, or has no bulk endpoints.</exception>
    /// <exception cref="InvalidDataException">The device is not an FTDI chip.</exception>
    public static FtdiStream Open(UsbDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        UsbDeviceHandle handle = device.Open();
        try
        {
            handle.TrySetAutoDetachKernelDriver(true); // fails only on Windows, where no kernel driver holds the interface
            return new FtdiStream(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Sets the baud rate of the line.</summary>
    /// <param name="rate">The baud rate: 184 to 2,000,000, or 3,000,000.</param>
    /// <returns>The new baud rate: the supported rate that is nearest to the requested rate. The two rates differ by at most 3 %.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The nearest supported rate differs from the requested rate by more than 3 %.</exception>
    public double SetBaudRate(int rate)
    {
        FtdiBaudRate nearest = FtdiBaudRate.Nearest(rate);
        Send(FtdiRequest.SetBaudRate, (ushort)nearest.Code, (ushort)(nearest.Code >> 16));
        return nearest.Rate;
    }

    /// <summary>Sets the format of a character on the line.</summary>
    /// <param name="dataBits">The number of data bits, 7 or 8.</param>
    /// <param name="parity">The parity bit.</param>
    /// <param name="stopBits">The duration of the stop bits.</param>
    /// <param name="sendsBreak">Whether the chip sends a break.</param>
    /// <exception cref="ArgumentOutOfRangeException">The chip does not support the format.</exception>
    public void SetFormat(int dataBits = 8, FtdiParity parity = FtdiParity.None, FtdiStopBits stopBits = FtdiStopBits.One, bool sendsBreak = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dataBits, 7);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dataBits, 8);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)parity, (uint)FtdiParity.Space, nameof(parity));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)stopBits, (uint)FtdiStopBits.Two, nameof(stopBits));
        Send(FtdiRequest.SetFormat, (ushort)(dataBits | ((int)parity << 8) | ((int)stopBits << 11) | (sendsBreak ? 1 << 14 : 0)));
    }

    /// <summary>Sets the flow control of the line.</summary>
    /// <param name="flowControl">The kind of flow control.</param>
    public void SetFlowControl(FtdiFlowControl flowControl)
    {
        const ushort xonXoff = 0x11 | (0x13 << 8);
        Send(FtdiRequest.SetFlowControl, flowControl == FtdiFlowControl.XonXoff ? xonXoff : (ushort)0, (ushort)((int)flowControl << 8));
    }

    /// <summary>Asserts or deasserts the modem lines that the chip drives.</summary>
    /// <param name="dataTerminalReady">The state of DTR. Null leaves DTR unchanged.</param>
    /// <param name="requestToSend">The state of RTS. Null leaves RTS unchanged.</param>
    public void SetModemLines(bool? dataTerminalReady = null, bool? requestToSend = null)
    {
        int value = 0;
        if (dataTerminalReady is { } dtr)
            value |= 0x100 | (dtr ? 1 : 0);
        if (requestToSend is { } rts)
            value |= 0x200 | (rts ? 2 : 0);
        Send(FtdiRequest.SetModemControl, (ushort)value);
    }

    /// <summary>
    /// Requests the line's state from the chip. The property <see cref="Status"/> makes no request, but returns the state from the last packet.
    /// </summary>
    /// <exception cref="InvalidDataException">The chip's answer is too short.</exception>
    public FtdiStatus ReadStatus()
    {
        Span<byte> answer = stackalloc byte[FtdiStatus.Size];
        Receive(FtdiRequest.GetModemStatus, answer);
        return FtdiStatus.Parse(answer);
    }

    /// <summary>Reads the latency from the chip: the time after which the chip sends its data even if a packet is not full.</summary>
    /// <exception cref="InvalidDataException">The chip's answer is too short.</exception>
    public TimeSpan ReadLatency()
    {
        Span<byte> answer = stackalloc byte[1];
        Receive(FtdiRequest.GetLatency, answer);
        return TimeSpan.FromMilliseconds(answer[0]);
    }

    /// <summary>Sets the latency: the time after which the chip sends its data even if a packet is not full.</summary>
    /// <param name="latency">The latency, 1 to 255 milliseconds.</param>
    /// <exception cref="ArgumentOutOfRangeException">The latency is out of range.</exception>
    public void SetLatency(TimeSpan latency)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(latency, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(latency, TimeSpan.FromMilliseconds(255));
        Send(FtdiRequest.SetLatency, (ushort)latency.TotalMilliseconds);
    }

    private void Send(FtdiRequest request, ushort value, ushort index = Port) =>
        _handle.ControlWrite(SetupFor(request, value, index), timeout: s_patience);

    private async ValueTask SendAsync(FtdiRequest request, ushort value) =>
        await _handle.ControlWriteAsync(SetupFor(request, value, Port), timeout: s_patience).ConfigureAwait(false);

    private static UsbControlSetup SetupFor(FtdiRequest request, ushort value, ushort index) =>
        new(UsbDirection.Out, UsbRequestKind.Vendor, UsbRecipient.Device, (byte)request, value, index);

    private void Receive(FtdiRequest request, Span<byte> answer)
    {
        var setup = new UsbControlSetup(UsbDirection.In, UsbRequestKind.Vendor, UsbRecipient.Device, (byte)request, value: 0, index: Port);
        int length = _handle.ControlRead(setup, answer, s_patience);
        if (length != answer.Length)
            throw new InvalidDataException($"The chip answered the request {request} with {length} bytes instead of {answer.Length}.");
    }
}
