namespace Native.LibUsb.Streaming;

/// <summary>Provides methods that create rings on endpoints.</summary>
public static class UsbEndpointRings
{
    /// <summary>Creates a ring that reads from an endpoint.</summary>
    /// <param name="endpoint">A bulk, interrupt or isochronous IN endpoint.</param>
    /// <param name="options">
    /// The options of the ring. If the value is null, the ring uses the defaults, which suit a continuous stream. By default, a bulk transfer has a size of 64
    /// KiB. The ring delivers the data of a transfer when the transfer is full or a short packet arrives. If a device sends little data and no short packets,
    /// the ring therefore delivers the data late (see <see cref="UsbRingOptions.TransferSize"/>). Use <see cref="UsbRingOptions.ForRate"/> for a known rate,
    /// and <see cref="UsbRingOptions.ForLatency"/> for data that is needed immediately.
    /// </param>
    /// <returns>The ring, which the caller starts and disposes. Disposing the interface also stops the ring.</returns>
    /// <exception cref="ArgumentException">The options do not fit the endpoint, or exceed a limit of the system. The message contains the maximum.</exception>
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
    /// <param name="options">The options of the ring. If the value is null, the ring uses the defaults, which suit most programs.</param>
    /// <returns>The ring, which the caller starts and disposes. Disposing the interface also stops the ring.</returns>
    /// <exception cref="ArgumentException">The options do not fit the endpoint, or exceed a limit of the system. The message contains the maximum.</exception>
    /// <exception cref="InvalidOperationException">Another ring uses the endpoint, or the endpoint is stale.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public static UsbOutputRing CreateOutputRing(this UsbEndpoint endpoint, UsbRingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.CheckUsable();
        return new UsbOutputRing(endpoint, RingConfiguration.Make(endpoint, options ?? new UsbRingOptions(), UsbDirection.Out));
    }
}
