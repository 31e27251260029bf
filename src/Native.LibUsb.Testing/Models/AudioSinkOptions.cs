namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of an <see cref="AudioSink"/>.</summary>
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

    /// <summary>Gets by how many millionths the device's clock is faster than the bus's, -10,000 to 10,000; the host sees it by the feedback.</summary>
    public int ClockDeviation { get; init; }

    /// <summary>Gets the size of the buffer in frames, at least 8 ms of sound. The device begins to play when the buffer is half full, and its feedback keeps it half full.</summary>
    public int BufferFrames { get; init; } = 8192;
}
