namespace Native.LibUsb.Streaming;

/// <summary>Creates rings on endpoints.</summary>
public static class UsbEndpointRings
{
    /// <summary>Creates a ring that reads from an endpoint.</summary>
    /// <param name="endpoint">A bulk, interrupt or isochronous IN endpoint.</param>
    /// <param name="options">
    /// Its sizes, and what it does when something goes wrong. Null suits a continuous stream: bulk transfers of 64 KiB, so that a device that sends less
    /// without a short packet delivers nothing for a while (see <see cref="UsbRingOptions.TransferSize"/>). Use <see cref="UsbRingOptions.ForRate"/> for a known
    /// rate and <see cref="UsbRingOptions.ForLatency"/> for data that is needed at once.
    /// </param>
    /// <returns>A ring, to be started and disposed by the caller. Disposing the interface stops it.</returns>
    /// <exception cref="ArgumentException">The options do not fit the endpoint, or what the system allows; the message names the maximum.</exception>
    /// <exception cref="InvalidOperationException">Another ring uses the endpoint, or the endpoint is stale.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public static UsbInputRing CreateInputRing(this UsbEndpoint endpoint, UsbRingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.CheckUsable();
        return new UsbInputRing(endpoint, RingConfiguration.Make(endpoint, options ?? new UsbRingOptions(), UsbDirection.In));
    }

    /// <summary>Creates a ring that writes to an endpoint.</summary>
    /// <param name="endpoint">A bulk, interrupt or isochronous OUT endpoint.</param>
    /// <param name="options">Its size, and what it does when something goes wrong; null is what suits most.</param>
    /// <returns>A ring, to be started and disposed by the caller. Disposing the interface stops it.</returns>
    /// <exception cref="ArgumentException">The options do not fit the endpoint, or what the system allows; the message names the maximum.</exception>
    /// <exception cref="InvalidOperationException">Another ring uses the endpoint, or the endpoint is stale.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public static UsbOutputRing CreateOutputRing(this UsbEndpoint endpoint, UsbRingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.CheckUsable();
        return new UsbOutputRing(endpoint, RingConfiguration.Make(endpoint, options ?? new UsbRingOptions(), UsbDirection.Out));
    }
}
