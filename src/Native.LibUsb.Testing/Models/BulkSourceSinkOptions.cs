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

    /// <summary>Gets or sets the serial number. Null if there is none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets whether the IN endpoint sends packets of the <see cref="NumberedPattern"/>. If false, the device leaves the buffers unchanged, and
    /// the host receives the old contents of the buffers. Use false for benchmarks.</summary>
    public bool Numbered { get; init; } = true;

    /// <summary>Gets or sets the kernel driver that is initially bound to the interface. Null if there is none.</summary>
    public string? KernelDriver { get; init; }
}
