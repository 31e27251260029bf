namespace Native.LibUsb.Testing;

/// <summary>Represents a kernel driver that has several interfaces of a configuration at once, such as <c>cdc_acm</c> or <c>snd-usb-audio</c>.</summary>
/// <param name="Name">The name of the driver.</param>
/// <param name="Interfaces">The numbers of its interfaces. The driver binds to the first, by its class, and then takes the others.</param>
/// <remarks>
/// As in the kernel, the driver releases all its interfaces when one is detached from it. It comes back when it is attached to the first
/// interface while all the others are free, and not when it is attached to one of the others.
/// </remarks>
public sealed record SharedKernelDriver(string Name, params IReadOnlyList<byte> Interfaces);
