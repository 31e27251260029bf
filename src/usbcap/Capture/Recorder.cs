using Native.LibUsb;
using Native.LibUsb.Streaming;
using Usbcap.Output;

namespace Usbcap.Capture;

/// <summary>
/// Converts the data of the ring to the bytes of the output, limits the data to the requested amount, and counts the packets, bytes and failures. Only the
/// writing thread uses this class. The class allocates no memory during the capture.
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
    private long _nextNumber; // the next number of a bulk or interrupt transfer; isochronous packets have their own numbers

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

    /// <summary>Writes the header of the file to the output.</summary>
    /// <exception cref="IOException">The output cannot be written.</exception>
    public void WriteFileHeader()
    {
        if (_header.Length == 0)
            return;
        FrameHeader.WriteFile(_header, _plan.Endpoint, _plan.UnitSize);
        _output.Add(_header);
    }

    /// <summary>Processes a completed transfer.</summary>
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
            // If a transfer fails, the data before the failure is good, because the bus has checked each packet.
            Keep(data, PacketsOf(data.Length, buffer.EndsWithShortPacket), UsbTransferStatus.Completed, _nextNumber++);
            _counters.CountTime(buffer.Timestamp);
            if (data.IsEmpty)
                _counters.EmptyPackets++;
        }

        if (status is UsbTransferStatus.Completed or UsbTransferStatus.Canceled or UsbTransferStatus.NoDevice)
            return;
        _counters.AddFailed(status);
        Keep(default, 0, status, _nextNumber++); // in framed output, this record marks the failure
    }

    // A transfer ends when its buffer is full or a packet is short. All packets except the last are therefore full.
    private long PacketsOf(int length, bool endedByShortPacket)
    {
        int packetSize = _plan.Endpoint.MaxPacketSize;
        return endedByShortPacket ? (length / packetSize) + 1 : (length + packetSize - 1) / packetSize;
    }

    /// <summary>Writes data to the output, limited to the requested amount.</summary>
    /// <param name="data">The data.</param>
    /// <param name="packets">The number of packets in the data.</param>
    /// <param name="status">The status of the data. Only good packets count toward the limits, and raw output contains only good packets.</param>
    /// <param name="number">The index of the packet or transfer in the stream. Dropped packets also have an index, so framed output shows the gap.</param>
    private void Keep(ReadOnlySpan<byte> data, long packets, UsbTransferStatus status, long number)
    {
        bool good = status == UsbTransferStatus.Completed;
        if (_session.LimitReached || (!good && _header.Length == 0))
            return; // the limit has been reached, or raw output has no place for a failure
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
            // Only bulk and interrupt transfers contain several packets, of which all except the last are full.
            packets = packetsLeft;
            data = data[..(int)Math.Min(data.Length, packets * _plan.Endpoint.MaxPacketSize)];
        }

        long bytesLeft = _byteLimit - _counters.Bytes;
        if (data.Length > bytesLeft)
            data = data[..(int)bytesLeft];
    }
}
