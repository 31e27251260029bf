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

    /// <summary>Gets or sets the serial number. Null if there is none.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Gets or sets the size of a report in bytes: at most 8 at low speed, 64 at full speed, and 1024 at higher speeds.</summary>
    public int ReportSize { get; init; } = 8;

    /// <summary>Gets or sets the time between numbered reports, in milliseconds. With 0, the device sends reports only on demand.</summary>
    public int PeriodMilliseconds { get; init; }

    /// <summary>Gets or sets the maximum number of reports in the queue. If the queue is full, a new report replaces the oldest one.</summary>
    public int QueueLength { get; init; } = 64;

    /// <summary>Gets or sets the kernel driver that is initially bound to the interface. Null if there is none.</summary>
    public string? KernelDriver { get; init; }
}
