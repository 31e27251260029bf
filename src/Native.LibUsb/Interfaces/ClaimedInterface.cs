namespace Native.LibUsb;

/// <summary>Represents an interface that a device handle has claimed at libusb, once for any number of <see cref="UsbInterface"/> objects.</summary>
/// <param name="number"><c>bInterfaceNumber</c>.</param>
/// <param name="settings">Its alternate settings; empty if the descriptors could not be read.</param>
internal sealed class ClaimedInterface(int number, IReadOnlyList<UsbInterfaceDescriptor> settings)
{
    private int _generation;
    private int _changes; // alternate settings that are being activated, and resets
    private readonly int[] _moving = new int[32]; // calls that move data on an endpoint, by the place of its bit

    public int Number => number;

    public IReadOnlyList<UsbInterfaceDescriptor> Settings => settings;

    /// <summary>
    /// Gets the endpoints of all its settings, one bit each; see <see cref="InterfaceClaims.Bit"/>. Endpoint 0 belongs to the device: no interface has
    /// it, even if its descriptors list it.
    /// </summary>
    public int Endpoints { get; } = settings.SelectMany(static setting => setting.Endpoints)
        .Where(static endpoint => UsbEndpointAddress.Number(endpoint.Address) != 0)
        .Aggregate(0, static (bits, endpoint) => bits | InterfaceClaims.Bit(endpoint.Address));

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

    /// <summary>Gets whether an alternate setting is being activated, or the device is being reset.</summary>
    public bool IsChanging => Volatile.Read(ref _changes) != 0;

    /// <summary>Prevents further calls from moving data. Calls that have begun are seen by <see cref="FindMoving"/>.</summary>
    public void BeginChange() => Interlocked.Increment(ref _changes);

    public void EndChange() => Interlocked.Decrement(ref _changes);

    /// <summary>Notes that a call begins to move data, before it looks at the generation; <see cref="EndMove"/> follows.</summary>
    /// <returns>Whether it may: either the call sees the change, or the thread that begins the change sees the call.</returns>
    public bool TryBeginMove(byte endpoint)
    {
        Interlocked.Increment(ref _moving[InterfaceClaims.Place(endpoint)]);
        if (!IsChanging)
            return true;
        EndMove(endpoint);
        return false;
    }

    public void EndMove(byte endpoint) => Interlocked.Decrement(ref _moving[InterfaceClaims.Place(endpoint)]);

    /// <summary>Finds an endpoint on which a call moves data; null if there is none.</summary>
    public byte? FindMoving()
    {
        for (int place = 0; place < _moving.Length; place++)
        {
            if (Volatile.Read(ref _moving[place]) != 0)
                return InterfaceClaims.AddressAt(place);
        }

        return null;
    }

    public bool Has(byte endpoint) => (Endpoints & InterfaceClaims.Bit(endpoint)) != 0;
}
