using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Allocates memory for transfers that starts at a cache line: no two transfers share one, and vector code may read from the start.</summary>
internal static unsafe class AlignedMemory
{
    private const int Alignment = 64;

    /// <summary>Gets the most bytes that <see cref="AllocatePinned"/> can give.</summary>
    public static int MaxPinnedLength => Array.MaxLength - (Alignment - 1);

    /// <summary>Allocates native memory, which is not cleared.</summary>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    public static byte* AllocateNative(int length) => (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);

    /// <summary>Frees what <see cref="AllocateNative"/> returned; null is allowed.</summary>
    public static void FreeNative(byte* memory) => NativeMemory.AlignedFree(memory);

    /// <summary>Allocates managed memory that does not move. The garbage collector frees it.</summary>
    /// <param name="length">Bytes that are needed, at most <see cref="MaxPinnedLength"/>.</param>
    /// <param name="clear">Whether the bytes are zero; otherwise they may be anything.</param>
    /// <param name="start">The index of the first aligned byte.</param>
    /// <returns>An array with at least <paramref name="length"/> bytes from <paramref name="start"/> on.</returns>
    public static byte[] AllocatePinned(int length, bool clear, out int start)
    {
        int size = length + Alignment - 1;
        byte[] array = clear ? GC.AllocateArray<byte>(size, pinned: true) : GC.AllocateUninitializedArray<byte>(size, pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
        start = (int)(((address + Alignment - 1) & -Alignment) - address);
        return array;
    }
}
