namespace Native.LibUsb;

/// <summary>
/// Represents a ring of a higher layer. A ring keeps its own transfers in flight on an endpoint. When the handle or the interface closes, the library stops the
/// ring. While the ring is active, the library does not change the alternate setting.
/// </summary>
internal interface IEndpointUser
{
    /// <summary>Gets the claim whose endpoint created the ring.</summary>
    UsbInterface Interface { get; }

    /// <summary>Gets the endpoint's address, including the direction bit.</summary>
    byte Endpoint { get; }

    /// <summary>Gets the bulk stream of the endpoint; 0 if there is none.</summary>
    int StreamId { get; }

    /// <summary>Gets whether the ring has transfers in flight, or will submit more.</summary>
    bool IsActive { get; }

    /// <summary>Stops the ring permanently, and cancels its transfers in flight. The method must not wait.</summary>
    /// <param name="failure">The reason: <see cref="UsbError.NoDevice"/> if the device is about to be reset, otherwise <see cref="UsbError.Closed"/>.</param>
    void Stop(UsbError failure);
}
