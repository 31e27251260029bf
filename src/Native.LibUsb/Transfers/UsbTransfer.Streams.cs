namespace Native.LibUsb;

public sealed partial class UsbTransfer
{
    /// <summary>
    /// Gets the number of the bulk stream for which the transfer is configured. Streams are numbered from 1. The value is 0 if the transfer is not configured
    /// for a stream.
    /// </summary>
    public int StreamId => Type == UsbTransferType.BulkStream ? _streamId : 0;

    /// <summary>
    /// Configures this transfer as a bulk transfer on a stream (<c>libusb_transfer_set_stream_id</c>). The transfer owns the memory for the data. The transfer
    /// keeps the stream number when it is submitted again.
    /// </summary>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <param name="streamId">The number of the stream, at least 1; see <see cref="UsbDeviceHandle.AllocateStreams"/>.</param>
    /// <param name="length">The number of bytes. For an IN endpoint, use a multiple of the packet size.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    /// <exception cref="ArgumentOutOfRangeException">The address, the stream number, the length or the timeout is out of range.</exception>
    /// <exception cref="InvalidOperationException">The transfer is submitted.</exception>
    /// <exception cref="UsbTransferDoomedException">The transfer is doomed.</exception>
    public void SetBulkStream(byte endpoint, int streamId, int length, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(streamId, 1);
        SetSimple(UsbTransferType.BulkStream, endpoint, length, callback, state, timeout, streamId);
    }

    /// <summary>Configures a bulk transfer that sends a copy of <paramref name="data"/> on a stream.</summary>
    /// <inheritdoc cref="SetBulkStream"/>
    /// <param name="endpoint">The address of an OUT endpoint.</param>
    /// <param name="streamId">The number of the stream, at least 1.</param>
    /// <param name="data">The data to send.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    public void SetBulkStreamCopy(byte endpoint, int streamId, ReadOnlySpan<byte> data, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(streamId, 1);
        SetSimple(UsbTransferType.BulkStream, endpoint, data, callback, state, timeout, streamId);
    }

    /// <summary>
    /// Configures a bulk transfer on a stream. The transfer uses the caller's memory, which stays pinned until the transfer is configured again or disposed.
    /// </summary>
    /// <inheritdoc cref="SetBulkStream"/>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <param name="streamId">The number of the stream, at least 1.</param>
    /// <param name="buffer">The memory that the transfer reads or writes.</param>
    /// <param name="callback">The new value of <see cref="Callback"/>. Null keeps the current value.</param>
    /// <param name="state">The new value of <see cref="State"/>. Null keeps the current value.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days. Null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set no limit.</param>
    public void SetBulkStreamPinned(byte endpoint, int streamId, Memory<byte> buffer, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(streamId, 1);
        SetSimple(UsbTransferType.BulkStream, endpoint, buffer, callback, state, timeout, streamId);
    }
}
