using System.Diagnostics.CodeAnalysis;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents an endpoint of the active alternate setting of a claimed interface. One set of methods serves bulk and interrupt endpoints; isochronous endpoints
/// are streamed with rings (<c>CreateInputRing</c>, <c>CreateOutputRing</c>) or with transfers. There is nothing to dispose.
/// </summary>
/// <remarks>
/// It becomes stale when the alternate setting or the configuration changes, or the device is reset; its members then throw
/// <see cref="InvalidOperationException"/>, and <see cref="UsbInterface.Endpoints"/> has the new ones. All members may be used from any thread; calls that move
/// data may overlap, and complete in the order in which they were made.
/// </remarks>
public sealed unsafe partial class UsbEndpoint
{
    private readonly int _generation;
    private readonly TransferPool _pool;

    internal UsbEndpoint(UsbInterface @interface, UsbEndpointDescriptor descriptor, int generation)
    {
        Interface = @interface;
        Descriptor = descriptor;
        _generation = generation;
        _pool = new TransferPool(@interface.Handle, @interface);
    }

    /// <summary>Gets the claimed interface.</summary>
    public UsbInterface Interface { get; }

    /// <summary>Gets the endpoint's descriptor: packet size, interval, class-specific descriptors (<see cref="UsbEndpointDescriptor.Extra"/>).</summary>
    public UsbEndpointDescriptor Descriptor { get; }

    /// <summary>Gets the endpoint's address, with the direction bit: 0x81 is IN 1.</summary>
    public byte Address => Descriptor.Address;

    /// <summary>Gets the direction of its data.</summary>
    public UsbDirection Direction => Descriptor.Direction;

    /// <summary>Gets the type of its transfers.</summary>
    public UsbTransferType TransferType => Descriptor.TransferType;

    /// <summary>Gets whether it is stale: the alternate setting or the configuration has changed, the device was reset, or the interface was disposed.</summary>
    public bool IsStale => !Interface.IsOpen || Interface.Claimed.Generation != _generation;

    private UsbDeviceHandle Handle => Interface.Handle;

    /// <summary>
    /// Ends a halt (<c>libusb_clear_halt</c>), which an endpoint is in after <see cref="UsbError.Pipe"/>, and resets the data toggle of an endpoint that is not
    /// halted. The caller makes sure that nothing is in flight on the endpoint: neither the library nor libusb checks that.
    /// </summary>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the device has no such endpoint. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale, or the method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public void ClearHalt()
    {
        UsbError error = TryClearHalt();
        if (error != UsbError.Success)
            UsbException.Throw(error, $"clear the halt of endpoint 0x{Address:x2}");
    }

    /// <summary>Ends a halt as <see cref="ClearHalt"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="ClearHalt"/>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryClearHalt()
    {
        CheckUsable();
        return Handle.TryClearHalt(Address);
    }

    /// <summary>
    /// Creates a transfer that belongs to this endpoint's interface object: disposing the interface stops and disposes the transfer. Configure it with this
    /// endpoint's <see cref="Address"/>. When the endpoint becomes stale, the transfer cannot be submitted any more.
    /// </summary>
    /// <param name="isoPackets">The number of isochronous packets that it has room for; 0 for other transfers.</param>
    /// <param name="flags">How its last packet is treated.</param>
    /// <returns>A transfer to be configured, which the caller may dispose earlier.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of packets is negative, or there is no such flag.</exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public UsbTransfer CreateTransfer(int isoPackets = 0, UsbTransferFlags flags = UsbTransferFlags.None)
    {
        CheckUsable();
        UsbTransfer transfer = Handle.MakeTransfer(isoPackets, flags, Interface);
        if (Interface.Claimed.Generation != _generation)
            transfer.MarkStale(); // the setting changed in the meantime, perhaps before the transfer was registered
        return transfer;
    }

    /// <summary>
    /// Gets whether the endpoint supports WinUSB's raw I/O (<c>libusb_endpoint_supports_raw_io</c>), in which Windows does not queue requests one by one. False
    /// on other systems, and with a libusb before 1.0.30.
    /// </summary>
    /// <exception cref="InvalidOperationException">The endpoint is stale.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public bool SupportsRawIO
    {
        get
        {
            CheckUsable();
            using HandleLease lease = Handle.Lease();
            return OptionalExports.IsAvailable(OptionalExports.libusb_endpoint_supports_raw_io)
                && libusb.libusb_endpoint_supports_raw_io(Handle.NativeHandle, Address) == 1;
        }
    }

    /// <summary>
    /// Turns WinUSB's raw I/O on or off (<c>libusb_endpoint_set_raw_io</c>). While it is on, the length of each read must be a multiple of the packet size and at
    /// most the returned maximum. Nothing may be in flight on the endpoint.
    /// </summary>
    /// <param name="enable">On or off.</param>
    /// <returns>The largest transfer in bytes (<c>libusb_get_max_raw_io_transfer_size</c>); 0 when it was turned off.</returns>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: not Windows, or another driver than WinUSB.</exception>
    /// <exception cref="UsbNotSupportedException">libusb is older than 1.0.30.</exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public int SetRawIO(bool enable)
    {
        CheckUsable();
        using HandleLease lease = Handle.Lease();
        UsbException.ThrowIfError(
            libusb.libusb_endpoint_set_raw_io(Handle.NativeHandle, Address, enable ? 1 : 0), $"turn raw I/O of endpoint 0x{Address:x2} {(enable ? "on" : "off")}");
        return enable
            ? UsbException.ThrowIfError(libusb.libusb_get_max_raw_io_transfer_size(Handle.NativeHandle, Address), $"read the largest raw transfer of endpoint 0x{Address:x2}")
            : 0;
    }

    /// <summary>Returns a text such as <c>endpoint 0x81 (Bulk In)</c>.</summary>
    public override string ToString() => $"endpoint 0x{Address:x2} ({TransferType} {Direction})";

    /// <summary>Refuses an endpoint that must not be used any more.</summary>
    internal void CheckUsable()
    {
        Interface.CheckOpen();
        if (Interface.Claimed.Generation != _generation)
            ThrowStale();
    }

    /// <summary>Begins to move data, or to submit a transfer that does. Refused while the alternate setting changes or the device is reset.</summary>
    internal EndpointMove BeginMove()
    {
        ClaimedInterface claimed = Interface.Claimed;
        if (!claimed.TryBeginMove(Address))
            throw Changing(Address, claimed.Number);
        if (claimed.Generation != _generation)
        {
            claimed.EndMove(Address);
            ThrowStale();
        }

        return new EndpointMove(claimed, Address);
    }

    /// <summary>Makes the exception of an endpoint that cannot be used at this moment.</summary>
    internal static InvalidOperationException Changing(byte address, int interfaceNumber) => new(
        $"Endpoint 0x{address:x2} cannot be used while the alternate setting of interface {interfaceNumber} is changed or the device is reset.");

    /// <summary>Disposes the transfers that it keeps for awaited calls: it is stale, so no call follows.</summary>
    internal void DropTransfers() => _pool.Drop();

    /// <summary>Makes the exception for a use of an endpoint that is stale.</summary>
    internal static InvalidOperationException StaleFailure(byte address) => new(
        $"Endpoint 0x{address:x2} is stale: the alternate setting or the configuration has changed, or the device was reset. Take the endpoint from the interface again.");

    [DoesNotReturn]
    private void ThrowStale() => throw StaleFailure(Address);
}
