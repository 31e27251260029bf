namespace Native.LibUsb;

// The methods for the users of endpoints. A user is a ring, which belongs to a higher layer and keeps an endpoint busy.
public sealed unsafe partial class UsbDeviceHandle
{
    // Each endpoint, or each stream of an endpoint, has at most one user. The dictionary does not keep the users alive.
    private readonly Dictionary<(byte Endpoint, int StreamId), WeakReference<IEndpointUser>> _endpointUsers = [];

    // One bit for each endpoint that has a user (InterfaceClaims.Bit). IsInUse checks this field first, and takes the lock only if the endpoint has a user.
    private int _usedEndpoints;

    private bool HasActiveEndpointUser => Array.Exists(EndpointUsers(), static user => user.IsActive);

    /// <summary>Registers the user of an endpoint.</summary>
    /// <exception cref="InvalidOperationException">
    /// The endpoint already has a user, or a thread is changing the alternate setting of the interface or is resetting the device.
    /// </exception>
    internal void AddEndpointUser(IEndpointUser user)
    {
        lock (_endpointUsers)
        {
            if (_endpointUsers.TryGetValue((user.Endpoint, user.StreamId), out WeakReference<IEndpointUser>? other) && other.TryGetTarget(out _))
                throw new InvalidOperationException($"Another ring uses endpoint 0x{user.Endpoint:x2}: dispose it first.");
            if (user.Interface.Claimed.IsChanging) // checked under the lock: a thread that changes the setting first sets IsChanging, and then reads the users
                throw UsbEndpoint.Changing(user.Endpoint, user.Interface.Number);
            _endpointUsers[(user.Endpoint, user.StreamId)] = new WeakReference<IEndpointUser>(user);
            NoteUsedEndpoints();
        }
    }

    /// <summary>Gets the endpoints that have a user, active or not, one bit each.</summary>
    internal int EndpointsWithUser()
    {
        lock (_endpointUsers)
            return _endpointUsers.Keys.Aggregate(0, static (bits, key) => bits | InterfaceClaims.Bit(key.Endpoint));
    }

    internal void RemoveEndpointUser(IEndpointUser user)
    {
        lock (_endpointUsers)
        {
            _endpointUsers.Remove((user.Endpoint, user.StreamId));
            NoteUsedEndpoints();
        }
    }

    /// <summary>Gets whether a user keeps the whole endpoint busy. Users of single bulk streams do not count.</summary>
    internal bool IsInUse(byte endpoint) => (Volatile.Read(ref _usedEndpoints) & InterfaceClaims.Bit(endpoint)) != 0 && IsUserActive(endpoint);

    /// <summary>
    /// Stops each endpoint user that <paramref name="stops"/> selects. A stopped user does not start again. Cancelling a ring's transfers would not be enough:
    /// if all buffers of a ring wait for the program to read them, no transfer is in flight, but the ring submits transfers later.
    /// </summary>
    internal void StopEndpointUsers(Predicate<IEndpointUser> stops, UsbError failure)
    {
        foreach (IEndpointUser user in EndpointUsers())
        {
            if (stops(user))
                user.Stop(failure);
        }
    }

    private byte? FindActiveEndpointUser(Predicate<IEndpointUser> isMine) => Array.Find(EndpointUsers(), user => user.IsActive && isMine(user))?.Endpoint;

    private bool IsUserActive(byte endpoint)
    {
        lock (_endpointUsers)
            return _endpointUsers.TryGetValue((endpoint, 0), out WeakReference<IEndpointUser>? one) && one.TryGetTarget(out IEndpointUser? user) && user.IsActive;
    }

    // The caller holds the lock of the users.
    private void NoteUsedEndpoints() => Volatile.Write(ref _usedEndpoints, _endpointUsers.Keys.Aggregate(0, static (bits, key) => bits | InterfaceClaims.Bit(key.Endpoint)));

    private IEndpointUser[] EndpointUsers()
    {
        lock (_endpointUsers)
            return [.. _endpointUsers.Values.Select(static one => one.TryGetTarget(out IEndpointUser? user) ? user : null).OfType<IEndpointUser>()];
    }
}
