using System.IO.Pipelines;
using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Drivers.Serial;

// This part of the class converts packets to a stream of bytes.
public sealed partial class FtdiStream
{
    private readonly int _packetSize;
    private readonly Pipe _pipe = new(); // if the reader is slow, PumpAsync waits, and the chip's flow control pauses the remote end
    private readonly Stream _received;
    private Task _pump;
    private Exception? _failure; // ReadAsync throws this exception after the program has read all data that arrived before the failure
    private volatile bool _discards;
    private volatile int _status;

    /// <summary>Occurs when a modem line changes or a packet reports a line error. The event is raised on a thread of the thread pool.</summary>
    public event Action<FtdiStatus>? StatusChanged;

    /// <summary>Gets the status from the last packet.</summary>
    public FtdiStatus Status => new((FtdiModemLines)(_status & 0xff), (FtdiConditions)(_status >> 8));

    /// <summary>Discards all data that is still in the chip, in both directions. Also discards the received data that the program has not read yet.</summary>
    /// <exception cref="UsbException">The chip refused the request.</exception>
    public async Task PurgeAsync()
    {
        _discards = true;
        try
        {
            await StopAsync().ConfigureAwait(false);
            // Each of the two requests discards the data of one direction. The documents about the chip disagree on which request discards which direction.
            // This does not matter here, because the method always sends both requests.
            await SendAsync(FtdiRequest.Reset, PurgeOne).ConfigureAwait(false);
            await SendAsync(FtdiRequest.Reset, PurgeOther).ConfigureAwait(false);
            DiscardReceived();
            await _pipe.Writer.FlushAsync().ConfigureAwait(false); // makes the data available that PumpAsync had not flushed
            DiscardReceived();
        }
        finally
        {
            _discards = false;
        }

        if (_failure is not null)
            return;
        _ring.Start();
        _pump = PumpAsync();
    }

    private async Task StopAsync()
    {
        await _ring.StopAsync().ConfigureAwait(false);
        _pipe.Writer.CancelPendingFlush(); // PumpAsync may be waiting for room
        await _pump.ConfigureAwait(false);
    }

    private async Task PumpAsync()
    {
        try
        {
            while (true)
            {
                using (UsbInputBuffer buffer = await _ring.ReadAsync().ConfigureAwait(false))
                {
                    if (buffer.IsNone)
                        return; // stopped
                    TakePackets(buffer.Data);
                    if (buffer.Status is UsbTransferStatus.Error or UsbTransferStatus.Overflow)
                        throw new IOException($"A transfer from the chip ended with {buffer.Status}, and data is missing here.");
                }

                if (!_discards)
                    await _pipe.Writer.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception) // ReadAsync throws the exception after the program has read all earlier data
        {
            _failure = exception;
            _pipe.Writer.Complete();
        }
    }

    /// <summary>Removes the two status bytes at the start of each packet. A transfer contains several packets.</summary>
    private void TakePackets(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            ReadOnlySpan<byte> packet = data[..Math.Min(data.Length, _packetSize)];
            data = data[packet.Length..];
            if (packet.Length < FtdiStatus.Size)
                throw new InvalidDataException($"The chip sent a packet of {packet.Length} byte, and each packet starts with {FtdiStatus.Size} bytes of status.");
            TakeStatus(FtdiStatus.Parse(packet));
            if (_discards)
                continue;
            ReadOnlySpan<byte> characters = packet[FtdiStatus.Size..];
            characters.CopyTo(_pipe.Writer.GetSpan(_packetSize));
            _pipe.Writer.Advance(characters.Length);
        }
    }

    private void TakeStatus(FtdiStatus status)
    {
        FtdiStatus before = Status;
        _status = (int)status.Lines | ((int)status.Conditions << 8);
        if (status.Lines != before.Lines || status.Errors != FtdiConditions.None)
            StatusChanged?.Invoke(status);
    }

    private void DiscardReceived()
    {
        while (_pipe.Reader.TryRead(out ReadResult result))
        {
            _pipe.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return;
        }
    }
}
