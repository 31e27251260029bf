namespace Native.LibUsb.Testing;

/// <summary>Represents a kernel driver that binds to several interfaces of a configuration at once, such as <c>cdc_acm</c> or <c>snd-usb-audio</c>.</summary>
/// <param name="Name">The name of the driver.</param>
/// <param name="Interfaces">
/// The numbers of the driver's interfaces. The driver binds to the first interface by its class, and then claims the other interfaces.
/// </param>
/// <remarks>
/// As in the kernel, the driver releases all its interfaces when it is detached from one of them. The driver binds to all its interfaces again when it is
/// attached to the first interface and the other interfaces are free. Attaching the driver to any other interface has no effect.
/// </remarks>
public sealed record SharedKernelDriver(string Name, params IReadOnlyList<byte> Interfaces);
