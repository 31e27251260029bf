namespace Native.LibUsb.Testing;

/// <summary>A configuration with its interfaces.</summary>
/// <param name="Interfaces">The interfaces, in the order of their descriptors.</param>
public sealed record ConfigurationDescription(params IReadOnlyList<InterfaceDescription> Interfaces)
{
    /// <summary><c>bConfigurationValue</c>, 1 to 255.</summary>
    public byte Value { get; init; } = 1;

    /// <summary>The configuration's string.</summary>
    public UsbText? Name { get; init; }

    /// <summary>Whether the device has a supply of its own.</summary>
    public bool SelfPowered { get; init; }

    /// <summary>Whether the device can wake the host.</summary>
    public bool RemoteWakeup { get; init; }

    /// <summary>The most current the device draws, in mA (up to 500, or 900 at SuperSpeed).</summary>
    public int MaxPowerMilliamps { get; init; } = 100;

    /// <summary>Interface associations; each is written before its first interface.</summary>
    public IReadOnlyList<InterfaceAssociation> Associations { get; init; } = [];

    /// <summary>Descriptors directly after the configuration's own (class-specific), whole.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    internal void Check(VirtualSpeed speed)
    {
        if (Value == 0)
            throw new ArgumentException("Configuration value 0 means not configured.");
        if (Interfaces.Select(i => i.Number).Distinct().Count() != Interfaces.Count || Interfaces.Any(i => i.Number > 31))
            throw new ArgumentException($"Configuration {Value}: interface numbers are 0 to 31 and differ.");
        foreach (InterfaceDescription one in Interfaces)
        {
            if (one.AlternateSettings.Count is < 1 or > 256)
                throw new ArgumentException($"Interface {one.Number} needs at least one alternate setting.");
            foreach (EndpointDescription endpoint in one.AlternateSettings.SelectMany(s => s.Endpoints))
                endpoint.Check(speed);
        }
    }

    internal byte[] Write(VirtualSpeed speed, StringTable strings)
    {
        int unit = speed >= VirtualSpeed.Super ? 8 : 2;
        List<byte> bytes =
        [
            9, 2, 0, 0, (byte)Interfaces.Count, Value, strings.Index(Name),
            (byte)(0x80 | (SelfPowered ? 0x40 : 0) | (RemoteWakeup ? 0x20 : 0)), (byte)((MaxPowerMilliamps + unit - 1) / unit),
        ];
        bytes.AddRange(Extra.Span);
        foreach (InterfaceDescription one in Interfaces)
        {
            foreach (InterfaceAssociation association in Associations.Where(a => a.FirstInterface == one.Number))
                association.Write(bytes, strings);
            for (int setting = 0; setting < one.AlternateSettings.Count; setting++)
                one.AlternateSettings[setting].Write(bytes, one.Number, setting, speed, strings);
        }
        bytes[2] = (byte)bytes.Count;
        bytes[3] = (byte)(bytes.Count >> 8);
        return [.. bytes];
    }
}
