namespace Native.LibUsb.Streaming;

/// <summary>Creates rings on the endpoints of a device.</summary>
public static class UsbRingFactory
{
    /// <summary>Creates a ring that reads from an endpoint of a claimed interface, in the alternate setting that is selected.</summary>
    /// <param name="handle">The open device.</param>
    /// <param name="endpoint">The endpoint, from the descriptors of that setting.</param>
    /// <param name="options">
    /// The sizes of the ring, and what it does when something goes wrong. Null is suited to a continuous stream: bulk transfers of 64 KiB, so a
    /// device that sends less without a short packet delivers nothing for a while (see <see cref="UsbRingOptions.TransferSize"/>). Use
    /// <see cref="UsbRingOptions.ForRate"/> for a known rate and <see cref="UsbRingOptions.ForLatency"/> for data that is needed at once.
    /// </param>
    /// <returns>A ring. The caller starts and disposes it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="handle"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// The options do not fit the endpoint, or exceed what the system allows; the message names the maximum, and how to raise it.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another ring has the endpoint.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public static UsbInputRing CreateInputRing(this UsbDeviceHandle handle, UsbEndpointDescriptor endpoint, UsbRingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return new UsbInputRing(handle, RingPlan.Make(endpoint, options ?? new UsbRingOptions(), UsbDirection.In));
    }

    /// <summary>Creates a ring that writes to an endpoint of a claimed interface, in the alternate setting that is selected.</summary>
    /// <param name="handle">The open device.</param>
    /// <param name="endpoint">The endpoint, from the descriptors of that setting.</param>
    /// <param name="options">The sizes of the ring, and what it does when something goes wrong; null is suited to a continuous stream.</param>
    /// <returns>A ring. The caller starts and disposes it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="handle"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// The options do not fit the endpoint, or exceed what the system allows; the message names the maximum, and how to raise it.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another ring has the endpoint.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public static UsbOutputRing CreateOutputRing(this UsbDeviceHandle handle, UsbEndpointDescriptor endpoint, UsbRingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return new UsbOutputRing(handle, RingPlan.Make(endpoint, options ?? new UsbRingOptions(), UsbDirection.Out));
    }
}
