namespace Native.LibUsb.Testing;

/// <summary>Specifies the host of a <see cref="VirtualBus"/>. The host connects programs to the bus.</summary>
public enum VirtualBusHost
{
    /// <summary>
    /// Selects <see cref="Kernel"/> if this process has not loaded the preload library and may attach devices to <c>vhci_hcd</c>. In all other cases, selects
    /// <see cref="Preload"/>.
    /// </summary>
    Automatic,

    /// <summary>A library that is loaded into programs. The library needs no privileges. Only the programs that have loaded it find the devices.</summary>
    Preload,

    /// <summary>The Linux kernel of this machine, with its module <c>vhci_hcd</c>. This host needs root privileges. All programs find the devices and use
    /// the real usbfs.</summary>
    Kernel,
}
