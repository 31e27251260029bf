namespace Native.LibUsb.Tests.Kernel;

/// <summary>Generates bytes that depend on their position in the data, so a test detects missing packets and missing blocks.</summary>
public static class LoopbackPattern
{
    public static void Fill(long position, Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            uint at = (uint)(position + i);
            bytes[i] = (byte)((at * 2654435761u) >> 24);
        }
    }

    public static byte[] Make(long position, int length)
    {
        byte[] bytes = new byte[length];
        Fill(position, bytes);
        return bytes;
    }
}
