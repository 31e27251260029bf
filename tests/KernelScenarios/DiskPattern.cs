using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Generates the content of the disk. The 32-bit little-endian word at index i is i * 2654435761 modulo 2^32. The tests overwrite some words with the
/// complement of this value.
/// </summary>
public static class DiskPattern
{
    public static byte[] Make(long position, int length, bool complement = false)
    {
        byte[] bytes = new byte[length];
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(bytes.AsSpan());
        uint first = (uint)(position / sizeof(uint));
        for (int i = 0; i < words.Length; i++)
        {
            uint word = unchecked((first + (uint)i) * 2654435761u);
            words[i] = complement ? ~word : word;
        }

        return bytes;
    }
}
