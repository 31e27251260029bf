using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Copies packet descriptors out of libusb's memory, and counts bytes and empty packets in the same pass.</summary>
internal static unsafe class PacketScan
{
    private const int Words = 3; // in a descriptor: the requested length, the actual length and the status
    private const int AtOnce = 4; // the number of descriptors that three vectors hold

    /// <summary>Copies descriptors.</summary>
    /// <param name="from">libusb's descriptors.</param>
    /// <param name="to">The array for the copies, with at least <paramref name="count"/> elements.</param>
    /// <param name="count">The number of descriptors.</param>
    /// <param name="size">The number of bytes that the buffer reserves for each packet.</param>
    /// <param name="isPlain">Whether every status is <see cref="UsbTransferStatus.Completed"/>, and no packet reports more than <paramref name="size"/>
    /// bytes.</param>
    /// <param name="empty">The number of packets without data.</param>
    /// <returns>The sum of the actual lengths.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Copy(libusb_iso_packet_descriptor* from, libusb_iso_packet_descriptor[] to, int count, int size, out bool isPlain, out int empty)
    {
        Vector128<int> sums = default, zeros = default, over = default, most = Vector128.Create(size);
        Vector128<int> allA = default, allB = default, allC = default;
        ref int target = ref Unsafe.As<libusb_iso_packet_descriptor, int>(ref MemoryMarshal.GetArrayDataReference(to));
        int* source = (int*)from;
        int* vectorEnd = source + ((count & -AtOnce) * Words);
        while (source != vectorEnd)
        {
            Vector128<int> a = Vector128.Load(source), b = Vector128.Load(source + 4), c = Vector128.Load(source + 8);
            a.StoreUnsafe(ref target);
            b.StoreUnsafe(ref target, 4);
            c.StoreUnsafe(ref target, 8);
            Vector128<int> lengths = Lengths(a, b, c);
            sums += lengths;
            over |= Vector128.GreaterThan(lengths, most);
            zeros += Vector128.Equals(lengths, Vector128<int>.Zero); // all ones, which is -1, for each zero
            allA |= a;
            allB |= b;
            allC |= c;
            source += AtOnce * Words;
            target = ref Unsafe.Add(ref target, AtOnce * Words);
        }

        int sum = Vector128.Sum(sums), none = -Vector128.Sum(zeros);
        over |= Vector128.ShiftRightArithmetic(Lengths(allA, allB, allC), 31); // a length beyond int's range is negative
        bool plain = (over | Statuses(allA, allB, allC)) == Vector128<int>.Zero;
        for (int left = count & (AtOnce - 1); left > 0; left--)
        {
            int length = source[1];
            target = source[0];
            Unsafe.Add(ref target, 1) = length;
            Unsafe.Add(ref target, 2) = source[2];
            sum += length;
            none += length == 0 ? 1 : 0;
            plain &= (uint)length <= (uint)size && source[2] == 0;
            source += Words;
            target = ref Unsafe.Add(ref target, Words);
        }

        isPlain = plain;
        empty = none;
        return sum;
    }

    /// <summary>Limits the length of each packet to the size of its memory, so that no reader reads beyond that memory.</summary>
    /// <returns>The sum of the lengths.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Cut(Span<libusb_iso_packet_descriptor> packets, int size)
    {
        int sum = 0;
        foreach (ref libusb_iso_packet_descriptor packet in packets)
        {
            packet.actual_length = Math.Min(packet.actual_length, (uint)size);
            sum += (int)packet.actual_length;
        }

        return sum;
    }

    /// <summary>Returns the actual lengths of four descriptors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Lengths(Vector128<int> a, Vector128<int> b, Vector128<int> c) => Sse.IsSupported
        ? Sse.Shuffle(Sse.Shuffle(a.AsSingle(), b.AsSingle(), 0b00_00_01_01), Sse.Shuffle(b.AsSingle(), c.AsSingle(), 0b10_10_11_11), 0b10_00_10_00).AsInt32()
        : Vector128.Create(a[1], b[0], b[3], c[2]);

    /// <summary>Returns the statuses of four descriptors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Statuses(Vector128<int> a, Vector128<int> b, Vector128<int> c) => Sse.IsSupported
        ? Sse.Shuffle(Sse.Shuffle(a.AsSingle(), b.AsSingle(), 0b01_01_10_10), Sse.Shuffle(c.AsSingle(), c.AsSingle(), 0b11_11_00_00), 0b10_00_10_00).AsInt32()
        : Vector128.Create(a[2], b[1], c[0], c[3]);
}
