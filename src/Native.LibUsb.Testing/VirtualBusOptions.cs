namespace Native.LibUsb.Testing;

/// <summary>Specifies the options of a virtual bus.</summary>
public sealed record VirtualBusOptions
{
    /// <summary>Gets or sets the host that answers the programs.</summary>
    public VirtualBusHost Host { get; init; }

    /// <summary>Gets or sets whether the bus is used only by child processes that were started with <see cref="VirtualBus.ApplyTo"/>. On <see cref="VirtualBusHost.Preload"/>
    /// nothing is then loaded into this process, whose own libusb does not see the bus.</summary>
    public bool ForChildProcesses { get; init; }

    /// <summary>Gets or sets the capabilities that usbfs reports. A kernel decides that itself: only the default is possible there.</summary>
    public UsbfsCapabilities Capabilities { get; init; } = UsbfsCapabilities.Default;

    /// <summary>Gets or sets the budget of all transfers in flight of a process, in MiB; 0 for none. The kernel's default is 16.
    /// On <see cref="VirtualBusHost.Kernel"/> it is that of all programs, and gets its value back when the bus is disposed.</summary>
    public int UsbfsMemoryMegabytes { get; init; } = 16;
}
