namespace Native.LibUsb;

/// <summary>Represents an object that has an endpoint, or one stream of it, to itself.</summary>
internal interface IEndpointUser
{
    /// <summary>Gets the endpoint's address, with its direction bit.</summary>
    byte Endpoint { get; }

    /// <summary>Gets the bulk stream of the endpoint; 0 when the user has the endpoint without streams.</summary>
    int StreamId { get; }

    /// <summary>Gets whether transfers are in flight or may be submitted without a further call of the program.</summary>
    bool IsActive { get; }

    /// <summary>
    /// Stops because the handle or the interface closes: nothing is submitted any more, and what is in flight is cancelled. Returns without
    /// waiting.
    /// </summary>
    void StopForClosing();
}
