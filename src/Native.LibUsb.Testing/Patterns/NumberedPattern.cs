using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>
/// Provides packets that can be identified and checked byte by byte. Each packet contains its number, and all other bytes are derived from this
/// number.
/// </summary>
/// <remarks>
/// Bytes 0 to 7 are the packet's number, little endian. The remaining bytes are 64-bit little-endian words. Word <c>k</c> (counted from 0) is
/// <c>number * 0x9E3779B97F4A7C15 + k * 0xD1B54A32D192ED03</c>, modulo 2^64. A packet may have any length, and may even end inside the number.
/// </remarks>
public static class NumberedPattern
{
    /// <summary>The size of the number in a packet, in bytes.</summary>
    public const int NumberSize = 8;

    internal const ulong NumberFactor = 0x9E3779B97F4A7C15, WordStep = 0xD1B54A32D192ED03;

    /// <summary>Writes the packet that has the given number.</summary>
    public static void Fill(Span<byte> packet, ulong number)
    {
        if (packet.Length < NumberSize)
        {
            Span<byte> whole = stackalloc byte[NumberSize];
            BinaryPrimitives.WriteUInt64LittleEndian(whole, number);
            whole[..packet.Length].CopyTo(packet);
            return;
        }
        BinaryPrimitives.WriteUInt64LittleEndian(packet, number);
        packet = packet[NumberSize..];
        ulong word = number * NumberFactor;
        if (BitConverter.IsLittleEndian && Vector.IsHardwareAccelerated && packet.Length >= Vector<byte>.Count * 4)
        {
            Vector<ulong> lanes = Lanes(word), step = new(unchecked(WordStep * (ulong)Vector<ulong>.Count));
            Span<Vector<ulong>> vectors = MemoryMarshal.Cast<byte, Vector<ulong>>(packet);
            foreach (ref Vector<ulong> vector in vectors)
            {
                vector = lanes;
                lanes += step;
            }
            word += WordStep * (ulong)(vectors.Length * Vector<ulong>.Count);
            packet = packet[(vectors.Length * Vector<byte>.Count)..];
        }
        for (; packet.Length >= 8; packet = packet[8..], word += WordStep)
            BinaryPrimitives.WriteUInt64LittleEndian(packet, word);
        for (int i = 0; i < packet.Length; i++)
            packet[i] = (byte)(word >> (8 * i));
    }

    /// <summary>
    /// Compares a packet with the pattern of the given number, and returns how many bytes differ. The method also compares the bytes that contain the number.
    /// </summary>
    public static int CountMismatches(ReadOnlySpan<byte> packet, ulong number)
    {
        int wrong = 0;
        int numberBytes = Math.Min(packet.Length, NumberSize);
        for (int i = 0; i < numberBytes; i++)
            if (packet[i] != (byte)(number >> (8 * i)))
                wrong++;
        if (packet.Length <= NumberSize)
            return wrong;
        packet = packet[NumberSize..];
        ulong word = number * NumberFactor;
        if (BitConverter.IsLittleEndian && Vector.IsHardwareAccelerated && packet.Length >= Vector<byte>.Count * 4)
        {
            Vector<ulong> lanes = Lanes(word), step = new(unchecked(WordStep * (ulong)Vector<ulong>.Count)), differs = Vector<ulong>.Zero;
            ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<byte, Vector<ulong>>(packet);
            foreach (Vector<ulong> vector in vectors)
            {
                differs |= vector ^ lanes;
                lanes += step;
            }
            if (differs == Vector<ulong>.Zero)
            {
                word += WordStep * (ulong)(vectors.Length * Vector<ulong>.Count);
                packet = packet[(vectors.Length * Vector<byte>.Count)..];
            }
        }
        for (; packet.Length >= 8; packet = packet[8..], word += WordStep)
        {
            ulong difference = BinaryPrimitives.ReadUInt64LittleEndian(packet) ^ word;
            for (; difference != 0; difference >>= 8)
                if ((difference & 255) != 0)
                    wrong++;
        }
        for (int i = 0; i < packet.Length; i++)
            if (packet[i] != (byte)(word >> (8 * i)))
                wrong++;
        return wrong;
    }

    /// <summary>Returns the number in a packet. If the packet is shorter than the number, the missing bytes count as 0.</summary>
    public static ulong ReadNumber(ReadOnlySpan<byte> packet)
    {
        if (packet.Length >= NumberSize)
            return BinaryPrimitives.ReadUInt64LittleEndian(packet);
        ulong number = 0;
        for (int i = 0; i < packet.Length; i++)
            number |= (ulong)packet[i] << (8 * i);
        return number;
    }

    private static Vector<ulong> Lanes(ulong word)
    {
        Span<ulong> lanes = stackalloc ulong[Vector<ulong>.Count];
        for (int i = 0; i < lanes.Length; i++)
            lanes[i] = word + (WordStep * (ulong)i);
        return new Vector<ulong>(lanes);
    }
}
