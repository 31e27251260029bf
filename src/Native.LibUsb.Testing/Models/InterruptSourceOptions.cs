namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of an <see cref="InterruptSource"/>.</summary>
public sealed record InterruptSourceOptions
{
    /// <summary>Gets or sets the speed: low, full, high or SuperSpeed.</summary>
    public VirtualSpeed Speed { get; init; } = VirtualSpeed.Full;

    /// <summary>Gets or sets <c>idVendor</c>.</summary>
    public ushort VendorId { get; init; } = 0x1209;

    /// <summary>Gets or sets <c>idProduct</c>.</summary>
    public ushort ProductId { get; init; } = 0x0012;

    /// <summary>Gets or sets the serial number; null for none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets the bytes in a report: 8 (low speed) or up to 64, or 1024 at high speed and above.</summary>
    public int ReportSize { get; init; } = 8;

    /// <summary>Milliseconds between reports (in whole frames); 0: only what <see cref="InterruptSource.Report"/> is given.</summary>
    public int PeriodMilliseconds { get; init; }

    /// <summary>Gets or sets the number of reports that wait in the device for the host; when there are more, the oldest goes.</summary>
    public int QueueLength { get; init; } = 64;

    /// <summary>Gets or sets the kernel driver bound to the interface at first; null for none.</summary>
    public string? KernelDriver { get; init; }
}
