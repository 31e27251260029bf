using System.Buffers;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>
/// Represents the memory of one transfer: its own native block, reused as long as it is large enough, or memory of the caller's, pinned until the
/// transfer is configured anew or released. Neither moves while libusb holds a pointer into it.
/// </summary>
/// <remarks>It neither pins nor unpins: that may run code of the program, which may throw, or close what the transfer belongs to.</remarks>
internal unsafe struct TransferBuffer
{
    private byte* _owned;
    private int _ownedCapacity;
    private MemoryHandle _pin;

    public byte* Pointer { get; private set; }

    public int Length { get; private set; }

    /// <summary>Returns what follows the first bytes; empty when there is less.</summary>
    public readonly Span<byte> From(int skipped)
    {
        int length = Length;
        return length > skipped ? new Span<byte>(Pointer + skipped, length - skipped) : default;
    }

    /// <summary>Takes a zeroed block of its own.</summary>
    /// <param name="length">Bytes.</param>
    /// <param name="before">Becomes the pin of the caller's memory that it had, which the caller of this method disposes.</param>
    public void UseOwned(int length, ref MemoryHandle before)
    {
        if (length > _ownedCapacity)
        {
            byte* grown = AlignedMemory.AllocateNative(length); // throws OutOfMemoryException: the old block stays
            AlignedMemory.FreeNative(_owned);
            _owned = grown;
            _ownedCapacity = length;
        }

        before = _pin;
        _pin = default;
        Pointer = _owned;
        Length = length;
        NativeMemory.Clear(Pointer, (nuint)length);
    }

    /// <summary>Uses the caller's memory where it is. It stays pinned; the caller keeps it alive only by its own references.</summary>
    /// <param name="pin">The memory, pinned. It becomes the pin that the buffer had before, which the caller of this method disposes.</param>
    /// <param name="length">Bytes.</param>
    public void UsePinned(ref MemoryHandle pin, int length)
    {
        (_pin, pin) = (pin, _pin);
        Pointer = (byte*)_pin.Pointer;
        Length = length;
    }

    /// <summary>Gives up the caller's memory and has no buffer then. A block of its own stays.</summary>
    /// <returns>The pin, which the caller of this method disposes.</returns>
    public MemoryHandle TakePin()
    {
        MemoryHandle pin = _pin;
        _pin = default;
        if (Pointer != _owned)
        {
            Pointer = null;
            Length = 0;
        }

        return pin;
    }

    /// <summary>Frees its own block, and has no buffer then.</summary>
    /// <returns>The pin of the caller's memory, which the caller of this method disposes.</returns>
    public MemoryHandle Release()
    {
        AlignedMemory.FreeNative(_owned);
        _owned = null;
        _ownedCapacity = 0;
        Pointer = null;
        Length = 0;
        return TakePin();
    }
}
