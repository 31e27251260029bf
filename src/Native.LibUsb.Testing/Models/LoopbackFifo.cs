namespace Native.LibUsb.Testing;

/// <summary>Represents the buffer between the OUT and the IN endpoint. It contains the data and the positions at which short packets ended. The buffer grows
/// up to its capacity. If the buffer is full, OUT transfers wait.</summary>
internal sealed class LoopbackFifo(int capacity, int packetSize)
{
    // Contains, for each short packet, the position after its last byte. A position is counted in bytes from the first byte that was ever written. If an empty
    // packet follows a short packet directly, both packets have the same position, so the queue can contain a position more than once.
    private readonly Queue<long> _ends = [];
    private byte[] _ring = new byte[Math.Min(capacity, 65536)];
    private long _read, _written;

    /// <summary>Gets or sets the pass of the loopback in which an OUT transfer did not fit into the FIFO.</summary>
    public int BlockedIn { get; set; }

    public int Count => (int)(_written - _read);

    /// <summary>Copies data of an OUT transfer into the FIFO. Returns true if all of its data has been copied.</summary>
    public bool Take(VirtualUrb urb)
    {
        int rest = urb.Length - urb.ActualLength;
        int room = capacity - Count;
        // A transfer that is not larger than the FIFO is not split: it waits until all of it fits.
        if (rest > room && (urb.Length <= capacity || room == 0))
            return false;
        int part = Math.Min(rest, room);
        Grow(Count + part);
        ReadOnlySpan<byte> data = urb.Buffer.Slice(urb.ActualLength, part);
        int start = (int)(_written % _ring.Length), first = Math.Min(part, _ring.Length - start);
        data[..first].CopyTo(_ring.AsSpan(start));
        data[first..].CopyTo(_ring);
        _written += part;
        urb.ActualLength += part;
        if (urb.ActualLength < urb.Length)
            return false;
        if (urb.Length % packetSize != 0 || urb.Length == 0 || urb.ZeroPacket)
            _ends.Enqueue(_written);
        return true;
    }

    /// <summary>Copies data into an IN transfer. Returns true if the transfer is full or a short packet has ended it.</summary>
    public bool Give(VirtualUrb urb, out bool overflow)
    {
        overflow = false;
        long end = _ends.Count > 0 ? _ends.Peek() : _written;
        int room = urb.Length - urb.ActualLength;
        int part = (int)Math.Min(room, end - _read);
        int start = (int)(_read % _ring.Length), first = Math.Min(part, _ring.Length - start);
        Span<byte> to = urb.Buffer.Slice(urb.ActualLength, part);
        _ring.AsSpan(start, first).CopyTo(to);
        _ring.AsSpan(0, part - first).CopyTo(to[first..]);
        _read += part;
        urb.ActualLength += part;
        bool shortEnd = _ends.Count > 0 && _ends.Peek() == _read;
        bool full = urb.ActualLength == urb.Length;
        if (full && urb.Length % packetSize != 0 && end > _read)
        {
            // The last packet did not fit into the rest of the buffer. This error is babble, and the end of the packet is lost.
            long tail = Math.Min(packetSize - (urb.Length % packetSize), end - _read);
            _read += tail;
            overflow = true;
            shortEnd = _ends.Count > 0 && _ends.Peek() == _read;
            if (shortEnd)
                _ends.Dequeue();
            return true;
        }
        if (shortEnd && (!full || urb.ActualLength % packetSize != 0))
        {
            _ends.Dequeue();
            return true;
        }
        return full && (urb.Length > 0 || shortEnd);
    }

    private void Grow(int needed)
    {
        if (needed <= _ring.Length)
            return;
        byte[] larger = new byte[Math.Min(capacity, (int)Math.Min((long)Math.Max(needed, _ring.Length * 2L), int.MaxValue))];
        int count = Count, start = (int)(_read % _ring.Length);
        int target = (int)(_read % larger.Length);
        for (int moved = 0; moved < count;)
        {
            // copy runs that are contiguous in both buffers
            int from = (start + moved) % _ring.Length, to = (target + moved) % larger.Length;
            int run = Math.Min(count - moved, Math.Min(_ring.Length - from, larger.Length - to));
            _ring.AsSpan(from, run).CopyTo(larger.AsSpan(to));
            moved += run;
        }
        _ring = larger;
    }
}
