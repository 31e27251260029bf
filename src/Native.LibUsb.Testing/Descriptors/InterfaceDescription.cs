namespace Native.LibUsb.Testing;

/// <summary>Represents an interface with its alternate settings.</summary>
/// <param name="Number"><c>bInterfaceNumber</c>, 0 to 31.</param>
/// <param name="AlternateSettings">Its settings; the first is number 0, the one that is active after configuration.</param>
public sealed record InterfaceDescription(byte Number, params IReadOnlyList<AlternateSetting> AlternateSettings)
{
    /// <summary>Gets or sets the kernel driver that binds to the interface when the device is configured; null for none.
    /// On <see cref="VirtualBusHost.Kernel"/> the kernel decides that itself, by the class.</summary>
    public string? KernelDriver { get; init; }
}
