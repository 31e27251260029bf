using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Claiming interfaces, and what their objects ask of the handle.
public sealed unsafe partial class UsbDeviceHandle
{
    /// <summary>
    /// Claims an interface (<c>libusb_claim_interface</c>), which is needed before its endpoints are used. Nothing is sent to the device. Claims are counted: an
    /// interface that this handle has claimed may be claimed again, and each <see cref="UsbInterface"/> is disposed by itself.
    /// </summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <returns>The interface, to be disposed by the caller; the handle disposes what is left when it closes.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Busy"/>: another handle, another program or a kernel driver holds it (the hint says which). <see cref="UsbError.NotFound"/>: there is
    /// no such interface (on Linux with <see cref="SetAutoDetachKernelDriver"/> that is <see cref="UsbError.InvalidParameter"/>).
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbInterface ClaimInterface(int interfaceNumber)
    {
        UsbError error = TryClaimInterface(interfaceNumber, out UsbInterface? claimed);
        if (error != UsbError.Success)
        {
            UsbException.Throw(error, $"claim interface {interfaceNumber} of {Device}",
                hint: error switch
                {
                    UsbError.Busy => Claims.Holder(interfaceNumber),
                    UsbError.NotFound or UsbError.InvalidParameter => Claims.ListInterfaces(), // the latter when libusb is to detach the driver as well
                    _ => null,
                });
        }

        return claimed!;
    }

    /// <summary>Claims an interface as <see cref="ClaimInterface"/> does, and returns the error instead of throwing it.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <param name="claimed">The interface; null if it was not claimed.</param>
    /// <returns><see cref="UsbError.Success"/>, or why it was not claimed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryClaimInterface(int interfaceNumber, out UsbInterface? claimed)
    {
        InterfaceClaims.CheckNumber(interfaceNumber);
        return Claims.TryClaim(interfaceNumber, out claimed);
    }

    /// <summary>Releases an interface at libusb.</summary>
    /// <exception cref="ObjectDisposedException">The native handle is closed.</exception>
    internal void ReleaseInterface(int interfaceNumber)
    {
        using var lease = new HandleLease(_native); // also while the handle closes
        if (_native.IsLeftOpen)
            return; // the device has gone, and libusb's lock of the handle is damaged
        _ = libusb.libusb_release_interface(_native.Pointer, interfaceNumber);
    }

    /// <summary>Ends a halt of an endpoint.</summary>
    internal UsbError TryClearHalt(byte endpoint)
    {
        CallbackScope.ThrowIfInside(Context.NativeHandle, "clear a halt");
        using HandleLease lease = Lease();
        return (UsbError)libusb.libusb_clear_halt(_native.Pointer, endpoint);
    }

    /// <summary>Finds an endpoint of an interface that a call, a transfer or a ring keeps busy; null if there is none.</summary>
    internal byte? FindActiveEndpoint(ClaimedInterface claimed) =>
        claimed.FindMoving()
        ?? TransfersOn(claimed.Has).FirstOrDefault(transfer => transfer.IsInFlight && !IsOfOther(transfer, claimed))?.EndpointAddress
        ?? FindActiveEndpointUser(user => user.Interface.Claimed == claimed);

    /// <summary>Gets whether all that keeps the endpoints of an interface busy are transfers that are disposed and not called back yet.</summary>
    internal bool IsOnlyEnding(ClaimedInterface claimed) =>
        claimed.FindMoving() is null && FindActiveEndpointUser(user => user.Interface.Claimed == claimed) is null && TransfersOn(claimed.Has).All(static transfer => !transfer.IsInFlight || transfer.IsDisposing);

    /// <summary>
    /// Makes a synchronous transfer on a bulk or interrupt endpoint. Where libusb would divide it (<see cref="DividesTransfers"/>), it submits several transfers,
    /// one after the other.
    /// </summary>
    internal UsbError Move(UsbEndpoint endpoint, byte* data, int length, out int transferred, uint milliseconds)
    {
        int moved = 0;
        int result;
        using HandleLease lease = Lease();
        using EndpointMove move = endpoint.BeginMove();
        int resets = Claims.Resets;
        using (Context.EnterSynchronous("make a synchronous transfer"))
        {
            result = length > UsbfsLimits.BulkPiece && DividesTransfers
                ? MovePieces(endpoint, data, length, &moved, milliseconds)
                : MoveWhole(endpoint, data, length, &moved, milliseconds);
        }

        Context.RunDeferred();
        transferred = moved;
        // Closing took the interface away. The kernel ends what is in flight as if the device were gone; other systems report a short transfer.
        if (result is 0 or (int)UsbError.NoDevice && moved < length && !(IsOpen && endpoint.Interface.IsOpen))
            throw new ObjectDisposedException(IsOpen ? nameof(UsbInterface) : nameof(UsbDeviceHandle));
        // A reset ends it, too, and libusb reports success or that the device has gone. The library frees the descriptors that it has read.
        if (result is 0 or (int)UsbError.NoDevice && moved < length && (moved == 0 || endpoint.Direction == UsbDirection.Out) && resets != Claims.Resets)
            throw new InvalidOperationException($"The device was reset after {moved} of {length} bytes, and endpoint 0x{endpoint.Address:x2} is stale.");
        return (UsbError)result;
    }

    private int MoveWhole(UsbEndpoint endpoint, byte* data, int length, int* moved, uint milliseconds) =>
        endpoint.TransferType == UsbTransferType.Bulk
            ? libusb.libusb_bulk_transfer(_native.Pointer, endpoint.Address, data, length, moved, milliseconds)
            : libusb.libusb_interrupt_transfer(_native.Pointer, endpoint.Address, data, length, moved, milliseconds);

    // Wrong descriptors may give an endpoint to several interfaces.
    private static bool IsOfOther(UsbTransfer transfer, ClaimedInterface claimed) =>
        transfer.Owner is { } owner && owner.Claimed != claimed && owner.Claimed.Has(transfer.EndpointAddress);
}
