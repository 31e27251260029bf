namespace Native.LibUsb;

/// <summary>
/// Represents an interface that a device handle has claimed in libusb. Any number of <see cref="UsbInterface"/> objects can share this claim.
/// </summary>
/// <param name="number"><c>bInterfaceNumber</c>.</param>
/// <param name="settings">The alternate settings of the interface; empty if the descriptors could not be read.</param>
internal sealed class ClaimedInterface(int number, IReadOnlyList<UsbInterfaceDescriptor> settings)
{
    private int _generation;
    private int _changes; // the number of setting changes and resets that are in progress
    private readonly int[] _moving = new int[32]; // for each endpoint, the number of calls that transfer data; the index is InterfaceClaims.Place

    public int Number => number;

    public IReadOnlyList<UsbInterfaceDescriptor> Settings => settings;

    /// <summary>
    /// Gets one bit (<see cref="InterfaceClaims.Bit"/>) for each endpoint of the alternate settings. Endpoint 0 has no bit, because it belongs to the device.
    /// This also applies if the interface's descriptors wrongly contain endpoint 0.
    /// </summary>
    public int Endpoints { get; } = settings.SelectMany(static setting => setting.Endpoints)
        .Where(static endpoint => UsbEndpointAddress.Number(endpoint.Address) != 0)
        .Aggregate(0, static (bits, endpoint) => bits | InterfaceClaims.Bit(endpoint.Address));

    /// <summary>Gets or sets the number of claims. The caller holds the lock of the claims.</summary>
    public int Count { get; set; }

    /// <summary>Gets or sets whether the last claim is being disposed. The caller holds the lock of the claims.</summary>
    public bool IsClosing { get; set; }

    /// <summary>Gets or sets the active setting; null if the library has not determined it yet. The caller holds the lock of the claims.</summary>
    public UsbInterfaceDescriptor? ActiveSetting { get; set; }

    /// <summary>Gets a number that changes whenever endpoints become stale.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>Makes all endpoint objects of the interface stale.</summary>
    public void BeginGeneration() => Interlocked.Increment(ref _generation);

    /// <summary>Gets whether an alternate setting is being activated, or the device is being reset.</summary>
    public bool IsChanging => Volatile.Read(ref _changes) != 0;

    /// <summary>
    /// Begins a change of the alternate setting, or a reset. Until <see cref="EndChange"/>, no further call may transfer data. <see cref="FindMoving"/> finds
    /// the calls that began earlier.
    /// </summary>
    public void BeginChange() => Interlocked.Increment(ref _changes);

    public void EndChange() => Interlocked.Decrement(ref _changes);

    /// <summary>
    /// Registers a call that is about to transfer data. If the method returns true, the caller must check whether its endpoint is stale
    /// (<see cref="Generation"/>), and must later call <see cref="EndMove"/>.
    /// </summary>
    /// <returns>
    /// True if the call is registered. Until <see cref="EndMove"/>, <see cref="FindMoving"/> finds the call, and no thread changes the alternate setting. False
    /// if the alternate setting is being changed or the device is being reset.
    /// </returns>
    public bool TryBeginMove(byte endpoint)
    {
        Interlocked.Increment(ref _moving[InterfaceClaims.Place(endpoint)]);
        if (!IsChanging)
            return true;
        EndMove(endpoint);
        return false;
    }

    public void EndMove(byte endpoint) => Interlocked.Decrement(ref _moving[InterfaceClaims.Place(endpoint)]);

    /// <summary>Finds an endpoint on which a call transfers data; null if there is none.</summary>
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
