namespace Native.LibUsb.Testing;

/// <summary>Represents a configuration with its interfaces.</summary>
/// <param name="Interfaces">The interfaces, in the order of their descriptors.</param>
public sealed record ConfigurationDescription(params IReadOnlyList<InterfaceDescription> Interfaces)
{
    /// <summary>Gets or sets <c>bConfigurationValue</c>, 1 to 255.</summary>
    public byte Value { get; init; } = 1;

    /// <summary>Gets or sets the configuration's string.</summary>
    public UsbText? Name { get; init; }

    /// <summary>Gets or sets whether the device has its own power supply.</summary>
    public bool SelfPowered { get; init; }

    /// <summary>Gets or sets whether the device can wake the host.</summary>
    public bool RemoteWakeup { get; init; }

    /// <summary>Gets or sets the maximum current that the device draws, in mA (up to 500, or 900 at SuperSpeed).</summary>
    public int MaxPowerMilliamps { get; init; } = 100;

    /// <summary>Gets or sets the interface associations. Each association descriptor is written before the descriptor of its first interface.</summary>
    public IReadOnlyList<InterfaceAssociation> Associations { get; init; } = [];

    /// <summary>
    /// Gets or sets the kernel drivers that bind to several interfaces at the same time. Like the driver in <see cref="InterfaceDescription.KernelDriver"/>,
    /// these drivers bind when the device is configured. On <see cref="VirtualBusHost.Kernel"/>, the property has no effect, because the kernel chooses drivers by
    /// the class of an interface.
    /// </summary>
    public IReadOnlyList<SharedKernelDriver> SharedDrivers { get; init; } = [];

    /// <summary>Gets or sets all bytes that the device returns for this configuration. Null if the bytes are generated from the other properties.</summary>
    /// <remarks>
    /// The bytes include the configuration descriptor and all descriptors that follow it. The bytes may be inconsistent, and they may contradict the other
    /// properties. Programs read these bytes from the device and from sysfs. The bytes do not change the behaviour of the device: <see cref="Value"/> and
    /// <see cref="Interfaces"/> determine the configuration value, the interfaces and the endpoints that a program can use. If the value and the interfaces
    /// must match the bytes, create the configuration with <see cref="Raw"/>, which derives both from the bytes. On <see cref="VirtualBusHost.Kernel"/>, the
    /// kernel corrects inconsistent bytes or refuses the device. If the kernel refuses the device, the device cannot be attached.
    /// </remarks>
    public ReadOnlyMemory<byte>? RawBytes { get; init; }

    /// <summary>Gets or sets the complete class-specific descriptors that directly follow the configuration descriptor.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }

    /// <summary>Creates a configuration from its bytes. The bytes may be inconsistent: they may contain wrong lengths, wrong counts or a truncated
    /// descriptor.</summary>
    /// <param name="bytes">The configuration descriptor and all descriptors that follow it, as the device returns them.</param>
    /// <returns>
    /// A configuration with these <see cref="RawBytes"/>. Its value is the sixth byte, or 1 if there are fewer than six bytes. Its interfaces are the
    /// interfaces that a kernel would find in the bytes. A kernel stops at the first descriptor that is longer than the remaining bytes. If the setting numbers
    /// of an interface have gaps, the configuration contains a setting without endpoints for each missing number.
    /// </returns>
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
            return; // raw bytes are inconsistent on purpose
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

    /// <summary>Returns the driver that binds to this interface together with others. Null if there is none.</summary>
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
