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

    /// <summary>Gets or sets the serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets, at SuperSpeed only, the base-two logarithm of the number of streams; 0 for none.</summary>
    public int StreamsExponent { get; init; }

    /// <summary>Gets or sets the number of bytes that wait in the device (for each stream) before OUT transfers have to wait.</summary>
    public int Capacity { get; init; } = 4 << 20;

    /// <summary>Gets or sets the kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }

    /// <summary>Gets or sets <c>bInterfaceClass</c>, <c>bInterfaceSubClass</c> and <c>bInterfaceProtocol</c>, by which a real kernel chooses the driver.</summary>
    public (byte Class, byte Subclass, byte Protocol) InterfaceClass { get; init; } = (0xff, 0, 0);
}
