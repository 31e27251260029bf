namespace Native.LibUsb.Testing;

/// <summary>
/// Represents a kernel driver that binds to several interfaces of a configuration at the same time, such as <c>cdc_acm</c> or <c>snd-usb-audio</c>.
/// </summary>
/// <param name="Name">The name of the driver.</param>
/// <param name="Interfaces">
/// The numbers of the driver's interfaces. The kernel binds the driver to the first of these interfaces because of that interface's class. The driver then
/// claims the other interfaces.
/// </param>
/// <remarks>
/// If a program detaches the driver from one interface, the driver releases all of its interfaces, as a driver in the kernel does. If a program attaches the
/// driver to the first interface while the other interfaces are free, the driver binds to all its interfaces again. Attaching the driver to any other interface
/// has no effect.
/// </remarks>
public sealed record SharedKernelDriver(string Name, params IReadOnlyList<byte> Interfaces);
