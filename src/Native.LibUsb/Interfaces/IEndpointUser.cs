namespace Native.LibUsb;

/// <summary>
/// Represents something in a higher layer that keeps an endpoint busy with transfers of its own: a ring. A closing handle or interface stops it, and an
/// alternate setting is not changed under it.
/// </summary>
internal interface IEndpointUser
{
    /// <summary>Gets the claim whose endpoint made it.</summary>
    UsbInterface Interface { get; }

    /// <summary>Gets the endpoint's address, with its direction bit.</summary>
    byte Endpoint { get; }

    /// <summary>Gets the bulk stream of the endpoint; 0 is none.</summary>
    int StreamId { get; }

    /// <summary>Gets whether it has transfers in flight, or will have.</summary>
    bool IsActive { get; }

    /// <summary>Stops it for good, and cancels its transfers in flight. Must not wait.</summary>
    /// <param name="failure">The reason: <see cref="UsbError.Closed"/>, or <see cref="UsbError.NoDevice"/> before a reset.</param>
    void Stop(UsbError failure);
}
