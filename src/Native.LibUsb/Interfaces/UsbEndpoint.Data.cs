using System.Globalization;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

// The methods that transfer data on bulk and interrupt endpoints.
public sealed unsafe partial class UsbEndpoint
{
    /// <summary>Reads from the endpoint, and waits until the transfer ends (<c>libusb_bulk_transfer</c>, <c>libusb_interrupt_transfer</c>).</summary>
    /// <param name="buffer">
    /// The memory that receives the data. The buffer's length need not be a multiple of the packet size. However, if a packet does not fit into the rest of the
    /// buffer, the packet is lost and the read fails with <see cref="UsbError.Overflow"/>.
    /// </param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns>The number of bytes received, which is less than the buffer's length if a short packet ended the transfer.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Timeout"/>: the transfer did not end within the time limit. <see cref="UsbError.Pipe"/>: the endpoint is halted (see
    /// <see cref="ClearHalt"/>). <see cref="UsbError.Overflow"/>: the device sent a packet that is longer than the rest of the buffer.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged. The bytes that were received before the error are in the buffer, and
    /// <see cref="UsbException.BytesTransferred"/> is their number.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The time limit is zero, negative or too long.</exception>
    /// <exception cref="InvalidOperationException">
    /// The endpoint is stale, it is an OUT endpoint, it is isochronous, or a ring is active on it. The method also throws this exception if a callback of
    /// this context calls the method, or if the device is reset while the call waits.
    /// </exception>
    /// <exception cref="ObjectDisposedException">
    /// The interface or the handle is disposed. The method also throws this exception if another thread disposes one of them while the call waits.
    /// </exception>
    /// <remarks>
    /// Without a time limit, the call blocks until the device answers, until the device is unplugged, or until a thread disposes the interface or the handle.
    /// While the call blocks, Ctrl+C ends the process. If a handler of <see cref="Console.CancelKeyPress"/> prevents this, the call continues to block. In a
    /// program with such a handler, pass a time limit, or use <see cref="ReadAsync(Memory{byte}, CancellationToken)"/> with a token that the handler cancels.
    /// </remarks>
    public int Read(Span<byte> buffer, TimeSpan? timeout = null)
    {
        UsbError error = TryRead(buffer, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw Failure(error, buffer.Length, transferred);
    }

    /// <summary>Reads as <see cref="Read"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="Read"/>
    /// <param name="buffer">The memory that receives the data.</param>
    /// <param name="transferred">The number of bytes received, even after an error.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryRead(Span<byte> buffer, out int transferred, TimeSpan? timeout = null)
    {
        CheckMoves(UsbDirection.In);
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        transferred = 0;
        if (!UsbEndpointAddress.IsValid(Address))
            return UsbError.InvalidParameter;
        fixed (byte* data = buffer)
            return Handle.Move(this, data, buffer.Length, out transferred, milliseconds);
    }

    /// <summary>Writes to the endpoint, and waits until the transfer ends (<c>libusb_bulk_transfer</c>, <c>libusb_interrupt_transfer</c>).</summary>
    /// <param name="data">The data to send. If the span is empty, the method sends a zero-length packet.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <param name="endOfMessage">
    /// True to send a zero-length packet if the last packet is full, so that the device can detect the end of the message.
    /// </param>
    /// <returns>The number of bytes sent.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Timeout"/>: the transfer did not end within the time limit. <see cref="UsbError.Pipe"/>: the endpoint is halted (see
    /// <see cref="ClearHalt"/>). <see cref="UsbError.NoDevice"/>: the device was unplugged. <see cref="UsbException.BytesTransferred"/> is the number of bytes
    /// that were sent before the error.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The time limit is zero, negative or too long.</exception>
    /// <exception cref="InvalidOperationException">
    /// The endpoint is stale, is an IN endpoint or is isochronous. The method also throws this exception if a callback of this context calls the method, or if
    /// the device is reset while the call waits.
    /// </exception>
    /// <exception cref="ObjectDisposedException">
    /// The interface or the handle is disposed. The method also throws this exception if another thread disposes one of them while the call waits.
    /// </exception>
    public int Write(ReadOnlySpan<byte> data, TimeSpan? timeout = null, bool endOfMessage = false)
    {
        UsbError error = TryWrite(data, out int transferred, timeout, endOfMessage);
        return error == UsbError.Success ? transferred : throw Failure(error, data.Length, transferred);
    }

    /// <summary>Writes as <see cref="Write"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="Write"/>
    /// <param name="data">The data to send.</param>
    /// <param name="transferred">The number of bytes sent, even after an error.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <param name="endOfMessage">True to send a zero-length packet if the last packet is full.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryWrite(ReadOnlySpan<byte> data, out int transferred, TimeSpan? timeout = null, bool endOfMessage = false)
    {
        CheckMoves(UsbDirection.Out);
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
        transferred = 0;
        if (!UsbEndpointAddress.IsValid(Address))
            return UsbError.InvalidParameter;
        fixed (byte* pointer = data)
        {
            UsbError error = Handle.Move(this, pointer, data.Length, out transferred, milliseconds);
            return error == UsbError.Success && endOfMessage && EndsWithFullPacket(data.Length) && transferred == data.Length
                ? Handle.Move(this, pointer, 0, out _, milliseconds)
                : error;
        }
    }

    /// <summary>
    /// Reads from the endpoint without blocking. The context's event thread is started if no thread handles events (see
    /// <see cref="UsbContextOptions.ManualEventHandling"/>). Later calls reuse the transfers of earlier calls and allocate no memory.
    /// </summary>
    /// <param name="buffer">
    /// The memory that receives the data. The buffer stays pinned until the task completes, and its length need not be a multiple of the packet size. However,
    /// if a packet does not fit into the rest of the buffer, the packet is lost and the read fails with <see cref="UsbError.Overflow"/>.
    /// </param>
    /// <param name="cancellationToken">
    /// A token that cancels the transfer. After a cancellation, the task completes as soon as libusb has stopped using the buffer.
    /// </param>
    /// <returns>The number of bytes received, which is less than the buffer's length if a short packet ended the transfer. Await the result once.</returns>
    /// <exception cref="UsbTransferCanceledException">
    /// Before the task completed, the program cancelled the token, disposed the interface, disposed the handle, or reset the device. The exception contains the
    /// number of bytes that were transferred before the cancellation.
    /// </exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the endpoint is halted (see <see cref="ClearHalt"/>). <see cref="UsbError.Overflow"/>: the device sent a packet that is
    /// longer than the rest of the buffer. <see cref="UsbError.NoDevice"/>: the device was unplugged. <see cref="UsbError.NoMemory"/>: memory for the transfer
    /// could not be allocated. <see cref="UsbException.BytesTransferred"/> is the number of bytes that were received before the error.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The endpoint is stale, it is an OUT endpoint, it is isochronous, or a ring is active on it.
    /// </exception>
    /// <remarks>
    /// In a callback, do not block on the result. For example, do not call <c>ReadAsync(buffer).AsTask().Wait()</c>. Such a call would block the thread that
    /// handles the events, so the read would never end. The library cannot detect this mistake.
    /// <para>On Linux, some controllers do not support scatter-gather. On such a controller, a read of more than 16 KiB consists of several transfers, one
    /// after the other, and allocates memory.</para>
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) => ReadAsync(buffer, timeout: null, cancellationToken);

    /// <summary>Reads with a time limit. Otherwise, the method works as <see cref="ReadAsync(Memory{byte}, CancellationToken)"/> does.</summary>
    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    /// <param name="buffer">The memory that receives the data. The buffer stays pinned until the task completes.</param>
    /// <param name="timeout">
    /// The time limit of the transfer, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit. When the time limit
    /// expires, libusb ends the transfer, and the task fails with <see cref="UsbError.Timeout"/>. Therefore, the program needs no timer of its own.
    /// </param>
    /// <param name="cancellationToken">
    /// A token that cancels the transfer. After a cancellation, the task completes as soon as libusb has stopped using the buffer.
    /// </param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Timeout"/>: the transfer did not end within the time limit. <see cref="UsbError.Pipe"/>: the endpoint is halted (see
    /// <see cref="ClearHalt"/>). <see cref="UsbError.Overflow"/>: the device sent a packet that is longer than the rest of the buffer.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged. <see cref="UsbError.NoMemory"/>: memory for the transfer could not be allocated. The bytes
    /// that were received before the error are in the buffer, and <see cref="UsbException.BytesTransferred"/> is their number.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The time limit is zero, negative or too long.</exception>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        MoveAsync(UsbDirection.In, buffer, UsbTransferFlags.None, timeout, cancellationToken);

    /// <summary>
    /// Writes to the endpoint without blocking. The context's event thread is started if no thread handles events (see
    /// <see cref="UsbContextOptions.ManualEventHandling"/>). Later calls reuse the transfers of earlier calls and allocate no memory.
    /// </summary>
    /// <param name="data">The data to send, which stays pinned until the task completes. If the memory is empty, the method sends a zero-length packet.</param>
    /// <param name="cancellationToken">
    /// A token that cancels the transfer. After a cancellation, the task completes as soon as libusb has stopped using the memory.
    /// </param>
    /// <returns>The number of bytes sent. Await the result once.</returns>
    /// <exception cref="UsbTransferCanceledException">
    /// Before the task completed, the program cancelled the token, disposed the interface, disposed the handle, or reset the device. The exception contains the
    /// number of bytes that were transferred before the cancellation.
    /// </exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the endpoint is halted (see <see cref="ClearHalt"/>). <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// <see cref="UsbError.NoMemory"/>: memory for the transfer could not be allocated. <see cref="UsbException.BytesTransferred"/> is the number of bytes that
    /// were sent before the error.
    /// </exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale, is an IN endpoint or is isochronous.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public ValueTask<int> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        WriteAsync(data, timeout: null, endOfMessage: false, cancellationToken);

    /// <summary>
    /// Writes with a time limit, and can mark the end of a message. Otherwise, the method works as
    /// <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/> does.
    /// </summary>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="data">The data to send, which stays pinned until the task completes.</param>
    /// <param name="timeout">
    /// The time limit of the transfer, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit. When the time limit
    /// expires, libusb ends the transfer, and the task fails with <see cref="UsbError.Timeout"/>. Therefore, the program needs no timer of its own.
    /// </param>
    /// <param name="endOfMessage">
    /// True to send a zero-length packet if the last packet is full, so that the device can detect the end of the message. Linux, macOS and WinUSB support such
    /// a packet (<see cref="UsbTransferFlags.AddZeroPacket"/>).
    /// </param>
    /// <param name="cancellationToken">
    /// A token that cancels the transfer. After a cancellation, the task completes as soon as libusb has stopped using the memory.
    /// </param>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Timeout"/>: the transfer did not end within the time limit. <see cref="UsbError.Pipe"/>: the endpoint is halted (see
    /// <see cref="ClearHalt"/>). <see cref="UsbError.NoDevice"/>: the device was unplugged. <see cref="UsbError.NoMemory"/>: memory for the transfer could not
    /// be allocated. <see cref="UsbException.BytesTransferred"/> is the number of bytes that were sent before the error.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The time limit is zero, negative or too long.</exception>
    public ValueTask<int> WriteAsync(
        ReadOnlyMemory<byte> data, TimeSpan? timeout = null, bool endOfMessage = false, CancellationToken cancellationToken = default) =>
        MoveAsync(
            UsbDirection.Out, MemoryMarshal.AsMemory(data),
            endOfMessage && EndsWithFullPacket(data.Length) ? UsbTransferFlags.AddZeroPacket : UsbTransferFlags.None, timeout, cancellationToken);

    private ValueTask<int> MoveAsync(
        UsbDirection direction, Memory<byte> memory, UsbTransferFlags flags, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        try
        {
            CheckMoves(direction);
            TransferTimeout.Check(timeout);
            if (!UsbEndpointAddress.IsValid(Address))
                return ValueTask.FromException<int>(Failure(UsbError.InvalidParameter, memory.Length, 0));
            if (direction == UsbDirection.In && memory.Length > UsbfsLimits.BulkPiece && Handle.DividesTransfers)
                return ReadPiecesAsync(memory, timeout, cancellationToken);
            using EndpointMove move = BeginMove(); // disposed after the submission, when the transfer counts as in flight
            return cancellationToken.IsCancellationRequested
                ? TransferCompletion.CanceledAsync(cancellationToken)
                : _pool.Rent().Move(TransferType, Address, memory, flags, timeout, cancellationToken);
        }
        catch (ObjectDisposedException) when (Interface.IsClosingInCallback) // otherwise the caller's memory threw it
        {
            return TransferCompletion.CanceledAsync(CancellationToken.None); // a callback cannot detect in time that the interface or the handle is closing
        }
    }

    private bool EndsWithFullPacket(int length) => length > 0 && length % Math.Max(Descriptor.MaxPacketSize, 1) == 0;

    private void CheckMoves(UsbDirection direction)
    {
        CheckUsable();
        if (Direction != direction)
            throw new InvalidOperationException($"Endpoint 0x{Address:x2} is an {(direction == UsbDirection.In ? "OUT endpoint: write to it" : "IN endpoint: read from it")}.");
        if (TransferType is not (UsbTransferType.Bulk or UsbTransferType.Interrupt))
        {
            throw new InvalidOperationException(TransferType == UsbTransferType.Isochronous
                ? $"Endpoint 0x{Address:x2} is isochronous: use a ring, or CreateTransfer and SetIsochronous."
                : $"Endpoint 0x{Address:x2} is a control endpoint: use ControlRead and ControlWrite.");
        }

        if (direction == UsbDirection.In && Handle.IsInUse(Address))
            throw new InvalidOperationException($"A ring reads from endpoint 0x{Address:x2}, and this call would take data out of its stream: read the ring, or stop it first.");
    }

    private UsbException Failure(UsbError error, int length, int transferred) => new(
        error, string.Create(CultureInfo.InvariantCulture, $"{(Direction == UsbDirection.In ? "read" : "write")} {length} bytes {(Direction == UsbDirection.In ? "from" : "to")} endpoint 0x{Address:x2}"), transferred,
        Hint(error, length));

    private string? Hint(UsbError error, int length) => UsbEndpointAddress.IsValid(Address)
        ? Handle.Claims.Diagnose(error, Address, TransferType) ?? TransferHint.ForMove(error, TransferType, length, Descriptor.MaxPacketSize)
        : TransferHint.ReservedBits(Address);
}
