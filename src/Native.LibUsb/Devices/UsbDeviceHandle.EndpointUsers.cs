namespace Native.LibUsb;

// Objects that have an endpoint to themselves, and stop when the handle closes.
public sealed unsafe partial class UsbDeviceHandle
{
    // An endpoint, or one stream of it, belongs to one user. The users are not kept alive here.
    private readonly Dictionary<(byte Endpoint, int StreamId), WeakReference<IEndpointUser>> _endpointUsers = [];

    /// <summary>Gives an endpoint, or one stream of it, to one user until <see cref="UnregisterEndpointUser"/>.</summary>
    /// <exception cref="InvalidOperationException">Another user has the endpoint.</exception>
    internal void RegisterEndpointUser(IEndpointUser user)
    {
        lock (_endpointUsers)
        {
            if (_endpointUsers.TryGetValue(KeyOf(user), out WeakReference<IEndpointUser>? other) && other.TryGetTarget(out _))
                throw new InvalidOperationException($"Another ring has endpoint 0x{user.Endpoint:x2}: dispose it first.");
            _endpointUsers[KeyOf(user)] = new WeakReference<IEndpointUser>(user);
        }
    }

    /// <summary>Frees the endpoint for another user.</summary>
    internal void UnregisterEndpointUser(IEndpointUser user)
    {
        lock (_endpointUsers)
            _endpointUsers.Remove(KeyOf(user));
    }

    // A user learns from its transfers in flight that the handle closes. One that has nothing in flight would not notice.
    private void StopEndpointUsers()
    {
        WeakReference<IEndpointUser>[] users;
        lock (_endpointUsers)
            users = [.. _endpointUsers.Values];
        foreach (WeakReference<IEndpointUser> one in users)
        {
            if (one.TryGetTarget(out IEndpointUser? user))
                user.StopForClosing();
        }
    }

    private static (byte, int) KeyOf(IEndpointUser user) => (user.Endpoint, user.StreamId);
}
