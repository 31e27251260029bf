using System.Diagnostics.CodeAnalysis;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents an endpoint of the active alternate setting of a claimed interface. The read and write methods work with bulk and interrupt endpoints. For
/// isochronous endpoints, use rings (<c>CreateInputRing</c>, <c>CreateOutputRing</c>) or transfers. An endpoint object need not be disposed.
/// </summary>
/// <remarks>
/// The object becomes stale when the alternate setting or the configuration changes, or when the device is reset. The members of a stale endpoint throw
/// <see cref="InvalidOperationException"/>, and <see cref="UsbInterface.Endpoints"/> contains the new endpoints. Any thread may use all members. Calls that
/// transfer data may overlap. Overlapping calls complete in the order in which the program made them.
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

    /// <summary>
    /// Gets the endpoint's descriptor, which contains the packet size, the interval and class-specific descriptors (<see cref="UsbEndpointDescriptor.Extra"/>).
    /// </summary>
    public UsbEndpointDescriptor Descriptor { get; }

    /// <summary>Gets the endpoint's address, including the direction bit: 0x81 is the IN endpoint 1.</summary>
    public byte Address => Descriptor.Address;

    /// <summary>Gets the direction of the endpoint's data.</summary>
    public UsbDirection Direction => Descriptor.Direction;

    /// <summary>Gets the type of the endpoint's transfers.</summary>
    public UsbTransferType TransferType => Descriptor.TransferType;

    /// <summary>
    /// Gets whether the endpoint is stale. An endpoint becomes stale when the alternate setting or the configuration changes, when the device is reset, or when
    /// the interface is disposed.
    /// </summary>
    public bool IsStale => !Interface.IsOpen || Interface.Claimed.Generation != _generation;

    private UsbDeviceHandle Handle => Interface.Handle;

    /// <summary>
    /// Creates a transfer that belongs to this endpoint's interface object. When the interface object is disposed, it stops and disposes the transfer. When you
    /// configure the transfer, use this endpoint's <see cref="Address"/>. After the endpoint has become stale, the transfer can no longer be submitted.
    /// </summary>
    /// <param name="isoPackets">The largest number of isochronous packets in the transfer; 0 for other types of transfer.</param>
    /// <param name="flags">The flags that specify how the transfer treats its last packet.</param>
    /// <returns>A transfer that is not configured yet. The caller may dispose the transfer before the interface object is disposed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of packets is negative, or a flag is not defined.</exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public UsbTransfer CreateTransfer(int isoPackets = 0, UsbTransferFlags flags = UsbTransferFlags.None)
    {
        CheckUsable();
        UsbTransfer transfer = Handle.MakeTransfer(isoPackets, flags, Interface);
        if (Interface.Claimed.Generation != _generation)
            transfer.MarkStale(); // another thread changed the setting, perhaps before the transfer was registered
        return transfer;
    }

    /// <summary>
    /// Gets whether the endpoint supports WinUSB's raw I/O (<c>libusb_endpoint_supports_raw_io</c>). With raw I/O, WinUSB passes each request to the USB stack
    /// immediately instead of queueing the requests. The property is false on other systems, and with libusb before 1.0.30.
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
    /// Turns WinUSB's raw I/O on or off (<c>libusb_endpoint_set_raw_io</c>). While raw I/O is on, the length of each read must be a multiple of the packet
    /// size, and must not exceed the maximum that this method returns. No transfer may be in flight on the endpoint during the call.
    /// </summary>
    /// <param name="enable">True to turn raw I/O on, false to turn it off.</param>
    /// <returns>The largest length of a transfer in bytes (<c>libusb_get_max_raw_io_transfer_size</c>); 0 if raw I/O was turned off.</returns>
    /// <exception cref="UsbException"><see cref="UsbError.NotSupported"/>: the system is not Windows, or the driver is not WinUSB.</exception>
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

    /// <summary>Throws an exception if the endpoint must no longer be used.</summary>
    internal void CheckUsable()
    {
        Interface.CheckOpen();
        if (Interface.Claimed.Generation != _generation)
            ThrowStale();
    }

    /// <summary>
    /// Registers a call that is about to transfer data or to submit a transfer. The method throws an exception if the endpoint is stale, or if another thread
    /// is changing the alternate setting or resetting the device.
    /// </summary>
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

    /// <summary>
    /// Creates the exception that is thrown if a call uses an endpoint while another thread changes the alternate setting or resets the device.
    /// </summary>
    internal static InvalidOperationException Changing(byte address, int interfaceNumber) => new(
        $"Endpoint 0x{address:x2} cannot be used while the alternate setting of interface {interfaceNumber} is changed or the device is reset.");

    /// <summary>Disposes the transfers that the endpoint keeps for awaited calls. A stale endpoint no longer needs these transfers.</summary>
    internal void DropTransfers() => _pool.Drop();

    /// <summary>Creates the exception for a use of a stale endpoint.</summary>
    internal static InvalidOperationException StaleFailure(byte address) => new(
        $"Endpoint 0x{address:x2} is stale: the alternate setting or the configuration has changed, or the device was reset. Take the endpoint from the interface again.");

    [DoesNotReturn]
    private void ThrowStale()
    {
        Interface.CheckOpen(); // releasing the interface makes the endpoint stale too: another thread may have closed the interface since the caller's check
        throw StaleFailure(Address);
    }
}
