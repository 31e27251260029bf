namespace Native.LibUsb.Streaming;

/// <summary>
/// Divides a stream of bytes into the transfers of a ring, and marks the ends of messages. No method waits for a free buffer. If a method needs a buffer and
/// none is free, its return value reports this. While the filler has no buffer, <see cref="Room"/> is empty.
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
    private bool _open; // a message was begun, and all of its packets that were sent are full
    private bool _owesEnd; // a zero-length packet must be sent before any other data

    public OutputFiller(UsbOutputRing ring, UsbWriteBoundary boundary)
    {
        _ring = ring;
        _marksEnds = boundary == UsbWriteBoundary.ShortPacket;
        _packet = Math.Max(ring.Configuration.MaxPacketSize, 1);
        int size = ring.Configuration.TransferSize;
        _capacity = _marksEnds ? size / _packet * _packet : size; // a packet that is not full would end the message
    }

    /// <summary>Gets the memory to write bytes to; empty if a buffer is needed.</summary>
    public Memory<byte> Room => _hasBuffer ? _buffer.Memory[_filled.._capacity] : default;

    /// <summary>Gets the number of bytes that were written and not yet passed to the ring.</summary>
    public int Pending => _filled;

    /// <summary>Gets whether there are bytes, or the end of a message, that were not sent.</summary>
    public bool HasSomething => _filled > 0 || _open || _owesEnd;

    /// <summary>Takes over a buffer. The caller calls the method only if the filler has no buffer.</summary>
    public void Offer(UsbOutputBuffer buffer)
    {
        _buffer = buffer;
        _hasBuffer = true;
        TryPayEnd();
    }

    /// <summary>Acquires a free buffer from the ring, unless the filler has a buffer already.</summary>
    /// <returns>Whether the filler has a buffer.</returns>
    public bool TryGetBuffer()
    {
        while (!_hasBuffer && _ring.TryAcquire(out UsbOutputBuffer buffer))
            Offer(buffer);
        return _hasBuffer;
    }

    /// <summary>Counts the bytes that the caller has written to <see cref="Room"/>, and sends the buffer if it is full.</summary>
    public void Advance(int count)
    {
        _filled += count;
        if (_filled < _capacity)
            return;
        Commit();
        _open = _marksEnds;
    }

    /// <summary>Copies bytes into free buffers until all bytes are copied or no buffer is free.</summary>
    /// <returns>The number of bytes that were copied.</returns>
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

    /// <summary>
    /// Passes the bytes to the ring, and ends the message. If the message must end with a zero-length packet, <see cref="TryPayEnd"/> sends this packet.
    /// </summary>
    /// <param name="evenEmpty">True to send an empty message if the program has not begun a message; false to send nothing in this case.</param>
    public void End(bool evenEmpty)
    {
        if (_filled > 0)
        {
            bool isFull = _filled % _packet == 0;
            Commit();
            _owesEnd = _marksEnds && isFull; // otherwise the message ends with a short packet
        }
        else
        {
            _owesEnd |= _marksEnds && (_open || evenEmpty);
        }

        _open = false;
    }

    /// <summary>Sends the zero-length packet that ends a message, if the filler has not sent the packet yet.</summary>
    /// <returns>False if the packet needs a buffer and no buffer is free.</returns>
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

    /// <summary>Returns the buffer to the ring, and discards the bytes that were not sent.</summary>
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
