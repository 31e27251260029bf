using Native.LibUsb.Interop;

namespace Native.LibUsb;

// Transfers that wait, into and out of the caller's memory.
public sealed unsafe partial class UsbDeviceHandle
{
    /// <summary>Makes a control transfer from the device and waits for it (<c>libusb_control_transfer</c>).</summary>
    /// <param name="setup">The request; its direction must be from the device.</param>
    /// <param name="buffer">Where the answer goes, at most 65,535 bytes (Linux and Windows: 4,096).</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns>Bytes received.</returns>
    /// <exception cref="ArgumentException">The request is one to the device, or the buffer is too long.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not know the request. <see cref="UsbError.Timeout"/>, <see cref="UsbError.NoDevice"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public int ControlRead(in UsbControlSetup setup, Span<byte> buffer, TimeSpan timeout = default)
    {
        UsbError error = TryControlRead(setup, buffer, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw ControlFailure(error, setup, buffer.Length);
    }

    /// <summary>As <see cref="ControlRead"/>, but returns libusb's answer instead of throwing it.</summary>
    /// <param name="setup">The request; its direction must be from the device.</param>
    /// <param name="buffer">Where the answer goes, at most 65,535 bytes.</param>
    /// <param name="transferred">Bytes received.</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns><see cref="UsbError.Success"/>, or what went wrong.</returns>
    /// <exception cref="ArgumentException">The request is one to the device, or the buffer is too long.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryControlRead(in UsbControlSetup setup, Span<byte> buffer, out int transferred, TimeSpan timeout = default)
    {
        if (!setup.IsIn)
            throw new ArgumentException("The request writes to the device: use ControlWrite.", nameof(setup));
        fixed (byte* data = buffer)
            return Control(setup, data, buffer.Length, out transferred, timeout);
    }

    /// <summary>Makes a control transfer to the device and waits for it (<c>libusb_control_transfer</c>).</summary>
    /// <param name="setup">The request; its direction must be to the device.</param>
    /// <param name="data">What to send, at most 65,535 bytes (Linux and Windows: 4,096).</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns>Bytes sent.</returns>
    /// <exception cref="ArgumentException">The request is one from the device, or there is too much data.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not know the request. <see cref="UsbError.Timeout"/>, <see cref="UsbError.NoDevice"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public int ControlWrite(in UsbControlSetup setup, ReadOnlySpan<byte> data = default, TimeSpan timeout = default)
    {
        UsbError error = TryControlWrite(setup, data, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw ControlFailure(error, setup, data.Length);
    }

    /// <summary>As <see cref="ControlWrite"/>, but returns libusb's answer instead of throwing it.</summary>
    /// <param name="setup">The request; its direction must be to the device.</param>
    /// <param name="data">What to send, at most 65,535 bytes.</param>
    /// <param name="transferred">Bytes sent.</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns><see cref="UsbError.Success"/>, or what went wrong.</returns>
    /// <exception cref="ArgumentException">The request is one from the device, or there is too much data.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryControlWrite(in UsbControlSetup setup, ReadOnlySpan<byte> data, out int transferred, TimeSpan timeout = default)
    {
        if (setup.IsIn)
            throw new ArgumentException("The request reads from the device: use ControlRead.", nameof(setup));
        fixed (byte* pointer = data)
            return Control(setup, pointer, data.Length, out transferred, timeout);
    }

    /// <summary>Reads from a bulk endpoint and waits (<c>libusb_bulk_transfer</c>).</summary>
    /// <param name="endpoint">The address of an IN endpoint: 0x81.</param>
    /// <param name="buffer">Where the data goes. Use a multiple of the packet size, or a device that sends more overflows.</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns>Bytes received; a short packet ends the transfer early.</returns>
    /// <exception cref="ArgumentException">That is no IN endpoint.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Timeout"/>, <see cref="UsbError.Pipe"/> (halted), <see cref="UsbError.Overflow"/>, <see cref="UsbError.NoDevice"/>;
    /// what was received before is in the buffer and counted in <see cref="UsbException.BytesTransferred"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed, or was while this waited.</exception>
    public int BulkRead(byte endpoint, Span<byte> buffer, TimeSpan timeout = default)
    {
        UsbError error = TryBulkRead(endpoint, buffer, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw Failure(error, "read from", endpoint, buffer.Length, transferred, UsbTransferType.Bulk);
    }

    /// <summary>As <see cref="BulkRead"/>, but returns libusb's answer instead of throwing it.</summary>
    /// <param name="endpoint">The address of an IN endpoint.</param>
    /// <param name="buffer">Where the data goes.</param>
    /// <param name="transferred">Bytes received, also with an error.</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns><see cref="UsbError.Success"/>, or what went wrong.</returns>
    /// <exception cref="ArgumentException">That is no IN endpoint.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed, or was while this waited.</exception>
    public UsbError TryBulkRead(byte endpoint, Span<byte> buffer, out int transferred, TimeSpan timeout = default)
    {
        CheckDirection(endpoint, isIn: true);
        fixed (byte* data = buffer)
            return Move(isBulk: true, endpoint, data, buffer.Length, out transferred, timeout);
    }

    /// <summary>Writes to a bulk endpoint and waits (<c>libusb_bulk_transfer</c>).</summary>
    /// <param name="endpoint">The address of an OUT endpoint: 0x01.</param>
    /// <param name="data">What to send.</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns>Bytes sent.</returns>
    /// <exception cref="ArgumentException">That is no OUT endpoint.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Timeout"/>, <see cref="UsbError.Pipe"/> (halted), <see cref="UsbError.NoDevice"/>; what was sent before is counted in
    /// <see cref="UsbException.BytesTransferred"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed, or was while this waited.</exception>
    public int BulkWrite(byte endpoint, ReadOnlySpan<byte> data, TimeSpan timeout = default)
    {
        UsbError error = TryBulkWrite(endpoint, data, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw Failure(error, "write to", endpoint, data.Length, transferred, UsbTransferType.Bulk);
    }

    /// <summary>As <see cref="BulkWrite"/>, but returns libusb's answer instead of throwing it.</summary>
    /// <param name="endpoint">The address of an OUT endpoint.</param>
    /// <param name="data">What to send.</param>
    /// <param name="transferred">Bytes sent, also with an error.</param>
    /// <param name="timeout">How long it may take, to the millisecond; zero is for ever.</param>
    /// <returns><see cref="UsbError.Success"/>, or what went wrong.</returns>
    /// <exception cref="ArgumentException">That is no OUT endpoint.</exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed, or was while this waited.</exception>
    public UsbError TryBulkWrite(byte endpoint, ReadOnlySpan<byte> data, out int transferred, TimeSpan timeout = default)
    {
        CheckDirection(endpoint, isIn: false);
        fixed (byte* pointer = data)
            return Move(isBulk: true, endpoint, pointer, data.Length, out transferred, timeout);
    }

    /// <summary>Reads from an interrupt endpoint and waits (<c>libusb_interrupt_transfer</c>).</summary>
    /// <inheritdoc cref="BulkRead"/>
    public int InterruptRead(byte endpoint, Span<byte> buffer, TimeSpan timeout = default)
    {
        UsbError error = TryInterruptRead(endpoint, buffer, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw Failure(error, "read from", endpoint, buffer.Length, transferred, UsbTransferType.Interrupt);
    }

    /// <summary>As <see cref="InterruptRead"/>, but returns libusb's answer instead of throwing it.</summary>
    /// <inheritdoc cref="TryBulkRead"/>
    public UsbError TryInterruptRead(byte endpoint, Span<byte> buffer, out int transferred, TimeSpan timeout = default)
    {
        CheckDirection(endpoint, isIn: true);
        fixed (byte* data = buffer)
            return Move(isBulk: false, endpoint, data, buffer.Length, out transferred, timeout);
    }

    /// <summary>Writes to an interrupt endpoint and waits (<c>libusb_interrupt_transfer</c>).</summary>
    /// <inheritdoc cref="BulkWrite"/>
    public int InterruptWrite(byte endpoint, ReadOnlySpan<byte> data, TimeSpan timeout = default)
    {
        UsbError error = TryInterruptWrite(endpoint, data, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw Failure(error, "write to", endpoint, data.Length, transferred, UsbTransferType.Interrupt);
    }

    /// <summary>As <see cref="InterruptWrite"/>, but returns libusb's answer instead of throwing it.</summary>
    /// <inheritdoc cref="TryBulkWrite"/>
    public UsbError TryInterruptWrite(byte endpoint, ReadOnlySpan<byte> data, out int transferred, TimeSpan timeout = default)
    {
        CheckDirection(endpoint, isIn: false);
        fixed (byte* pointer = data)
            return Move(isBulk: false, endpoint, pointer, data.Length, out transferred, timeout);
    }

    private static void CheckDirection(byte endpoint, bool isIn)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        if (UsbEndpointAddress.IsIn(endpoint) != isIn)
            throw new ArgumentException($"Endpoint 0x{endpoint:x2} is {(isIn ? "an OUT" : "an IN")} endpoint.", nameof(endpoint));
    }

    private static UsbException Failure(UsbError error, string verb, byte endpoint, int length, int transferred, UsbTransferType type) =>
        new(error, $"{verb} endpoint 0x{endpoint:x2}", transferred, ErrorHint.ForSubmit(error, type, length));

    private static UsbException ControlFailure(UsbError error, in UsbControlSetup setup, int length) =>
        new(error, $"make control request 0x{setup.RequestType:x2} 0x{setup.Request:x2} value 0x{setup.Value:x4} index 0x{setup.Index:x4}",
            hint: error == UsbError.InvalidParameter ? ErrorHint.ForSubmit(error, UsbTransferType.Control, length) : null);

    private UsbError Control(in UsbControlSetup setup, byte* data, int length, out int transferred, TimeSpan timeout)
    {
        transferred = 0;
        if (length > ushort.MaxValue)
            throw new ArgumentException($"A control transfer moves at most 65,535 bytes, not {length}.", nameof(length));
        uint milliseconds = UsbTransfer.Milliseconds(timeout);
        int result;
        using HandleLease lease = Lease();
        using (Context.EnterSynchronous("make a synchronous transfer"))
        {
            result = libusb.libusb_control_transfer(
                _native.Pointer, setup.RequestType, setup.Request, setup.Value, setup.Index, data, (ushort)length, milliseconds);
        }

        Context.RunDeferred();
        if (result < 0)
            return (UsbError)result;
        transferred = result;
        return UsbError.Success;
    }

    private UsbError Move(bool isBulk, byte endpoint, byte* data, int length, out int transferred, TimeSpan timeout)
    {
        uint milliseconds = UsbTransfer.Milliseconds(timeout);
        int moved = 0;
        int result;
        using HandleLease lease = Lease();
        using (Context.EnterSynchronous("make a synchronous transfer"))
        {
            result = isBulk
                ? libusb.libusb_bulk_transfer(_native.Pointer, endpoint, data, length, &moved, milliseconds)
                : libusb.libusb_interrupt_transfer(_native.Pointer, endpoint, data, length, &moved, milliseconds);
        }

        Context.RunDeferred();
        transferred = moved;
        // Closing took the interface away. The kernel ends what is in flight as if the device were gone; other systems tell a short transfer.
        if (result is 0 or (int)libusb_error.LIBUSB_ERROR_NO_DEVICE && moved < length && _transfers.IsClosed)
            throw new ObjectDisposedException(nameof(UsbDeviceHandle));
        return (UsbError)result;
    }
}
