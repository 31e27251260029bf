namespace Native.LibUsb;

/// <summary>Lasts as long as a call moves data on an endpoint, or submits a transfer: the alternate setting of its interface is not changed in the
/// meantime.</summary>
internal readonly ref struct EndpointMove(ClaimedInterface claimed, byte endpoint)
{
    public void Dispose() => claimed.EndMove(endpoint);
}
