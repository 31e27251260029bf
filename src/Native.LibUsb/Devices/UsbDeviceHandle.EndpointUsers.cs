namespace Native.LibUsb;

// The rings of a higher layer, which keep endpoints busy.
public sealed unsafe partial class UsbDeviceHandle
{
    // An endpoint, or one stream of it, has one user. Users are not kept alive here.
    private readonly Dictionary<(byte Endpoint, int StreamId), WeakReference<IEndpointUser>> _endpointUsers = [];

    // The endpoints of the users, one bit each (InterfaceClaims.Bit). Reads look here, and take the lock only if there is a user.
    private int _usedEndpoints;

    private bool HasActiveEndpointUser => Array.Exists(EndpointUsers(), static user => user.IsActive);

    /// <summary>Registers a user.</summary>
    /// <exception cref="InvalidOperationException">The endpoint has a user already, or its alternate setting is being changed.</exception>
    internal void AddEndpointUser(IEndpointUser user)
    {
        lock (_endpointUsers)
        {
            if (_endpointUsers.TryGetValue((user.Endpoint, user.StreamId), out WeakReference<IEndpointUser>? other) && other.TryGetTarget(out _))
                throw new InvalidOperationException($"Another ring uses endpoint 0x{user.Endpoint:x2}: dispose it first.");
            if (user.Interface.Claimed.IsChanging) // looked at in the lock: the thread that changes looks at the users after he has begun
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

    /// <summary>Gets whether a user keeps the endpoint, and not only a stream of it, busy.</summary>
    internal bool IsInUse(byte endpoint) => (Volatile.Read(ref _usedEndpoints) & InterfaceClaims.Bit(endpoint)) != 0 && IsUserActive(endpoint);

    /// <summary>
    /// Stops users of endpoints for good. Transfers in flight report a closed endpoint by themselves; a ring whose buffers are all unread has nothing in flight.
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

    // Under the lock.
    private void NoteUsedEndpoints() => Volatile.Write(ref _usedEndpoints, _endpointUsers.Keys.Aggregate(0, static (bits, key) => bits | InterfaceClaims.Bit(key.Endpoint)));

    private IEndpointUser[] EndpointUsers()
    {
        lock (_endpointUsers)
            return [.. _endpointUsers.Values.Select(static one => one.TryGetTarget(out IEndpointUser? user) ? user : null).OfType<IEndpointUser>()];
    }
}
