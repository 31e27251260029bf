using System.Diagnostics.CodeAnalysis;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents an open device. Its methods claim interfaces, transfer data and change settings. <see cref="UsbDevice.Open()"/> creates handles.
/// </summary>
/// <remarks>Any thread may use all members. Members that wait for the device must not be called from a callback.</remarks>
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
            // If the kernel does not answer, the device was unplugged, and every submission fails anyway.
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

    /// <summary>Gets the context that the handle belongs to.</summary>
    public UsbContext Context { get; }

    /// <summary>Gets the device. The handle disposes this object when it closes.</summary>
    public UsbDevice Device { get; }

    /// <summary>
    /// Gets the native handle, for calls to functions of libusb that this library does not wrap. The pointer is valid until this object is disposed. Do not
    /// pass the pointer to <c>libusb_close</c>. If the program submits transfers directly to libusb, these transfers must end before this object is disposed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public libusb_device_handle* DangerousGetHandle()
    {
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return _native.Pointer;
    }

    /// <summary>Gets the interfaces that are claimed through this handle.</summary>
    internal InterfaceClaims Claims { get; }

    /// <summary>Gets whether the handle may be used.</summary>
    internal bool IsOpen => _closing.IsOpen;

    /// <summary>Gets whether the handle is closed. No transfer of a closed handle is in flight.</summary>
    internal bool IsClosed => _closing.IsClosed;

    /// <summary>Gets whether code awaits a transfer of this handle, or a ring is active on one of its endpoints.</summary>
    internal bool HasAwaiters => _transfers.Snapshot().Exists(static transfer => transfer.IsAwaited) || HasActiveEndpointUser;

    /// <summary>Gets the native handle, for transfers. A transfer in flight keeps the native handle open.</summary>
    internal libusb_device_handle* NativeHandle => _native.Pointer;

    /// <summary>
    /// Reads the device's binary object store (<c>libusb_get_bos_descriptor</c>), which lists the device's capabilities.
    /// </summary>
    /// <returns>The capabilities; null if the device has no binary object store. Most devices older than USB 2.1 have no such store.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged. <see cref="UsbError.Timeout"/>: the device did not answer. <see cref="UsbError.IO"/>: the
    /// request failed, or the answer of the device is not a BOS descriptor.
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
    /// Creates a transfer, which the caller must dispose. When the handle closes, it disposes all transfers that are not disposed yet. Before you submit a
    /// transfer on an endpoint other than endpoint 0, claim the endpoint's interface (<see cref="ClaimInterface"/>). To create a transfer that belongs to a
    /// claim instead of the handle, call <see cref="UsbEndpoint.CreateTransfer"/>. When the program disposes a claim, the claim disposes its transfers.
    /// </summary>
    /// <param name="isoPackets">The largest number of isochronous packets in the transfer; 0 for other types of transfer.</param>
    /// <param name="flags">The flags that specify how the transfer treats its last packet.</param>
    /// <returns>A transfer that is not configured yet.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of packets is negative, or the flags contain an unknown flag.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbTransfer CreateTransfer(int isoPackets = 0, UsbTransferFlags flags = UsbTransferFlags.None) => MakeTransfer(isoPackets, flags, owner: null);

    /// <summary>Creates a transfer.</summary>
    /// <param name="isoPackets">The largest number of isochronous packets in the transfer.</param>
    /// <param name="flags">The flags that specify how the transfer treats its last packet.</param>
    /// <param name="owner">The claim that disposes the transfer; null if the handle disposes it.</param>
    internal UsbTransfer MakeTransfer(int isoPackets, UsbTransferFlags flags, UsbInterface? owner)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(isoPackets);
        UsbTransfer.CheckFlags(flags, nameof(flags));
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return new UsbTransfer(this, isoPackets, flags, owner);
    }

    /// <summary>Keeps the native handle open during one call. The method throws as soon as the handle is closing.</summary>
    internal HandleLease Lease()
    {
        ObjectDisposedException.ThrowIf(!_closing.IsOpen, this);
        return new HandleLease(_native);
    }

    internal bool TryRegister(UsbTransfer transfer, [NotNullWhen(true)] out LinkedListNode<WeakReference<UsbTransfer>>? registration) =>
        _transfers.TryAdd(transfer, out registration);

    internal void Unregister(LinkedListNode<WeakReference<UsbTransfer>>? transfer) => _transfers.Remove(transfer);

    /// <summary>Gets the transfers that are configured for the selected endpoints.</summary>
    internal IEnumerable<UsbTransfer> TransfersOn(Predicate<byte> isOn) => _transfers.Snapshot().Where(transfer => isOn(transfer.EndpointAddress));

    /// <summary>Gets the transfers that an interface's endpoints have created.</summary>
    internal IEnumerable<UsbTransfer> TransfersCreatedOn(ClaimedInterface claimed) => _transfers.Snapshot().Where(transfer => transfer.Owner?.Claimed == claimed);

    /// <summary>
    /// Gets the transfers that a closing claim must stop. Every claim must stop its own transfers. If the interface has no other claim, the closing claim must
    /// also stop all other transfers on the closed endpoints of the interface (<see cref="InterfaceClaims.IsClosed"/>).
    /// </summary>
    internal IEnumerable<UsbTransfer> TransfersOf(UsbInterface claim, ClaimedInterface? last) =>
        _transfers.Snapshot().Where(transfer => MustStop(transfer, claim, last));

    private bool MustStop(UsbTransfer transfer, UsbInterface claim, ClaimedInterface? last) =>
        transfer.Owner == claim || (last?.Has(transfer.EndpointAddress) == true && Claims.IsClosed(transfer.EndpointAddress));
}
