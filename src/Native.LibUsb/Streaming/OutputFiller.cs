namespace Native.LibUsb.Streaming;

/// <summary>
/// Cuts a stream of bytes into the transfers of a ring, and marks the ends of messages. It never waits: what needs a buffer says so.
/// </summary>
internal sealed class OutputFiller
{
    private readonly UsbOutputRing _ring;
    private readonly bool _marksEnds;
    private readonly int _packet;
    private readonly int _capacity;
    private UsbOutputBuffer _buffer;
    private bool _hasBuffer;
    private int _filled;
    private bool _open; // a message was begun, and the packets that were sent of it are full
    private bool _owesEnd; // a zero-length packet, before anything else

    public OutputFiller(UsbOutputRing ring, UsbWriteBoundary boundary)
    {
        _ring = ring;
        _marksEnds = boundary == UsbWriteBoundary.ShortPacket;
        _packet = Math.Max(ring.Configuration.MaxPacketSize, 1);
        int size = ring.Configuration.TransferSize;
        _capacity = _marksEnds ? size / _packet * _packet : size; // a packet that is not full would end the message
    }

    /// <summary>Gets where to put bytes; empty when a buffer is needed.</summary>
    public Memory<byte> Room => _hasBuffer ? _buffer.Memory[_filled.._capacity] : default;

    /// <summary>Gets the number of bytes that were written and not handed to the ring.</summary>
    public int Pending => _filled;

    /// <summary>Gets whether something was written that was not sent, or whose end was not.</summary>
    public bool HasSomething => _filled > 0 || _open || _owesEnd;

    /// <summary>Takes over a buffer, when it has none.</summary>
    public void Offer(UsbOutputBuffer buffer)
    {
        _buffer = buffer;
        _hasBuffer = true;
        TryPayEnd();
    }

    /// <summary>Gets a buffer, when it has none and one is free.</summary>
    /// <returns>Whether it has one.</returns>
    public bool TryGetBuffer()
    {
        while (!_hasBuffer && _ring.TryAcquire(out UsbOutputBuffer buffer))
            Offer(buffer);
        return _hasBuffer;
    }

    /// <summary>Counts bytes that were put into <see cref="Room"/>; a full buffer is sent.</summary>
    public void Advance(int count)
    {
        _filled += count;
        if (_filled < _capacity)
            return;
        Commit();
        _open = _marksEnds;
    }

    /// <summary>Copies as much as there are buffers for.</summary>
    /// <returns>Bytes taken.</returns>
    public int Write(ReadOnlySpan<byte> data)
    {
        int written = 0;
        while (written < data.Length && TryGetBuffer())
        {
            Span<byte> room = Room.Span;
            int length = Math.Min(room.Length, data.Length - written);
            data.Slice(written, length).CopyTo(room);
            written += length;
            Advance(length);
        }

        return written;
    }

    /// <summary>Hands over what was written, and marks the end of the message. <see cref="TryPayEnd"/> returns whether it is sent.</summary>
    /// <param name="evenEmpty">Whether a message without bytes is sent when none was begun.</param>
    public void End(bool evenEmpty)
    {
        if (_filled > 0)
        {
            bool isFull = _filled % _packet == 0;
            Commit();
            _owesEnd = _marksEnds && isFull; // otherwise its last packet is the end
        }
        else
        {
            _owesEnd |= _marksEnds && (_open || evenEmpty);
        }

        _open = false;
    }

    /// <summary>Sends the zero-length packet that an end needs.</summary>
    /// <returns>False: that takes a buffer, and none is free.</returns>
    public bool TryPayEnd()
    {
        if (!_owesEnd)
            return true;
        if (!_hasBuffer && !_ring.TryAcquire(out _buffer))
            return false;
        _owesEnd = false;
        Commit();
        return true;
    }

    /// <summary>Gives back what was not sent.</summary>
    public void Drop()
    {
        if (_hasBuffer)
            _buffer.Dispose();
        _hasBuffer = false;
        _filled = 0;
        _open = false;
        _owesEnd = false;
    }

    private void Commit()
    {
        int length = _filled;
        _filled = 0;
        _hasBuffer = false;
        _buffer.Commit(length);
    }
}
