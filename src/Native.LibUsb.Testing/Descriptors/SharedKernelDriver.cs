namespace Native.LibUsb.Testing;

/// <summary>Represents a kernel driver that binds to several interfaces of a configuration at once, such as <c>cdc_acm</c> or <c>snd-usb-audio</c>.</summary>
/// <param name="Name">The name of the driver.</param>
/// <param name="Interfaces">The numbers of the driver's interfaces. The driver binds to the first one, by its class, and then claims the others.</param>
/// <remarks>
/// As in the kernel, detaching the driver from one of its interfaces makes the driver release all of them. The driver binds again when it is attached to the
/// first interface while all others are free. Attaching the driver to another interface has no effect.
/// </remarks>
public sealed record SharedKernelDriver(string Name, params IReadOnlyList<byte> Interfaces);
