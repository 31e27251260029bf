namespace Native.LibUsb.Testing;

/// <summary>Represents a configuration with its interfaces.</summary>
/// <param name="Interfaces">The interfaces, in the order of their descriptors.</param>
public sealed record ConfigurationDescription(params IReadOnlyList<InterfaceDescription> Interfaces)
{
    /// <summary>Gets or sets <c>bConfigurationValue</c>, 1 to 255.</summary>
    public byte Value { get; init; } = 1;

    /// <summary>Gets or sets the configuration's string.</summary>
    public UsbText? Name { get; init; }

    /// <summary>Gets or sets whether the device has a supply of its own.</summary>
    public bool SelfPowered { get; init; }

    /// <summary>Gets or sets whether the device can wake the host.</summary>
    public bool RemoteWakeup { get; init; }

    /// <summary>Gets or sets the most current the device draws, in mA (up to 500, or 900 at SuperSpeed).</summary>
    public int MaxPowerMilliamps { get; init; } = 100;

    /// <summary>Gets or sets the interface associations; each is written before its first interface.</summary>
    public IReadOnlyList<InterfaceAssociation> Associations { get; init; } = [];

    /// <summary>Gets or sets the kernel drivers that have several of the interfaces. They bind when the device is configured, as those of
    /// <see cref="InterfaceDescription.KernelDriver"/> do. On <see cref="VirtualBusHost.Kernel"/> the kernel decides that itself, by the class.</summary>
    public IReadOnlyList<SharedKernelDriver> SharedDrivers { get; init; } = [];

    /// <summary>Gets or sets the bytes of the configuration descriptor and of all that follow it, as the device gives them; null for those that the other
    /// properties make.</summary>
    /// <remarks>
    /// The bytes may contradict themselves and the other properties. They are what a program reads, from the device and from sysfs, while
    /// <see cref="Value"/> and the interfaces stay what can be selected, claimed and transferred to. <see cref="Raw"/> makes both of the same bytes.
    /// A kernel (<see cref="VirtualBusHost.Kernel"/>) corrects what it reads, or refuses the device: then attaching it fails.
    /// </remarks>
    public ReadOnlyMemory<byte>? RawBytes { get; init; }

    /// <summary>Descriptors directly after the configuration's own (class-specific), whole.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    /// <summary>Makes a configuration from its bytes, which may be inconsistent: lengths that lie, counts that do not fit, a descriptor that is cut.</summary>
    /// <param name="bytes">The configuration descriptor and all that follow it, as the device gives them.</param>
    /// <returns>A configuration with these <see cref="RawBytes"/>. Its value is the sixth byte, or 1 when there is none; its interfaces are those
    /// that a kernel would find in the bytes before the first descriptor that does not fit into the rest. Of an interface whose settings have
    /// gaps, the missing ones have no endpoints.</returns>
    public static ConfigurationDescription Raw(ReadOnlyMemory<byte> bytes)
    {
        const int value = 5;
        ReadOnlyMemory<byte> copy = bytes.ToArray();
        return new ConfigurationDescription(RawConfiguration.ReadInterfaces(copy.Span)) { Value = copy.Length > value ? copy.Span[value] : (byte)1, RawBytes = copy };
    }

    internal void Check(VirtualSpeed speed)
    {
        CheckSharedDrivers();
        if (RawBytes is not null)
            return; // the wrong value is wanted
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

    /// <summary>Gets the driver that has an interface together with others; null when there is none.</summary>
    internal SharedKernelDriver? SharedDriverOf(byte number) => SharedDrivers.FirstOrDefault(driver => driver.Interfaces.Contains(number));

    internal byte[] Write(VirtualSpeed speed, StringTable strings)
    {
        if (RawBytes is { } raw)
            return raw.ToArray();
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

    private void CheckSharedDrivers()
    {
        HashSet<byte> taken = [.. Interfaces.Where(i => i.KernelDriver is not null).Select(i => i.Number)];
        foreach (SharedKernelDriver driver in SharedDrivers)
            foreach (byte number in driver.Interfaces)
            {
                if (!Interfaces.Any(i => i.Number == number))
                    throw new ArgumentException($"The driver {driver.Name} cannot have interface {number}: there is none.");
                if (!taken.Add(number))
                    throw new ArgumentException($"Interface {number} has two drivers.");
            }
    }
}
