namespace Native.LibUsb;

/// <summary>Represents an interface that a device handle has claimed at libusb, once for any number of <see cref="UsbInterface"/> objects.</summary>
/// <param name="number"><c>bInterfaceNumber</c>.</param>
/// <param name="settings">Its alternate settings; empty if the descriptors could not be read.</param>
internal sealed class ClaimedInterface(int number, IReadOnlyList<UsbInterfaceDescriptor> settings)
{
    private int _generation;

    public int Number => number;

    public IReadOnlyList<UsbInterfaceDescriptor> Settings => settings;

    /// <summary>Gets the endpoints of all its settings, one bit each; see <see cref="InterfaceClaims.Bit"/>.</summary>
    public int Endpoints { get; } = settings.SelectMany(static setting => setting.Endpoints).Aggregate(0, static (bits, endpoint) => bits | InterfaceClaims.Bit(endpoint.Address));

    /// <summary>Gets or sets how many claims there are. Under the lock of the claims.</summary>
    public int Count { get; set; }

    /// <summary>Gets or sets whether the last claim is being disposed. Under the lock of the claims.</summary>
    public bool IsClosing { get; set; }

    /// <summary>Gets or sets the setting that is active; null while it is not known. Under the lock of the claims.</summary>
    public UsbInterfaceDescriptor? ActiveSetting { get; set; }

    /// <summary>Gets a number that changes whenever endpoints become stale.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>Makes all its endpoints stale.</summary>
    public void BeginGeneration() => Interlocked.Increment(ref _generation);

    public bool Has(byte endpoint) => (Endpoints & InterfaceClaims.Bit(endpoint)) != 0;
}
