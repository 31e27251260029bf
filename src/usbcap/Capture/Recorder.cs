using Native.LibUsb;
using Native.LibUsb.Streaming;
using Usbcap.Output;

namespace Usbcap.Capture;

/// <summary>
/// Converts the data of the ring to the bytes of the output, cut to what was requested, and counts it. Used by the thread that writes; it allocates
/// nothing.
/// </summary>
internal sealed class Recorder
{
    private readonly CaptureSession _session;
    private readonly OutputBlock _output;
    private readonly CaptureCounters _counters;
    private readonly CapturePlan _plan;
    private readonly byte[] _header;
    private readonly long _byteLimit;
    private readonly long _packetLimit;
    private long _nextNumber; // of bulk and interrupt transfers; isochronous packets have theirs

    public Recorder(CaptureSession session, CaptureRequest request, OutputBlock output)
    {
        _session = session;
        _output = output;
        _counters = session.Counters;
        _plan = session.Plan;
        _header = new byte[request.Format == OutputFormat.Framed ? FrameHeader.Size : 0];
        _byteLimit = request.Bytes ?? long.MaxValue;
        _packetLimit = request.Packets ?? long.MaxValue;
    }

    /// <summary>Puts the header of the file into the output.</summary>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public void WriteFileHeader()
    {
        if (_header.Length == 0)
            return;
        FrameHeader.WriteFile(_header, _plan.Endpoint, _plan.UnitSize);
        _output.Add(_header);
    }

    /// <summary>Takes what a transfer brought.</summary>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public void Take(UsbInputBuffer buffer)
    {
        if (_plan.IsIsochronous)
            TakePackets(buffer);
        else
            TakeTransfer(buffer);
    }

    private void TakePackets(UsbInputBuffer buffer)
    {
        _counters.Dropped += buffer.LostBefore.Packets;
        foreach (UsbRingPacket packet in buffer.Packets)
        {
            if (_session.LimitReached)
                break;
            _counters.Intervals++;
            if (packet.Status != UsbTransferStatus.Completed)
                _counters.AddFailed(packet.Status);
            else if (packet.Data.IsEmpty)
                _counters.EmptyPackets++;
            Keep(packet.Data, 1, packet.Status, packet.Number);
        }

        if (buffer.Status == UsbTransferStatus.Completed)
            _counters.CountTime(buffer.Timestamp);
    }

    private void TakeTransfer(UsbInputBuffer buffer)
    {
        UsbTransferStatus status = buffer.Status;
        ReadOnlySpan<byte> data = buffer.Data;
        if (!data.IsEmpty || status == UsbTransferStatus.Completed)
        {
            // Data of a transfer that failed later on is good: the bus has checked each packet.
            Keep(data, PacketsOf(data.Length, buffer.EndsWithShortPacket), UsbTransferStatus.Completed, _nextNumber++);
            _counters.CountTime(buffer.Timestamp);
            if (data.IsEmpty)
                _counters.EmptyPackets++;
        }

        if (status is UsbTransferStatus.Completed or UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice)
            return;
        _counters.AddFailed(status);
        Keep(default, 0, status, _nextNumber++); // a mark, in framed output
    }

    // A transfer is over when it is full or a packet was not: so all packets but the last are full.
    private long PacketsOf(int length, bool endedByShortPacket)
    {
        int packetSize = _plan.Endpoint.MaxPacketSize;
        return endedByShortPacket ? (length / packetSize) + 1 : (length + packetSize - 1) / packetSize;
    }

    /// <summary>Puts data into the output, cut to what is still requested.</summary>
    /// <param name="data">What arrived.</param>
    /// <param name="packets">The packets it is.</param>
    /// <param name="status">How it arrived; only good packets count, and only they go to raw output.</param>
    /// <param name="number">The number of the packet or transfer, lost ones counted.</param>
    private void Keep(ReadOnlySpan<byte> data, long packets, UsbTransferStatus status, long number)
    {
        bool good = status == UsbTransferStatus.Completed;
        if (_session.LimitReached || (!good && _header.Length == 0))
            return; // not wanted
        if (good)
            Cut(ref data, ref packets);
        if (_header.Length > 0)
        {
            FrameHeader.Write(_header, number, data.Length, status);
            _output.Add(_header);
        }

        _output.Add(data);
        _counters.Bytes += data.Length;
        if (!good)
            return;
        _counters.Packets += packets;
        if (_counters.Packets >= _packetLimit || _counters.Bytes >= _byteLimit)
            _session.StopAtLimit();
    }

    private void Cut(ref ReadOnlySpan<byte> data, ref long packets)
    {
        long packetsLeft = _packetLimit - _counters.Packets;
        if (packets > packetsLeft)
        {
            // Only bulk and interrupt transfers bring more than one packet at a time; all but the last are full.
            packets = packetsLeft;
            data = data[..(int)Math.Min(data.Length, packets * _plan.Endpoint.MaxPacketSize)];
        }

        long bytesLeft = _byteLimit - _counters.Bytes;
        if (data.Length > bytesLeft)
            data = data[..(int)bytesLeft];
    }
}
