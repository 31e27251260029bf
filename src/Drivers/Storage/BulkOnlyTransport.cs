using System.Buffers.Binary;
using Native.LibUsb;

namespace Drivers.Storage;

/// <summary>
/// Represents the bulk-only transport. For each command, the transport sends a command wrapper, sends or receives the data if the command has data, and
/// receives a status wrapper. If a command ends without a valid status wrapper, the transport resets the interface, so that the device accepts the next
/// command.
/// </summary>
internal sealed class BulkOnlyTransport(UsbInterface claimed)
{
    private const int WrapperSize = 31, MostCommand = 16;
    private const uint Signature = 0x43425355;
    private const byte ResetRequest = 0xff;

    private readonly UsbEndpoint _input = claimed.GetEndpoint(UsbDirection.In, UsbTransferType.Bulk);
    private readonly UsbEndpoint _output = claimed.GetEndpoint(UsbDirection.Out, UsbTransferType.Bulk);
    private readonly byte[] _wrapper = new byte[WrapperSize];
    private readonly byte[] _status = new byte[CommandStatus.Size];
    private uint _tag;

    /// <summary>Gets or sets the time limit of each transfer of a command.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Executes a command.</summary>
    /// <param name="command">The SCSI command.</param>
    /// <param name="direction">The direction of the data.</param>
    /// <param name="data">The data to send, or the buffer for received data. If the command has no data, the buffer is empty.</param>
    /// <param name="cancellationToken">A token that cancels the command. After a cancellation, the transport resets the interface.</param>
    /// <returns>The status of the command and the number of bytes transferred.</returns>
    /// <exception cref="DiskException">The device violated the protocol or did not answer in time. The interface has been reset.</exception>
    /// <exception cref="UsbException">A transfer failed.</exception>
    public async ValueTask<(CommandStatus Status, int Moved)> ExecuteAsync(
        ReadOnlyMemory<byte> command, UsbDirection direction, Memory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            return await TransferAsync(command, direction, data, cancellationToken).ConfigureAwait(false);
        }
        catch (UsbException exception) when (exception.Error == UsbError.NoDevice)
        {
            throw; // the device is gone and cannot be reset
        }
        catch (Exception exception) when (exception is DiskException or UsbException or OperationCanceledException)
        {
            await RecoverAsync().ConfigureAwait(false);
            if (exception is UsbException { Error: UsbError.Timeout })
                throw new DiskException($"The disk did not answer the command 0x{command.Span[0]:x2} within {Patience.TotalSeconds:0.###} s.", exception);
            if (exception is UsbException { Error: UsbError.Overflow })
                throw new DiskException($"The disk sent more than the command 0x{command.Span[0]:x2} requested.", exception);
            throw;
        }
    }

    private async ValueTask<(CommandStatus Status, int Moved)> TransferAsync(
        ReadOnlyMemory<byte> command, UsbDirection direction, Memory<byte> data, CancellationToken cancellationToken)
    {
        uint tag = WriteWrapper(command.Span, direction, data.Length);
        await _output.WriteAsync(_wrapper, Patience, cancellationToken: cancellationToken).ConfigureAwait(false);

        int moved = 0;
        if (!data.IsEmpty)
        {
            try
            {
                moved = direction == UsbDirection.In
                    ? await _input.ReadAsync(data, Patience, cancellationToken).ConfigureAwait(false)
                    : await _output.WriteAsync(data, Patience, cancellationToken: cancellationToken).ConfigureAwait(false);
            }
            catch (UsbException exception) when (exception.Error == UsbError.Pipe)
            {
                // A device may end the data early with a stall. The status follows.
                moved = exception.BytesTransferred;
                await (direction == UsbDirection.In ? _input : _output).ClearHaltAsync().ConfigureAwait(false);
            }

            if (direction == UsbDirection.In && CommandStatus.IsWrapper(data.Span[..moved], tag))
                return (CommandStatus.Parse(data.Span[..moved], tag, data.Length), 0);
        }

        int length = await ReadStatusAsync(cancellationToken).ConfigureAwait(false);
        return (CommandStatus.Parse(_status.AsSpan(0, length), tag, data.Length), moved);
    }

    /// <summary>Reads the status wrapper. A device may stall this transfer once.</summary>
    private async ValueTask<int> ReadStatusAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _input.ReadAsync(_status, Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (UsbException exception) when (exception.Error == UsbError.Pipe)
        {
            await _input.ClearHaltAsync().ConfigureAwait(false);
        }

        return await _input.ReadAsync(_status, Patience, cancellationToken).ConfigureAwait(false);
    }

    private uint WriteWrapper(ReadOnlySpan<byte> command, UsbDirection direction, int dataLength)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(command.Length, MostCommand);
        Span<byte> wrapper = _wrapper;
        wrapper.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(wrapper, Signature);
        BinaryPrimitives.WriteUInt32LittleEndian(wrapper[4..], ++_tag);
        BinaryPrimitives.WriteInt32LittleEndian(wrapper[8..], dataLength);
        wrapper[12] = (byte)(direction == UsbDirection.In ? 0x80 : 0);
        wrapper[14] = (byte)command.Length;
        command.CopyTo(wrapper[15..]);
        return _tag;
    }

    /// <summary>
    /// Resets the interface and clears the halts of both endpoints, in the order that the class specification requires. If a step fails, the method ignores the
    /// failure: the next command then fails too, and reports an error.
    /// </summary>
    private async ValueTask RecoverAsync()
    {
        try
        {
            await claimed.ControlWriteAsync(UsbRequestKind.Class, ResetRequest, value: 0, timeout: Patience).ConfigureAwait(false);
        }
        catch (UsbException exception)
        {
            if (exception.Error == UsbError.NoDevice)
                return;
        }

        await _input.TryClearHaltAsync().ConfigureAwait(false);
        await _output.TryClearHaltAsync().ConfigureAwait(false);
    }
}
