using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods for bulk streams of SuperSpeed endpoints.
public sealed unsafe partial class UsbDeviceHandle
{
    private const int MostStreamEndpoints = 30;

    /// <summary>
    /// Allocates bulk streams (<c>libusb_alloc_streams</c>). The numbers of the streams start at 1. Pass the number of a stream to
    /// <see cref="UsbTransfer.SetBulkStream"/>. Releasing the interface frees the streams.
    /// </summary>
    /// <param name="count">The requested number of streams for each endpoint, at least 1.</param>
    /// <param name="endpoints">The addresses of 1 to 30 endpoints of one claimed interface.</param>
    /// <returns>The number of allocated streams for each endpoint, which can be lower than requested.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotSupported"/>: only Linux and macOS support streams. <see cref="UsbError.InvalidParameter"/>: the endpoints have no streams, or
    /// the interface is not claimed. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ArgumentException">An address is not an endpoint address, or the number of addresses is not 1 to 30.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public int AllocateStreams(int count, params ReadOnlySpan<byte> endpoints)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        CheckStreamEndpoints(endpoints);
        using HandleLease lease = Lease();
        fixed (byte* pointer = endpoints)
            return UsbException.ThrowIfError(libusb.libusb_alloc_streams(_native.Pointer, (uint)count, pointer, endpoints.Length), $"allocate {count} streams");
    }

    /// <summary>Frees bulk streams (<c>libusb_free_streams</c>).</summary>
    /// <param name="endpoints">The addresses that were passed to <see cref="AllocateStreams"/>.</param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.InvalidParameter"/>: the endpoints have no streams. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ArgumentException">An address is not an endpoint address, or the number of addresses is not 1 to 30.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public void FreeStreams(params ReadOnlySpan<byte> endpoints)
    {
        CheckStreamEndpoints(endpoints);
        using HandleLease lease = Lease();
        fixed (byte* pointer = endpoints)
            UsbException.ThrowIfError(libusb.libusb_free_streams(_native.Pointer, pointer, endpoints.Length), "free streams");
    }

    private static void CheckStreamEndpoints(ReadOnlySpan<byte> endpoints)
    {
        if (endpoints.Length is < 1 or > MostStreamEndpoints)
            throw new ArgumentException($"Streams are for 1 to {MostStreamEndpoints} endpoints, not {endpoints.Length}.", nameof(endpoints));
        foreach (byte endpoint in endpoints)
            UsbEndpointAddress.Check(endpoint, nameof(endpoints));
    }
}
