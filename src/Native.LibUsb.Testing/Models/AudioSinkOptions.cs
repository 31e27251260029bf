namespace Native.LibUsb.Testing;

/// <summary>Specifies how an <see cref="AudioSink"/> is made.</summary>
public sealed record AudioSinkOptions
{
    /// <summary>Gets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0015;

    /// <summary>Gets the serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets the kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>Gets the nominal sample rate in Hz, 8,000 to 48,000. Frames are stereo, with samples of 16 bits.</summary>
    public int SampleRate { get; init; } = 44_100;

    /// <summary>Gets how much faster the device's clock runs than the bus's, in millionths: what makes feedback necessary.</summary>
    public int ClockDeviation { get; init; }

    /// <summary>Gets the size of the buffer in frames. Playing begins when it is half full, and the feedback keeps it half full.</summary>
    public int BufferFrames { get; init; } = 8192;
}
