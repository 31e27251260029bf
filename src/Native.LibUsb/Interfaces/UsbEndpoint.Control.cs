namespace Native.LibUsb;

// The methods for control requests whose recipient is the endpoint.
public sealed partial class UsbEndpoint
{
    /// <summary>
    /// Makes a control request that reads from the device, and waits until the request ends (<c>libusb_control_transfer</c>). The recipient of the request is
    /// the endpoint, and <c>wIndex</c> is the endpoint's address.
    /// </summary>
    /// <param name="kind">The kind of the request, usually <see cref="UsbRequestKind.Class"/>.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="buffer">The memory that receives the answer, at most 65,535 bytes (4,096 bytes on Linux and Windows).</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="Timeout.InfiniteTimeSpan"/> set no time limit.</param>
    /// <returns>The number of bytes received.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Pipe"/>: the device does not support the request. <see cref="UsbError.Timeout"/>: the device did not answer within the time limit.
    /// <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="ArgumentException">The buffer is too long, or the time limit is out of range.</exception>
    /// <exception cref="InvalidOperationException">The endpoint is stale, or the method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The interface or the handle is disposed.</exception>
    public int ControlRead(UsbRequestKind kind, byte request, ushort value, Span<byte> buffer, TimeSpan? timeout = null) =>
        Handle.ControlRead(Setup(UsbDirection.In, kind, request, value), buffer, timeout);

    /// <summary>Makes a control request as <see cref="ControlRead"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="ControlRead"/>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="buffer">The memory that receives the answer.</param>
    /// <param name="transferred">The number of bytes received.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryControlRead(UsbRequestKind kind, byte request, ushort value, Span<byte> buffer, out int transferred, TimeSpan? timeout = null) =>
        Handle.TryControlRead(Setup(UsbDirection.In, kind, request, value), buffer, out transferred, timeout);

    /// <summary>Makes a control request that reads from the device. The recipient of the request is the endpoint. The call does not block.</summary>
    /// <inheritdoc cref="ControlRead"/>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="buffer">The memory that receives the answer.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <param name="cancellationToken">A token that cancels the request.</param>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled, or the handle was disposed before the request ended.</exception>
    public ValueTask<int> ControlReadAsync(
        UsbRequestKind kind, byte request, ushort value, Memory<byte> buffer, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        Interface.IsClosingInCallback
            ? TransferCompletion.CanceledAsync(CancellationToken.None)
            : Handle.ControlReadAsync(Setup(UsbDirection.In, kind, request, value), buffer, timeout, cancellationToken);

    /// <summary>
    /// Makes a control request that writes to the device, and waits until the request ends (<c>libusb_control_transfer</c>). The recipient of the request is
    /// the endpoint, and <c>wIndex</c> is the endpoint's address.
    /// </summary>
    /// <inheritdoc cref="ControlRead"/>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="data">The data to send, at most 65,535 bytes (4,096 bytes on Linux and Windows).</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <returns>The number of bytes sent.</returns>
    public int ControlWrite(UsbRequestKind kind, byte request, ushort value, ReadOnlySpan<byte> data = default, TimeSpan? timeout = null) =>
        Handle.ControlWrite(Setup(UsbDirection.Out, kind, request, value), data, timeout);

    /// <summary>Makes a control request as <see cref="ControlWrite"/> does, and returns the error instead of throwing it.</summary>
    /// <inheritdoc cref="ControlWrite"/>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="data">The data to send.</param>
    /// <param name="transferred">The number of bytes sent.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    public UsbError TryControlWrite(UsbRequestKind kind, byte request, ushort value, ReadOnlySpan<byte> data, out int transferred, TimeSpan? timeout = null) =>
        Handle.TryControlWrite(Setup(UsbDirection.Out, kind, request, value), data, out transferred, timeout);

    /// <summary>Makes a control request that writes to the device. The recipient of the request is the endpoint. The call does not block.</summary>
    /// <inheritdoc cref="ControlRead"/>
    /// <param name="kind">The kind of the request.</param>
    /// <param name="request"><c>bRequest</c>.</param>
    /// <param name="value"><c>wValue</c>.</param>
    /// <param name="data">The data to send. The call copies the data before it returns.</param>
    /// <param name="timeout">The time limit. Null sets no time limit.</param>
    /// <param name="cancellationToken">A token that cancels the request.</param>
    /// <returns>The number of bytes sent.</returns>
    /// <exception cref="UsbTransferCanceledException">The token was cancelled, or the handle was disposed before the request ended.</exception>
    public ValueTask<int> ControlWriteAsync(
        UsbRequestKind kind, byte request, ushort value, ReadOnlyMemory<byte> data = default, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        Interface.IsClosingInCallback
            ? TransferCompletion.CanceledAsync(CancellationToken.None)
            : Handle.ControlWriteAsync(Setup(UsbDirection.Out, kind, request, value), data, timeout, cancellationToken);

    private UsbControlSetup Setup(UsbDirection direction, UsbRequestKind kind, byte request, ushort value)
    {
        CheckUsable();
        return new UsbControlSetup(direction, kind, UsbRecipient.Endpoint, request, value, Address);
    }
}
