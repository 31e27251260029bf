namespace Native.LibUsb;

// The methods for control requests whose recipient is the interface.
public sealed partial class UsbInterface
{
    /// <summary>
    /// Makes a control request that reads from the device, and waits until the request ends (<c>libusb_control_transfer</c>). The recipient of the request is
    /// the interface. The low byte of <c>wIndex</c> is the interface's number, and the high byte is <paramref name="entity"/>.
    /// </summary>
    /// <param name="kind">The kind of the request, usually <see cref="UsbRequestKind.Class"/>.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="buffer">The memory that receives the answer, at most 65,535 bytes (4,096 bytes on Linux and Windows).</param>
    /// <param name="entity">
    /// The number of a unit or terminal within the interface (see the audio and video classes). The value 0 stands for the interface itself.
    /// </param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns>The number of bytes received.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not support the request. <see cref="UsbError.Timeout"/>: the device did not answer within the time limit.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ArgumentException">The buffer is too long, or the time limit is out of range.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public int ControlRead(UsbRequestKind kind, byte request, ushort value, Span<byte> buffer, byte entity = 0, TimeSpan? timeout = null) =>
        Handle.ControlRead(Setup(UsbDirection.In, kind, request, value, entity), buffer, timeout);

    /// <summary>Makes a control request as <see cref="ControlRead"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="ControlRead"/>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="buffer">The memory that receives the answer.</param>
    /// <param name="transferred">The number of bytes received.</param>
    /// <param name="entity">The number of a unit or terminal within the interface. The value 0 stands for the interface itself.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryControlRead(UsbRequestKind kind, byte request, ushort value, Span<byte> buffer, out int transferred, byte entity = 0, TimeSpan? timeout = null) =>
        Handle.TryControlRead(Setup(UsbDirection.In, kind, request, value, entity), buffer, out transferred, timeout);

    /// <summary>
    /// Makes a control request that reads from the device, without blocking the calling thread. The recipient of the request is the interface.
    /// </summary>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="buffer">The memory that receives the answer.</param>
    /// <param name="entity">The number of a unit or terminal within the interface. The value 0 stands for the interface itself.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <param name="cancellationToken">A token that cancels the request.</param>
    /// <returns>The number of bytes received.</returns>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled, or the handle was disposed before the request ended.</exception>
    /// <inheritdoc cref="ControlRead"/>
    public ValueTask<int> ControlReadAsync(
        UsbRequestKind kind, byte request, ushort value, Memory<byte> buffer, byte entity = 0, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        IsClosingInCallback
            ? TransferCompletion.CanceledAsync(CancellationToken.None)
            : Handle.ControlReadAsync(Setup(UsbDirection.In, kind, request, value, entity), buffer, timeout, cancellationToken);

    /// <summary>
    /// Makes a control request that writes to the device, and waits until the request ends (<c>libusb_control_transfer</c>). The recipient of the request is
    /// the interface. The low byte of <c>wIndex</c> is the interface's number, and the high byte is <paramref name="entity"/>.
    /// </summary>
    /// <param name="kind">The kind of the request, usually <see cref="UsbRequestKind.Class"/>.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="data">The data to send, at most 65,535 bytes (4,096 bytes on Linux and Windows).</param>
    /// <param name="entity">The number of a unit or terminal within the interface. The value 0 stands for the interface itself.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns>The number of bytes sent.</returns>
    /// <inheritdoc cref="ControlRead"/>
    public int ControlWrite(UsbRequestKind kind, byte request, ushort value, ReadOnlySpan<byte> data = default, byte entity = 0, TimeSpan? timeout = null) =>
        Handle.ControlWrite(Setup(UsbDirection.Out, kind, request, value, entity), data, timeout);

    /// <summary>Makes a control request as <see cref="ControlWrite"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="ControlWrite"/>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="data">The data to send.</param>
    /// <param name="transferred">The number of bytes sent.</param>
    /// <param name="entity">The number of a unit or terminal within the interface. The value 0 stands for the interface itself.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryControlWrite(UsbRequestKind kind, byte request, ushort value, ReadOnlySpan<byte> data, out int transferred, byte entity = 0, TimeSpan? timeout = null) =>
        Handle.TryControlWrite(Setup(UsbDirection.Out, kind, request, value, entity), data, out transferred, timeout);

    /// <summary>
    /// Makes a control request that writes to the device, without blocking the calling thread. The recipient of the request is the interface.
    /// </summary>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="data">The data to send. The call copies the data before it returns.</param>
    /// <param name="entity">The number of a unit or terminal within the interface. The value 0 stands for the interface itself.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <param name="cancellationToken">A token that cancels the request.</param>
    /// <returns>The number of bytes sent.</returns>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled, or the handle was disposed before the request ended.</exception>
    /// <inheritdoc cref="ControlRead"/>
    public ValueTask<int> ControlWriteAsync(
        UsbRequestKind kind, byte request, ushort value, ReadOnlyMemory<byte> data = default, byte entity = 0, TimeSpan? timeout = null,
        CancellationToken cancellationToken = default) =>
        IsClosingInCallback
            ? TransferCompletion.CanceledAsync(CancellationToken.None)
            : Handle.ControlWriteAsync(Setup(UsbDirection.Out, kind, request, value, entity), data, timeout, cancellationToken);

    /// <summary>Reads a descriptor of the interface, such as a HID report descriptor (GET_DESCRIPTOR with the interface as recipient).</summary>
    /// <param name="type">The descriptor's type; 0x22 is a HID report descriptor.</param>
    /// <param name="index">The index of the descriptor among the descriptors of its type.</param>
    /// <returns>The bytes of the descriptor as the device sent them. The array has at most 4,096 bytes.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the interface has no such descriptor. <see cref="UsbError.Timeout"/>: the device did not answer.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public byte[] GetDescriptor(byte type, byte index = 0)
    {
        CheckOpen();
        return Handle.GetDescriptor(UsbRecipient.Interface, type, index, (ushort)Number);
    }

    private UsbControlSetup Setup(UsbDirection direction, UsbRequestKind kind, byte request, ushort value, byte entity)
    {
        CheckOpen();
        return new UsbControlSetup(direction, kind, UsbRecipient.Interface, request, value, (ushort)((entity << 8) | Number));
    }
}
