namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of a <see cref="BulkLoopback"/>.</summary>
public sealed record BulkLoopbackOptions
{
    /// <summary>Gets or sets the speed: full, high or SuperSpeed.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.High;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0011;

    /// <summary>Gets or sets the serial number. Null if there is none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets the base-two logarithm of the number of streams, or 0 for no streams. The value has an effect only at SuperSpeed.</summary>
    public int StreamsExponent { get; init; }

    /// <summary>Gets or sets the maximum number of bytes that the device stores for each stream. If the device has stored this number of bytes for a
    /// stream, the stream's OUT transfers wait.</summary>
    public int Capacity { get; init; } = 4 << 20;

    /// <summary>Gets or sets the kernel driver that is initially bound to the interface. Null if there is none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>Gets or sets <c>bInterfaceClass</c>, <c>bInterfaceSubClass</c> and <c>bInterfaceProtocol</c>. A real kernel uses these values to choose
    /// the driver.</summary>
    public (byte Class, byte Subclass, byte Protocol) InterfaceClass { get; init; } = (0xff, 0, 0);
}
