using System.Runtime.InteropServices;

namespace Usbcap.Capture;

/// <summary>
/// Memory between the thread that handles USB events and the one that writes: blocks that are filled, written, and filled again. Everything
/// is allocated at the start. The event thread never waits for the writer: when no block is free it is told so.
/// </summary>
/// <remarks>A free block is the one that was written last, so a writer that keeps up works in a small part of the memory.</remarks>
internal sealed unsafe class BlockRing : IDisposable
{
    public const int BlockSize = 256 * 1024;
    private const nuint Alignment = 4096;

    private readonly byte*[] _blocks;
    private readonly int[] _lengths;
    private readonly int[] _free;
    private readonly int[] _filled;
    private readonly AutoResetEvent _ready = new(false);
    private int _freeCount;
    private int _filledHead;
    private int _filledCount;
    private int _current;
    private bool _complete;

    // Held for a copy at most. Not a monitor: those may allocate when two threads meet.
    private SpinLock _lock = new(enableThreadOwnerTracking: false);

    public BlockRing(long capacity)
    {
        int count = checked((int)Math.Max(4, (capacity + BlockSize - 1) / BlockSize));
        _blocks = new byte*[count];
        _lengths = new int[count];
        _free = new int[count];
        _filled = new int[count];
        for (int i = 0; i < count; i++)
        {
            _blocks[i] = (byte*)NativeMemory.AlignedAlloc(BlockSize, Alignment);
            _free[i] = count - 1 - i;
        }

        _freeCount = count;
        _current = TakeFree();
    }

    /// <summary>Bytes it has room for.</summary>
    public long Capacity => (long)_blocks.Length * BlockSize;

    /// <summary>Adds bytes, all or none.</summary>
    /// <returns>False: there is no room, and nothing was added.</returns>
    public bool TryWrite(ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        bool taken = false;
        bool filledOne;
        _lock.Enter(ref taken);
        try
        {
            int room = _current < 0 ? 0 : BlockSize - _lengths[_current];
            if (header.Length + data.Length > room + ((long)_freeCount * BlockSize))
                return false;
            filledOne = Append(header);
            filledOne |= Append(data);
        }
        finally
        {
            _lock.Exit();
        }

        if (filledOne)
            _ready.Set();
        return true;
    }

    /// <summary>No more bytes will come.</summary>
    public void Complete()
    {
        Volatile.Write(ref _complete, true);
        _ready.Set();
    }

    /// <summary>
    /// Waits for a block to write: a full one, or after <paramref name="patienceMilliseconds"/> also one that is not full yet, so that data from a slow
    /// device does not lie here for long.
    /// </summary>
    /// <param name="patienceMilliseconds">How long a part of a block may lie.</param>
    /// <param name="block">What to give to <see cref="Return"/>; -1 when there was nothing in that time.</param>
    /// <param name="data">Its content.</param>
    /// <returns>False: the ring is complete and empty.</returns>
    public bool Take(int patienceMilliseconds, out int block, out ReadOnlySpan<byte> data)
    {
        bool complete = Volatile.Read(ref _complete); // read first: what was added before it is seen below
        if (!TryTake(complete, out block) && !complete)
        {
            bool signaled = _ready.WaitOne(patienceMilliseconds);
            TryTake(partToo: !signaled, out block);
        }

        data = block < 0 ? default : new ReadOnlySpan<byte>(_blocks[block], _lengths[block]);
        return block >= 0 || !complete;
    }

    /// <summary>Gives a written block back.</summary>
    public void Return(int block)
    {
        bool taken = false;
        _lock.Enter(ref taken);
        _lengths[block] = 0;
        _free[_freeCount++] = block;
        if (_current < 0)
            _current = TakeFree();
        _lock.Exit();
    }

    /// <summary>Frees the memory. No thread may use it any more.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _blocks.Length; i++)
        {
            NativeMemory.AlignedFree(_blocks[i]);
            _blocks[i] = null;
        }

        _ready.Dispose();
    }

    private bool TryTake(bool partToo, out int block)
    {
        bool taken = false;
        _lock.Enter(ref taken);
        block = -1;
        if (_filledCount > 0)
        {
            block = _filled[_filledHead];
            _filledHead = (_filledHead + 1) % _filled.Length;
            _filledCount--;
        }
        else if (partToo && _current >= 0 && _lengths[_current] > 0)
        {
            block = _current;
            _current = TakeFree();
        }

        _lock.Exit();
        return block >= 0;
    }

    // Lock held, and room was seen to be enough.
    private bool Append(ReadOnlySpan<byte> bytes)
    {
        bool filledOne = false;
        while (!bytes.IsEmpty)
        {
            int used = _lengths[_current];
            int part = Math.Min(bytes.Length, BlockSize - used);
            bytes[..part].CopyTo(new Span<byte>(_blocks[_current] + used, part));
            _lengths[_current] = used + part;
            bytes = bytes[part..];
            if (used + part == BlockSize)
            {
                _filled[(_filledHead + _filledCount++) % _filled.Length] = _current;
                _current = TakeFree();
                filledOne = true;
            }
        }

        return filledOne;
    }

    private int TakeFree() => _freeCount > 0 ? _free[--_freeCount] : -1;
}
