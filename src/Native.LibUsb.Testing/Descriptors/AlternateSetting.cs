namespace Native.LibUsb.Testing;

/// <summary>Represents one alternate setting of an interface. The setting's number is its position in
/// <see cref="InterfaceDescription.AlternateSettings"/>.</summary>
/// <param name="Endpoints">The endpoints, in the order of their descriptors.</param>
public sealed record AlternateSetting(params IReadOnlyList<EndpointDescription> Endpoints)
{
    /// <summary>Gets or sets <c>bInterfaceClass</c>. The default is 0xff, vendor specific.</summary>
    public byte Class { get; init; } = 0xff;

    /// <summary>Gets or sets <c>bInterfaceSubClass</c>.</summary>
    public byte Subclass { get; init; }

    /// <summary>Gets or sets <c>bInterfaceProtocol</c>.</summary>
    public byte Protocol { get; init; }

    /// <summary>Gets or sets the interface string.</summary>
    public UsbText? Name { get; init; }

    /// <summary>Gets or sets the complete class-specific descriptors between the interface descriptor and its first endpoint descriptor.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    internal void Write(List<byte> to, byte number, int setting, VirtualSpeed speed, StringTable strings)
    {
        to.AddRange([9, 4, number, (byte)setting, (byte)Endpoints.Count, Class, Subclass, Protocol, strings.Index(Name)]);
        to.AddRange(Extra.Span);
        foreach (EndpointDescription endpoint in Endpoints)
            endpoint.Write(to, speed);
    }
}
