namespace Native.LibUsb;

public sealed partial class UsbTransfer
{
    /// <summary>Gets the bulk stream it is for, from 1; 0 when it is for none.</summary>
    public int StreamId => Type == UsbTransferType.BulkStream ? _streamId : 0;

    /// <summary>
    /// Configures a bulk transfer on a stream, in memory of its own (<c>libusb_transfer_set_stream_id</c>). The number stays through
    /// resubmissions.
    /// </summary>
    /// <param name="endpoint">The endpoint's address, with its direction bit.</param>
    /// <param name="streamId">The stream, from 1; see <see cref="UsbDeviceHandle.AllocateStreams"/>.</param>
    /// <param name="length">Bytes. For IN endpoints a multiple of the packet size.</param>
    /// <param name="callback">Called when it ends; null leaves what is set.</param>
    /// <param name="state">Becomes <see cref="State"/>; null leaves what is set.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days; null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The address, the stream, the length or the timeout is out of range.</exception>
    /// <exception cref="InvalidOperationException">It is submitted.</exception>
    /// <exception cref="UsbTransferDoomedException">It is doomed.</exception>
    public void SetBulkStream(byte endpoint, int streamId, int length, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(streamId, 1);
        SetSimple(UsbTransferType.BulkStream, endpoint, length, callback, state, timeout, streamId);
    }

    /// <summary>Configures a bulk transfer on a stream that sends a copy of <paramref name="data"/>.</summary>
    /// <inheritdoc cref="SetBulkStream"/>
    /// <param name="endpoint">The address of an OUT endpoint.</param>
    /// <param name="streamId">The stream, from 1.</param>
    /// <param name="data">What to send.</param>
    /// <param name="callback">Called when it ends; null leaves what is set.</param>
    /// <param name="state">Becomes <see cref="State"/>; null leaves what is set.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days; null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set none.</param>
    public void SetBulkStreamCopy(byte endpoint, int streamId, ReadOnlySpan<byte> data, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(streamId, 1);
        SetSimple(UsbTransferType.BulkStream, endpoint, data, callback, state, timeout, streamId);
    }

    /// <summary>Configures a bulk transfer on a stream in the caller's memory, which stays pinned.</summary>
    /// <inheritdoc cref="SetBulkStream"/>
    /// <param name="endpoint">The endpoint's address, with its direction bit.</param>
    /// <param name="streamId">The stream, from 1.</param>
    /// <param name="buffer">Where the data is read from or written to.</param>
    /// <param name="callback">Called when it ends; null leaves what is set.</param>
    /// <param name="state">Becomes <see cref="State"/>; null leaves what is set.</param>
    /// <param name="timeout">The time limit, 1 millisecond to 24.8 days; null and <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> set none.</param>
    public void SetBulkStreamPinned(byte endpoint, int streamId, Memory<byte> buffer, Action<UsbTransfer>? callback = null, object? state = null, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(streamId, 1);
        SetSimple(UsbTransferType.BulkStream, endpoint, buffer, callback, state, timeout, streamId);
    }
}
