namespace Native.LibUsb.Testing;

/// <summary>Specifies the system's side of the bus, which answers the programs that use a <see cref="VirtualBus"/>.</summary>
public enum VirtualBusHost
{
    /// <summary><see cref="Preload"/> when this process was started with its library; otherwise <see cref="Kernel"/> where this process may
    /// attach devices to <c>vhci_hcd</c>; otherwise <see cref="Preload"/>.</summary>
    Automatic,

    /// <summary>A library that is loaded into the programs: no privileges, and only these programs see the bus.</summary>
    Preload,

    /// <summary>The Linux kernel of this machine, through its module <c>vhci_hcd</c>: real usbfs, and every program sees the devices.
    /// Needs root.</summary>
    Kernel,
}
