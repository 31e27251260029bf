namespace Native.LibUsb.Testing;

/// <summary>Represents an interface with its alternate settings.</summary>
/// <param name="Number"><c>bInterfaceNumber</c>, 0 to 31.</param>
/// <param name="AlternateSettings">The alternate settings. The first one is setting 0, which is active after configuration.</param>
public sealed record InterfaceDescription(byte Number, params IReadOnlyList<AlternateSetting> AlternateSettings)
{
    /// <summary>Gets or sets the kernel driver that binds to the interface when the device is configured. Null if there is none. On
    /// <see cref="VirtualBusHost.Kernel"/>, the property has no effect: the kernel chooses drivers by class.</summary>
    public string? KernelDriver { get; init; }
}
