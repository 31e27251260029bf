using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Streaming;

/// <summary>Copies packet descriptors out of libusb's memory, and counts what is in them in the same pass.</summary>
internal static unsafe class PacketScan
{
    private const int Words = 3; // of a descriptor: the length asked for, the length that moved, the status
    private const int AtOnce = 4; // descriptors of three vectors

    /// <summary>Copies descriptors.</summary>
    /// <param name="from">libusb's descriptors.</param>
    /// <param name="to">The copy, of which <paramref name="count"/> elements exist.</param>
    /// <param name="count">The number of descriptors.</param>
    /// <param name="allGood">Whether every status is <see cref="UsbTransferStatus.Completed"/>.</param>
    /// <param name="empty">The number of packets without data.</param>
    /// <returns>The sum of the lengths that moved.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Copy(libusb_iso_packet_descriptor* from, libusb_iso_packet_descriptor[] to, int count, out bool allGood, out int empty)
    {
        // Vectors a, b, c hold four descriptors: the lengths that moved are in a[1], b[0], b[3], c[2], and the statuses in a[2], b[1], c[0], c[3].
        Vector128<uint> sumA = default, sumB = default, sumC = default, zeroA = default, zeroB = default, zeroC = default;
        ref uint target = ref Unsafe.As<libusb_iso_packet_descriptor, uint>(ref MemoryMarshal.GetArrayDataReference(to));
        uint* source = (uint*)from;
        uint* vectorEnd = source + (count / AtOnce * AtOnce * Words);
        while (source != vectorEnd)
        {
            Vector128<uint> a = Vector128.Load(source), b = Vector128.Load(source + 4), c = Vector128.Load(source + 8);
            a.StoreUnsafe(ref target);
            b.StoreUnsafe(ref target, 4);
            c.StoreUnsafe(ref target, 8);
            sumA += a; // statuses are small numbers: their sum is zero only if each is
            sumB += b;
            sumC += c;
            zeroA += Vector128.Equals(a, Vector128<uint>.Zero); // all ones, which is -1, for each zero
            zeroB += Vector128.Equals(b, Vector128<uint>.Zero);
            zeroC += Vector128.Equals(c, Vector128<uint>.Zero);
            source += AtOnce * Words;
            target = ref Unsafe.Add(ref target, AtOnce * Words);
        }

        uint sum = sumA[1] + sumB[0] + sumB[3] + sumC[2];
        uint bad = sumA[2] | sumB[1] | sumC[0] | sumC[3];
        uint none = 0 - (zeroA[1] + zeroB[0] + zeroB[3] + zeroC[2]);
        for (int left = count % AtOnce; left > 0; left--)
        {
            target = source[0];
            Unsafe.Add(ref target, 1) = source[1];
            Unsafe.Add(ref target, 2) = source[2];
            sum += source[1];
            none += source[1] == 0 ? 1u : 0u;
            bad |= source[2];
            source += Words;
            target = ref Unsafe.Add(ref target, Words);
        }

        allGood = bad == 0;
        empty = (int)none;
        return (int)sum;
    }
}
