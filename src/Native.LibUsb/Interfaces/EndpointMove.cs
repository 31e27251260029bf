namespace Native.LibUsb;

/// <summary>
/// Represents the time during which a call transfers data on an endpoint, or submits a transfer. Until the call disposes this struct, no thread changes the
/// alternate setting of the endpoint's interface.
/// </summary>
internal readonly ref struct EndpointMove(ClaimedInterface claimed, byte endpoint)
{
    public void Dispose() => claimed.EndMove(endpoint);
}
