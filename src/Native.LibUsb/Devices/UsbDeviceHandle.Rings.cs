using Native.LibUsb.Streaming;

namespace Native.LibUsb;

// Queues of transfers on one endpoint.
public sealed unsafe partial class UsbDeviceHandle
{
    // An endpoint, or one stream of it, belongs to one ring. They are not kept alive here.
    private readonly Dictionary<(byte Endpoint, int Stream), WeakReference<UsbRing>> _rings = [];

    /// <summary>Makes a ring that reads from an endpoint of a claimed interface, in the alternate setting that is chosen.</summary>
    /// <param name="endpoint">The endpoint, as the descriptors of that setting tell it.</param>
    /// <param name="options">Its size and what it does when something goes wrong; null is what suits most.</param>
    /// <returns>A ring, to be started and disposed by the caller.</returns>
    /// <exception cref="ArgumentException">The options do not fit the endpoint, or what the system allows; the message names the maximum.</exception>
    /// <exception cref="InvalidOperationException">Another ring has the endpoint.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbInputRing CreateInputRing(UsbEndpointDescriptor endpoint, UsbRingOptions? options = null) =>
        new(this, RingPlan.Make(endpoint, options ?? new UsbRingOptions(), UsbDirection.In));

    /// <summary>Makes a ring that writes to an endpoint of a claimed interface, in the alternate setting that is chosen.</summary>
    /// <param name="endpoint">The endpoint, as the descriptors of that setting tell it.</param>
    /// <param name="options">Its size and what it does when something goes wrong; null is what suits most.</param>
    /// <returns>A ring, to be started and disposed by the caller.</returns>
    /// <exception cref="ArgumentException">The options do not fit the endpoint, or what the system allows; the message names the maximum.</exception>
    /// <exception cref="InvalidOperationException">Another ring has the endpoint.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbOutputRing CreateOutputRing(UsbEndpointDescriptor endpoint, UsbRingOptions? options = null) =>
        new(this, RingPlan.Make(endpoint, options ?? new UsbRingOptions(), UsbDirection.Out));

    internal void RegisterRing(UsbRing ring)
    {
        lock (_rings)
        {
            if (_rings.TryGetValue(KeyOf(ring), out WeakReference<UsbRing>? other) && other.TryGetTarget(out _))
                throw new InvalidOperationException($"Another ring has endpoint 0x{ring.Endpoint:x2}: dispose it first.");
            _rings[KeyOf(ring)] = new WeakReference<UsbRing>(ring);
        }
    }

    internal void UnregisterRing(UsbRing ring)
    {
        lock (_rings)
            _rings.Remove(KeyOf(ring));
    }

    // What is in flight tells its ring that the handle closes. A ring whose buffers are all unread has nothing in flight.
    private void StopRings()
    {
        WeakReference<UsbRing>[] rings;
        lock (_rings)
            rings = [.. _rings.Values];
        foreach (WeakReference<UsbRing> one in rings)
        {
            if (one.TryGetTarget(out UsbRing? ring))
                ring.StopForClosingHandle();
        }
    }

    private static (byte, int) KeyOf(UsbRing ring) => (ring.Plan.Endpoint, ring.Plan.Options.StreamId);
}
