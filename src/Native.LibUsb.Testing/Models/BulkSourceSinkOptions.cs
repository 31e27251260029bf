namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of a <see cref="BulkSourceSink"/>.</summary>
public sealed record BulkSourceSinkOptions
{
    /// <summary>Gets or sets the speed: full, high or SuperSpeed.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0014;

    /// <summary>Gets or sets the serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets whether each packet of the endpoint is one of the <see cref="NumberedPattern"/>. False: nothing is written, and the data is the
    /// old content of the bus's memory; for measuring.</summary>
    public bool Numbered { get; init; } = true;

    /// <summary>Gets or sets the kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }
}
