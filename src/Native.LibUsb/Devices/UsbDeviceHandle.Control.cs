using Native.LibUsb.Interop;

namespace Native.LibUsb;

// The methods for control requests to the device and for reading its descriptors.
public sealed unsafe partial class UsbDeviceHandle
{
    private const byte GetDescriptorRequest = 6;
    private const int LargestDescriptor = 4096; // the largest control transfer on Linux and Windows
    private static readonly TimeSpan s_descriptorTimeout = TimeSpan.FromSeconds(1);

    private readonly TransferPool _controls;

    /// <summary>Makes a control request that reads from the device, and waits until the request ends (<c>libusb_control_transfer</c>).</summary>
    /// <param name="setup">The request. Its direction must be from the device to the host.</param>
    /// <param name="buffer">The memory that receives the answer, at most 65,535 bytes (4,096 bytes on Linux and Windows).</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns>The number of bytes received.</returns>
    /// <exception cref="ArgumentException">The request writes to the device, or the buffer is too long.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not support the request. <see cref="UsbError.Timeout"/>: the device did not answer within the time limit.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public int ControlRead(in UsbControlSetup setup, Span<byte> buffer, TimeSpan? timeout = null)
    {
        UsbError error = TryControlRead(setup, buffer, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw ControlFailure(error, setup, buffer.Length);
    }

    /// <summary>Makes a control request as <see cref="ControlRead"/> does, and returns the error instead of throwing it.</summary>
    /// <param name="setup">The request. Its direction must be from the device to the host.</param>
    /// <param name="buffer">The memory that receives the answer, at most 65,535 bytes.</param>
    /// <param name="transferred">The number of bytes received.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    /// <exception cref="ArgumentException">The request writes to the device, or the buffer is too long.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryControlRead(in UsbControlSetup setup, Span<byte> buffer, out int transferred, TimeSpan? timeout = null)
    {
        CheckControl(setup, UsbDirection.In, buffer.Length, nameof(buffer));
        fixed (byte* data = buffer)
            return Control(setup, data, buffer.Length, out transferred, timeout);
    }

    /// <summary>Makes a control request that writes to the device, and waits until the request ends (<c>libusb_control_transfer</c>).</summary>
    /// <param name="setup">The request. Its direction must be from the host to the device.</param>
    /// <param name="data">The data to send, at most 65,535 bytes (4,096 bytes on Linux and Windows).</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns>The number of bytes sent.</returns>
    /// <exception cref="ArgumentException">The request reads from the device, or the data is too long.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not support the request. <see cref="UsbError.Timeout"/>: the device did not answer within the time limit.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public int ControlWrite(in UsbControlSetup setup, ReadOnlySpan<byte> data = default, TimeSpan? timeout = null)
    {
        UsbError error = TryControlWrite(setup, data, out int transferred, timeout);
        return error == UsbError.Success ? transferred : throw ControlFailure(error, setup, data.Length);
    }

    /// <summary>Makes a control request as <see cref="ControlWrite"/> does, and returns the error instead of throwing it.</summary>
    /// <param name="setup">The request. Its direction must be from the host to the device.</param>
    /// <param name="data">The data to send, at most 65,535 bytes.</param>
    /// <param name="transferred">The number of bytes sent.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    /// <exception cref="ArgumentException">The request reads from the device, or the data is too long.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryControlWrite(in UsbControlSetup setup, ReadOnlySpan<byte> data, out int transferred, TimeSpan? timeout = null)
    {
        CheckControl(setup, UsbDirection.Out, data.Length, nameof(data));
        fixed (byte* pointer = data)
            return Control(setup, pointer, data.Length, out transferred, timeout);
    }

    /// <summary>
    /// Makes a control request that reads from the device, without blocking. The context's event thread is started if no thread handles events (see
    /// <see cref="UsbContextOptions.ManualEventHandling"/>). Later calls reuse the transfers of earlier calls and allocate no memory.
    /// </summary>
    /// <param name="setup">The request. Its direction must be from the device to the host.</param>
    /// <param name="buffer">The memory that receives the answer, at most 65,535 bytes (4,096 bytes on Linux and Windows).</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <param name="cancellationToken">A token that cancels the request.</param>
    /// <returns>The number of bytes received. Await the result once.</returns>
    /// <exception cref="ArgumentException">The request writes to the device, the buffer is too long, or the time limit is out of range.</exception>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled, or the handle was disposed before the request ended.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not support the request. <see cref="UsbError.Timeout"/>: the device did not answer within
    /// the time limit. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public ValueTask<int> ControlReadAsync(UsbControlSetup setup, Memory<byte> buffer, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        CheckControl(setup, UsbDirection.In, buffer.Length, nameof(buffer));
        TransferTimeout.Check(timeout);
        try
        {
            ObjectDisposedException.ThrowIf(!IsOpen, this);
            return cancellationToken.IsCancellationRequested ? TransferCompletion.CanceledAsync(cancellationToken) : _controls.Rent().Read(setup, buffer, timeout, cancellationToken);
        }
        catch (ObjectDisposedException) when (!IsOpen && CallbackScope.IsInside(Context.NativeHandle))
        {
            return TransferCompletion.CanceledAsync(CancellationToken.None); // a callback cannot detect in time that the handle is closing
        }
    }

    /// <summary>
    /// Makes a control request that writes to the device, without blocking. The context's event thread is started if no thread handles events (see
    /// <see cref="UsbContextOptions.ManualEventHandling"/>). Later calls reuse the transfers of earlier calls and allocate no memory.
    /// </summary>
    /// <param name="setup">The request. Its direction must be from the host to the device.</param>
    /// <param name="data">The data to send, at most 65,535 bytes (4,096 bytes on Linux and Windows). The call copies the data before it returns.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <param name="cancellationToken">A token that cancels the request.</param>
    /// <returns>The number of bytes sent. Await the result once.</returns>
    /// <exception cref="ArgumentException">The request reads from the device, the data is too long, or the time limit is out of range.</exception>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled, or the handle was disposed before the request ended.</exception>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not support the request. <see cref="UsbError.Timeout"/>: the device did not answer within
    /// the time limit. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public ValueTask<int> ControlWriteAsync(
        UsbControlSetup setup, ReadOnlyMemory<byte> data = default, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        CheckControl(setup, UsbDirection.Out, data.Length, nameof(data));
        TransferTimeout.Check(timeout);
        try
        {
            ObjectDisposedException.ThrowIf(!IsOpen, this);
            ReadOnlySpan<byte> bytes = data.Span; // before a transfer is taken from the pool: this can run code of the program, and can throw
            return cancellationToken.IsCancellationRequested ? TransferCompletion.CanceledAsync(cancellationToken) : _controls.Rent().Write(setup, bytes, timeout, cancellationToken);
        }
        catch (ObjectDisposedException) when (!IsOpen && CallbackScope.IsInside(Context.NativeHandle))
        {
            return TransferCompletion.CanceledAsync(CancellationToken.None); // a callback cannot detect in time that the handle is closing
        }
    }

    /// <summary>Reads a descriptor of the device (GET_DESCRIPTOR, <c>libusb_get_descriptor</c>).</summary>
    /// <param name="type">The descriptor's type, such as 1 (device), 2 (configuration), 3 (string) or 15 (BOS).</param>
    /// <param name="index">The index among the descriptors of that type.</param>
    /// <param name="languageId">The language of a string descriptor; 0 for all other types.</param>
    /// <returns>The descriptor's bytes as the device sent them, at most 4,096.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device has no such descriptor. <see cref="UsbError.Timeout"/>: the device did not answer.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public byte[] GetDescriptor(byte type, byte index = 0, ushort languageId = 0) => GetDescriptor(UsbRecipient.Device, type, index, languageId);

    /// <summary>Reads a descriptor of the device or of an interface.</summary>
    internal byte[] GetDescriptor(UsbRecipient recipient, byte type, byte index, ushort wIndex)
    {
        byte[] buffer = new byte[LargestDescriptor];
        int length = ControlRead(
            new UsbControlSetup(UsbDirection.In, UsbRequestKind.Standard, recipient, GetDescriptorRequest, (ushort)((type << 8) | index), wIndex), buffer, s_descriptorTimeout);
        return buffer[..length];
    }

    private static void CheckControl(in UsbControlSetup setup, UsbDirection direction, int length, string buffer)
    {
        if (setup.IsIn != (direction == UsbDirection.In))
        {
            throw new ArgumentException(
                setup.IsIn ? "The request reads from the device: use ControlRead." : "The request writes to the device: use ControlWrite.", nameof(setup));
        }

        if (length > ushort.MaxValue)
            throw new ArgumentException($"A control transfer moves at most 65,535 bytes, not {length}.", buffer);
    }

    /// <summary>Creates the exception for a control request that failed or was refused.</summary>
    private UsbException ControlFailure(UsbError error, in UsbControlSetup setup, int length) =>
        new(error, $"make control request 0x{setup.RequestType:x2} 0x{setup.Request:x2} value 0x{setup.Value:x4} index 0x{setup.Index:x4}",
            hint: Claims.DiagnoseControl(error, setup.RequestType, setup.Index)
                ?? (error == UsbError.InvalidParameter ? TransferHint.ForSubmit(error, UsbTransferType.Control, length) : null));

    private UsbError Control(in UsbControlSetup setup, byte* data, int length, out int transferred, TimeSpan? timeout)
    {
        transferred = 0;
        uint milliseconds = TransferTimeout.ToMilliseconds(timeout);
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
}
