using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods that claim interfaces, and the methods that the interface and endpoint objects call.
public sealed unsafe partial class UsbDeviceHandle
{
    /// <summary>
    /// Claims an interface (<c>libusb_claim_interface</c>). Claim an interface before you use its endpoints. Nothing is sent to the device. The same handle may
    /// claim an interface several times. The library counts these claims, and the caller must dispose each <see cref="UsbInterface"/> separately.
    /// </summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <returns>The interface, which the caller must dispose. When the handle closes, it releases all interfaces that are still claimed.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Busy"/>: another handle, another program or a kernel driver holds the interface; the hint names the holder.
    /// <see cref="UsbError.NotFound"/>: there is no such interface. <see cref="UsbError.InvalidParameter"/>: on Linux, this error replaces
    /// <see cref="UsbError.NotFound"/> if <see cref="SetAutoDetachKernelDriver"/> has enabled automatic detaching. <see cref="UsbError.NoDevice"/>: the device
    /// was unplugged.
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
                    UsbError.NotFound or UsbError.InvalidParameter => Claims.ListInterfaces(), // InvalidParameter with SetAutoDetachKernelDriver
                    _ => null,
                });
        }

        return claimed!;
    }

    /// <summary>Claims an interface as <see cref="ClaimInterface"/> does, and returns the error instead of throwing it.</summary>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>, 0 to 31.</param>
    /// <param name="claimed">The interface; null if it was not claimed.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is not 0 to 31.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryClaimInterface(int interfaceNumber, out UsbInterface? claimed)
    {
        InterfaceClaims.CheckNumber(interfaceNumber);
        return Claims.TryClaim(interfaceNumber, out claimed);
    }

    /// <summary>Releases an interface (<c>libusb_release_interface</c>).</summary>
    /// <exception cref="ObjectDisposedException">The native handle is closed.</exception>
    internal void ReleaseInterface(int interfaceNumber)
    {
        using var lease = new HandleLease(_native); // allowed while the handle is closing, so the method does not use Lease
        if (_native.IsLeftOpen)
            return; // the device was unplugged, and libusb's lock of the handle is damaged
        _ = libusb.libusb_release_interface(_native.Pointer, interfaceNumber);
    }

    /// <summary>Ends the halt of an endpoint.</summary>
    internal UsbError TryClearHalt(byte endpoint)
    {
        CallbackScope.ThrowIfInside(Context.NativeHandle, "clear a halt");
        using HandleLease lease = Lease();
        return (UsbError)libusb.libusb_clear_halt(_native.Pointer, endpoint);
    }

    /// <summary>Finds a busy endpoint of an interface: an endpoint that a call, a transfer or a ring uses. The result is null if no endpoint is busy.</summary>
    internal byte? FindActiveEndpoint(ClaimedInterface claimed) =>
        claimed.FindMoving()
        ?? TransfersOn(claimed.Has).FirstOrDefault(transfer => transfer.IsInFlight && !IsOfOther(transfer, claimed))?.EndpointAddress
        ?? FindActiveEndpointUser(user => user.Interface.Claimed == claimed);

    /// <summary>
    /// Gets whether the interface's endpoints are free. The value is false if a call, a ring or a transfer in flight uses one of the endpoints. Disposed
    /// transfers do not count, although they stay in flight until their callbacks have run.
    /// </summary>
    internal bool IsOnlyEnding(ClaimedInterface claimed) =>
        claimed.FindMoving() is null && FindActiveEndpointUser(user => user.Interface.Claimed == claimed) is null && TransfersOn(claimed.Has).All(static transfer => !transfer.IsInFlight || transfer.IsDisposing);

    /// <summary>
    /// Performs a synchronous transfer on a bulk or interrupt endpoint. If libusb would divide the transfer (<see cref="DividesTransfers"/>), the method
    /// submits several shorter transfers, one after the other.
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
        // If the interface is released while this call waits, Linux ends the transfer as if the device were unplugged, and other systems report a short
        // transfer.
        if (result is 0 or (int)UsbError.NoDevice && moved < length && !(IsOpen && endpoint.Interface.IsOpen))
            throw new ObjectDisposedException(IsOpen ? nameof(UsbInterface) : nameof(UsbDeviceHandle));
        // If the device is reset while this call waits, the transfer ends, too. libusb then reports either success or LIBUSB_ERROR_NO_DEVICE. If a read has
        // already received data, the method returns the data and does not throw.
        if (result is 0 or (int)UsbError.NoDevice && moved < length && (moved == 0 || endpoint.Direction == UsbDirection.Out) && resets != Claims.Resets)
            throw new InvalidOperationException($"The device was reset after {moved} of {length} bytes, and endpoint 0x{endpoint.Address:x2} is stale.");
        return (UsbError)result;
    }

    private int MoveWhole(UsbEndpoint endpoint, byte* data, int length, int* moved, uint milliseconds) =>
        endpoint.TransferType == UsbTransferType.Bulk
            ? libusb.libusb_bulk_transfer(_native.Pointer, endpoint.Address, data, length, moved, milliseconds)
            : libusb.libusb_interrupt_transfer(_native.Pointer, endpoint.Address, data, length, moved, milliseconds);

    // In wrong descriptors, several interfaces may have the same endpoint.
    private static bool IsOfOther(UsbTransfer transfer, ClaimedInterface claimed) =>
        transfer.Owner is { } owner && owner.Claimed != claimed && owner.Claimed.Has(transfer.EndpointAddress);
}
