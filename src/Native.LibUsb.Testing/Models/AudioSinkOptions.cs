namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of an <see cref="AudioSink"/>.</summary>
public sealed record AudioSinkOptions
{
    /// <summary>Gets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0015;

    /// <summary>Gets the serial number. Null if there is none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets the kernel driver that is initially bound to the interface. Null if there is none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>Gets the nominal sample rate in Hz, 8,000 to 48,000. Frames are stereo, with samples of 16 bits.</summary>
    public int SampleRate { get; init; } = 44_100;

    /// <summary>
    /// Gets the difference between the device's clock and the bus's clock, in ppm. The value is between -10,000 and 10,000. With a positive value, the device's
    /// clock is faster. The host can determine the difference from the device's feedback.
    /// </summary>
    public int ClockDeviation { get; init; }

    /// <summary>
    /// Gets the buffer size in frames. The buffer must hold at least 8 ms of sound. The device starts to play when the buffer is half full. The feedback of the
    /// device keeps the buffer half full.
    /// </summary>
    public int BufferFrames { get; init; } = 8192;
}
