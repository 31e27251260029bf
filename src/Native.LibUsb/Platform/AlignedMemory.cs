using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Allocates memory for transfers. The memory begins at the start of a cache line. Two transfers therefore never share a cache line, and vector code
/// may use aligned reads.</summary>
internal static unsafe class AlignedMemory
{
    private const int Alignment = 64;

    /// <summary>Gets the largest length that <see cref="AllocatePinned"/> can allocate, in bytes.</summary>
    public static int MaxPinnedLength => Array.MaxLength - (Alignment - 1);

    /// <summary>Allocates native memory without clearing it.</summary>
    /// <exception cref="OutOfMemoryException">The memory is not available.</exception>
    public static byte* AllocateNative(int length) => (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);

    /// <summary>Frees memory that <see cref="AllocateNative"/> returned; null is allowed.</summary>
    public static void FreeNative(byte* memory) => NativeMemory.AlignedFree(memory);

    /// <summary>Allocates managed memory that does not move. The garbage collector frees it.</summary>
    /// <param name="length">The length in bytes, at most <see cref="MaxPinnedLength"/>.</param>
    /// <param name="clear">Whether the method sets the bytes to zero. If it does not, their values are undefined.</param>
    /// <param name="start">The index of the first aligned byte.</param>
    /// <returns>An array that has at least <paramref name="length"/> bytes, counted from the index <paramref name="start"/>.</returns>
    public static byte[] AllocatePinned(int length, bool clear, out int start)
    {
        int size = length + Alignment - 1;
        byte[] array = clear ? GC.AllocateArray<byte>(size, pinned: true) : GC.AllocateUninitializedArray<byte>(size, pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
        start = (int)(((address + Alignment - 1) & -Alignment) - address);
        return array;
    }
}
