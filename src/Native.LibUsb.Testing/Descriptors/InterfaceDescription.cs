namespace Native.LibUsb.Testing;

/// <summary>Represents an interface with its alternate settings.</summary>
/// <param name="Number"><c>bInterfaceNumber</c>, 0 to 31.</param>
/// <param name="AlternateSettings">
/// The alternate settings. The first setting has the number 0 and is active after the device has been configured.
/// </param>
public sealed record InterfaceDescription(byte Number, params IReadOnlyList<AlternateSetting> AlternateSettings)
{
    /// <summary>
    /// Gets or sets the kernel driver that binds to the interface when the device is configured. Null if no kernel driver binds to it. On
    /// <see cref="VirtualBusHost.Kernel"/>, the property has no effect, because the kernel chooses drivers by the class of an interface.
    /// </summary>
    public string? KernelDriver { get; init; }
}
