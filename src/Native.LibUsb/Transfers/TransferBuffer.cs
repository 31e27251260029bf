using System.Buffers;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>
/// Represents the memory of one transfer. The memory is either the buffer's own native block or the caller's memory. The buffer keeps its native block, and
/// replaces the block only when a transfer needs a larger one. The caller's memory stays pinned until the transfer is configured again or released, so this
/// memory does not move while libusb has a pointer to it.
/// </summary>
/// <remarks>
/// The callers of this struct pin and unpin the memory, because pinning and unpinning can run code of the program. That code may throw an exception, or close
/// the interface or handle of the transfer.
/// </remarks>
internal unsafe struct TransferBuffer
{
    private byte* _owned;
    private int _ownedCapacity;
    private MemoryHandle _pin;

    public byte* Pointer { get; private set; }

    public int Length { get; private set; }

    /// <summary>Returns the buffer without its first bytes; empty if the buffer is shorter.</summary>
    public readonly Span<byte> From(int skipped)
    {
        int length = Length;
        return length > skipped ? new Span<byte>(Pointer + skipped, length - skipped) : default;
    }

    /// <summary>Switches to the buffer's own native block, and zeroes it.</summary>
    /// <param name="length">The number of bytes.</param>
    /// <param name="before">
    /// On return, the pin that the buffer had before this call. The pin is empty if the buffer did not use the caller's memory. The caller of this method
    /// disposes the pin.
    /// </param>
    public void UseOwned(int length, ref MemoryHandle before)
    {
        if (length > _ownedCapacity)
        {
            byte* grown = AlignedMemory.AllocateNative(length); // if this throws OutOfMemoryException, the old block stays
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

    /// <summary>Switches to the caller's memory. The pin keeps the memory alive, and prevents the garbage collector from moving it.</summary>
    /// <param name="pin">
    /// On entry, the pin of the memory. On return, the pin that the buffer had before this call. The caller of this method disposes the returned pin.
    /// </param>
    /// <param name="length">The number of bytes.</param>
    public void UsePinned(ref MemoryHandle pin, int length)
    {
        (_pin, pin) = (pin, _pin);
        Pointer = (byte*)_pin.Pointer;
        Length = length;
    }

    /// <summary>
    /// Removes the caller's memory from the buffer, and leaves the buffer empty. If the buffer uses its own native block instead, the method changes nothing.
    /// </summary>
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

    /// <summary>Empties the buffer: frees its own native block, and removes the caller's memory.</summary>
    /// <returns>The pin of the removed memory. The caller of this method disposes the pin.</returns>
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
