namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of a virtual bus.</summary>
public sealed record VirtualBusOptions
{
    /// <summary>Gets or sets the host that connects programs to the bus.</summary>
    public VirtualBusHost Host { get; init; }

    /// <summary>
    /// Gets or sets whether the bus is only for child processes that were started with <see cref="VirtualBus.ApplyTo"/>. If the value is true and the host is
    /// <see cref="VirtualBusHost.Preload"/>, the bus does not load the preload library into this process. Without this library, libusb in this process does not
    /// find the devices.
    /// </summary>
    public bool ForChildProcesses { get; init; }

    /// <summary>
    /// Gets or sets the capabilities that usbfs reports. With <see cref="VirtualBusHost.Kernel"/>, only the default is allowed, because the kernel
    /// determines the capabilities.
    /// </summary>
    public UsbfsCapabilities Capabilities { get; init; } = UsbfsCapabilities.Default;

    /// <summary>Gets or sets the limit, in MiB, for the memory of all transfers that a process has in flight. 0 means no limit. The kernel's default is 16.
    /// With <see cref="VirtualBusHost.Kernel"/>, the limit applies to all programs of the system, and the bus restores the previous value when it is
    /// disposed.</summary>
    public int UsbfsMemoryMegabytes { get; init; } = 16;
}
