using System.Diagnostics.CodeAnalysis;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents an open device: interfaces are claimed, data is moved, and settings are changed through it. Made by <see cref="UsbDevice.Open()"/>.
/// </summary>
/// <remarks>All members may be used from any thread. Members that talk to the device and wait must not be called from a callback.</remarks>
public sealed unsafe partial class UsbDeviceHandle : IDisposable, IAsyncDisposable
{
    private readonly OpenHandle _native;
    private readonly LinkedListNode<WeakReference<UsbDeviceHandle>>? _registration;
    private readonly CloseState _closing = new();
    private readonly ChildSet<UsbTransfer> _transfers;

    internal UsbDeviceHandle(UsbContext context, OpenHandle native, bool isWrapped = false)
    {
        Context = context;
        _native = native;
        _transfers = new ChildSet<UsbTransfer>(_closing);
        _controls = new TransferPool(this, owner: null);
        UsbDevice? device = null;
        try
        {
            Device = device = new UsbDevice(context, libusb.libusb_get_device(native.Pointer), isWrapped);
            Claims = new InterfaceClaims(this);
            // Without an answer the device was unplugged, and every submission fails.
            DividesTransfers = UsbfsRequests.IsAvailable && native.Descriptor is { } descriptor && UsbfsRequests.DividesTransfers(descriptor) == true;
            if (!context.Handles.TryAdd(this, out _registration))
                throw new ObjectDisposedException(nameof(UsbContext));
        }
        catch
        {
            device?.Dispose();
            native.Dispose();
            throw;
        }
    }

    /// <summary>Gets the context it belongs to.</summary>
    public UsbContext Context { get; }

    /// <summary>Gets the device; it is disposed with the handle.</summary>
    public UsbDevice Device { get; }

    /// <summary>
    /// Gets the native handle, for functions that the library does not offer. It is valid until this object is disposed; do not call <c>libusb_close</c>, and
    /// have no transfer of your own in flight then.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public libusb_device_handle* DangerousGetHandle()
    {
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return _native.Pointer;
    }

    /// <summary>Gets the interfaces that are claimed through it.</summary>
    internal InterfaceClaims Claims { get; }

    /// <summary>Gets whether it may be used.</summary>
    internal bool IsOpen => _closing.IsOpen;

    /// <summary>Gets whether it is closed, and nothing is in flight.</summary>
    internal bool IsClosed => _closing.IsClosed;

    /// <summary>Gets whether code awaits something of it.</summary>
    internal bool HasAwaiters => _transfers.Snapshot().Exists(static transfer => transfer.IsAwaited) || HasActiveEndpointUser;

    /// <summary>Gets the native handle, for transfers: they keep it open while they are in flight.</summary>
    internal libusb_device_handle* NativeHandle => _native.Pointer;

    /// <summary>
    /// Reads the device's binary object store (<c>libusb_get_bos_descriptor</c>): its device capabilities.
    /// </summary>
    /// <returns>The capabilities; null when the device has none, as most below USB 2.1.</returns>
    /// <exception cref="UsbException">
    /// The device did not answer: <see cref="UsbError.NoDevice"/>, <see cref="UsbError.Timeout"/>, <see cref="UsbError.IO"/>; or its answer is not a
    /// BOS descriptor: <see cref="UsbError.IO"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbBosDescriptor? GetBosDescriptor()
    {
        const string operation = "read the binary object store";
        libusb_bos_descriptor* bos;
        int result;
        using HandleLease lease = Lease();
        using (Context.EnterSynchronous(operation))
            result = libusb.libusb_get_bos_descriptor(_native.Pointer, &bos);
        Context.RunDeferred();
        if (result is (int)UsbError.Pipe or (int)UsbError.NotFound)
            return null;
        UsbException.ThrowIfError(result, operation);
        return UsbBosDescriptor.Take(bos);
    }

    /// <summary>
    /// Makes a transfer, which the caller disposes; one that is forgotten is disposed with the handle. For any endpoint but 0, claim the interface of the endpoint
    /// (<see cref="ClaimInterface"/>) before the transfer is submitted; <see cref="UsbEndpoint.CreateTransfer"/> makes one that belongs to the claim.
    /// </summary>
    /// <param name="isoPackets">How many isochronous packets it has room for; 0 for other transfers.</param>
    /// <param name="flags">How its last packet is treated.</param>
    /// <returns>A transfer to be configured.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of packets is negative, or there is no such flag.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbTransfer CreateTransfer(int isoPackets = 0, UsbTransferFlags flags = UsbTransferFlags.None) => MakeTransfer(isoPackets, flags, owner: null);

    /// <summary>Makes a transfer.</summary>
    /// <param name="isoPackets">The number of isochronous packets that it has room for.</param>
    /// <param name="flags">How its last packet is treated.</param>
    /// <param name="owner">The claim that disposes it; null for the handle's own.</param>
    internal UsbTransfer MakeTransfer(int isoPackets, UsbTransferFlags flags, UsbInterface? owner)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(isoPackets);
        UsbTransfer.CheckFlags(flags, nameof(flags));
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return new UsbTransfer(this, isoPackets, flags, owner);
    }

    /// <summary>Gets the native handle for one call; refused as soon as closing has begun.</summary>
    internal HandleLease Lease()
    {
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return new HandleLease(_native);
    }

    internal bool TryRegister(UsbTransfer transfer, [NotNullWhen(true)] out LinkedListNode<WeakReference<UsbTransfer>>? registration) =>
        _transfers.TryAdd(transfer, out registration);

    internal void Unregister(LinkedListNode<WeakReference<UsbTransfer>>? transfer) => _transfers.Remove(transfer);

    /// <summary>Gets the transfers that are configured for an endpoint.</summary>
    internal IEnumerable<UsbTransfer> TransfersOn(Predicate<byte> isOn) => _transfers.Snapshot().Where(transfer => isOn(transfer.EndpointAddress));

    /// <summary>Gets the transfers that endpoints of an interface have created.</summary>
    internal IEnumerable<UsbTransfer> TransfersCreatedOn(ClaimedInterface claimed) => _transfers.Snapshot().Where(transfer => transfer.Owner?.Claimed == claimed);

    /// <summary>Gets the transfers that a claim must stop: its own and, if it is the last claim, all on the interface's endpoints.</summary>
    internal IEnumerable<UsbTransfer> TransfersOf(UsbInterface claim, ClaimedInterface? last) =>
        _transfers.Snapshot().Where(transfer => MustStop(transfer, claim, last));

    private bool MustStop(UsbTransfer transfer, UsbInterface claim, ClaimedInterface? last) =>
        transfer.Owner == claim || (last?.Has(transfer.EndpointAddress) == true && Claims.IsClosed(transfer.EndpointAddress));
}
