using System.Buffers;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>
/// The memory of one transfer: its own native block, reused as long as it is large enough, or memory of the caller's, pinned until the
/// transfer is configured anew or released. Neither moves while libusb holds a pointer into it.
/// </summary>
internal unsafe struct TransferBuffer
{
    private byte* _owned;
    private int _ownedCapacity;
    private MemoryHandle _pin;

    public byte* Pointer { get; private set; }

    public int Length { get; private set; }

    /// <summary>What follows the first bytes; empty when there is less.</summary>
    public readonly Span<byte> From(int skipped)
    {
        int length = Length;
        return length > skipped ? new Span<byte>(Pointer + skipped, length - skipped) : default;
    }

    /// <summary>Takes a zeroed block of its own.</summary>
    public void UseOwned(int length)
    {
        if (length > _ownedCapacity)
        {
            byte* grown = AlignedMemory.AllocateNative(length); // throws OutOfMemoryException: the old block stays
            AlignedMemory.FreeNative(_owned);
            _owned = grown;
            _ownedCapacity = length;
        }

        _pin.Dispose();
        _pin = default;
        Pointer = _owned;
        Length = length;
        NativeMemory.Clear(Pointer, (nuint)length);
    }

    /// <summary>Uses the caller's memory where it is. It stays pinned; the caller keeps it alive only by its own references.</summary>
    public void UsePinned(Memory<byte> memory)
    {
        MemoryHandle pin = memory.Pin();
        _pin.Dispose();
        _pin = pin;
        Pointer = (byte*)pin.Pointer;
        Length = memory.Length;
    }

    /// <summary>Unpins the caller's memory and has no buffer then. A block of its own stays.</summary>
    public void ReleasePin()
    {
        if (Pointer == _owned)
            return;
        _pin.Dispose();
        _pin = default;
        Pointer = null;
        Length = 0;
    }

    public void Release()
    {
        _pin.Dispose();
        _pin = default;
        AlignedMemory.FreeNative(_owned);
        _owned = null;
        _ownedCapacity = 0;
        Pointer = null;
        Length = 0;
    }
}
