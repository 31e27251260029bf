namespace Native.LibUsb.Testing;

/// <summary>How a <see cref="BulkSourceSink"/> is made.</summary>
public sealed record BulkSourceSinkOptions
{
    /// <summary>Full, high or SuperSpeed.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary><c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary><c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0014;

    /// <summary>The serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>True: each packet of the endpoint is one of the <see cref="NumberedPattern"/>. False: nothing is written, and what arrives is
    /// whatever was in the bus's memory; for measuring.</summary>
    public bool Numbered { get; init; } = true;

    /// <summary>The kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }
}
