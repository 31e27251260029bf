using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using CsCheck;
using Native.LibUsb.Interop;
using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests that the vectorised pass over packet descriptors has the same results as a loop. The tests use every number of descriptors up to a maximum, so that
/// zero to three descriptors remain after the last full vector.
/// </summary>
public sealed unsafe class PacketScanTests
{
    private const int Most = 130;
    private const int Size = 1024;
    private const int Beyond = 4; // elements of the copy that must stay as they are
    private const int Untouched = 0x5a5a5a5a;

    private static readonly uint[] s_tooLong = [Size + 1, int.MaxValue, 0x80000000, uint.MaxValue];

    private static readonly libusb_transfer_status[] s_failures =
        [.. Enumerable.Range(1, 6).Select(static status => (libusb_transfer_status)status), (libusb_transfer_status)int.MinValue];

    private static readonly Gen<libusb_iso_packet_descriptor> s_plain = Gen.Select(
        Gen.UInt, Gen.Frequency((3, Gen.UInt[0, Size]), (1, Gen.Const(0u)), (1, Gen.Const((uint)Size))),
        static (requested, moved) => Packet(moved, 0) with { length = requested });

    private static readonly Gen<libusb_iso_packet_descriptor> s_flawed = Gen.Select(
        Gen.Frequency((2, Gen.UInt[0, Size]), (1, OneOf(s_tooLong)), (1, Gen.UInt)), OneOf<libusb_transfer_status>([.. s_failures, 0]), Packet);

    // The packets have at most three flaws. With many flaws, nearly every run would have a flaw in its first vector.
    private static readonly Gen<libusb_iso_packet_descriptor[]> s_packets = Gen.Select(
        s_plain.Array[Most], Gen.Select(Gen.Int[0, Most - 1], s_flawed).Array[0, 3],
        static (packets, flaws) =>
        {
            foreach ((int place, libusb_iso_packet_descriptor flaw) in flaws)
                packets[place] = flaw;
            return packets;
        });

    [Fact]
    public void The_copy_and_its_counts_agree_with_a_loop_for_every_number_of_packets() => s_packets.Sample(
        static packets =>
        {
            for (int count = 0; count <= Most; count++)
                Compare(packets.AsSpan(0, count));
        },
        iter: Rounds.Of(500), threads: 1, print: Describe);

    [Fact]
    public void A_flaw_is_found_at_every_place()
    {
        var packets = new libusb_iso_packet_descriptor[Most];
        Array.Fill(packets, Packet(Size, 0));
        for (int place = 0; place < Most; place++)
        {
            foreach (uint length in s_tooLong)
                Flaw(place, Packet(length, 0));
            foreach (libusb_transfer_status failure in s_failures)
                Flaw(place, Packet(Size, failure));
        }

        void Flaw(int place, libusb_iso_packet_descriptor flaw)
        {
            packets[place] = flaw;
            // The four transfers end before the flaw, with the flaw, up to three packets after the flaw, and with the last packet.
            foreach (int count in (ReadOnlySpan<int>)[place, place + 1, Math.Min(place + 4, Most), Most])
                Assert.Equal(count <= place, Copy(packets.AsSpan(0, count), out _).IsPlain);
            packets[place] = Packet(Size, 0);
        }
    }

    [Fact]
    public void Cutting_shortens_only_the_packets_that_are_too_long() => s_packets.Sample(
        static packets =>
        {
            for (int count = 0; count <= Most; count++)
            {
                libusb_iso_packet_descriptor[] cut = [.. packets];
                int sum = 0;
                for (int i = 0; i < count; i++)
                    sum += packets[i].actual_length > Size ? Size : (int)packets[i].actual_length;
                Assert.Equal(sum, PacketScan.Cut(cut.AsSpan(0, count), Size));
                for (int i = 0; i < Most; i++)
                    Same(i < count && packets[i].actual_length > Size ? packets[i] with { actual_length = Size } : packets[i], cut[i], i);
            }
        },
        iter: Rounds.Of(100), threads: 1, print: Describe);

    /// <summary>Runs tests of this class in a process that does not use SSE. The library then uses its code for processors without SSE.</summary>
    internal static void ScanWithoutSse()
    {
        Assert.False(Sse.IsSupported);
        PacketScanTests tests = new();
        tests.The_copy_and_its_counts_agree_with_a_loop_for_every_number_of_packets();
        tests.A_flaw_is_found_at_every_place();
    }

    private static Gen<T> OneOf<T>(T[] values) => Gen.Int[0, values.Length - 1].Select(place => values[place]);

    private static void Compare(ReadOnlySpan<libusb_iso_packet_descriptor> packets)
    {
        int sum = 0, empty = 0;
        bool isPlain = true;
        foreach (libusb_iso_packet_descriptor packet in packets)
        {
            sum = unchecked(sum + (int)packet.actual_length);
            if (packet.actual_length == 0)
                empty++;
            isPlain &= packet.status == 0 && packet.actual_length <= Size;
        }

        Assert.Equal((packets.Length, sum, isPlain, empty), Copy(packets, out libusb_iso_packet_descriptor[] copy));
        for (int i = 0; i < copy.Length; i++)
            Same(i < packets.Length ? packets[i] : Packet(Untouched, (libusb_transfer_status)Untouched), copy[i], i);
    }

    // The descriptors are in memory of their exact size, so that valgrind finds a read beyond the last descriptor.
    private static (int Count, int Sum, bool IsPlain, int Empty) Copy(ReadOnlySpan<libusb_iso_packet_descriptor> packets, out libusb_iso_packet_descriptor[] copy)
    {
        copy = new libusb_iso_packet_descriptor[packets.Length + Beyond];
        Array.Fill(copy, Packet(Untouched, (libusb_transfer_status)Untouched));
        var native = (libusb_iso_packet_descriptor*)NativeMemory.Alloc((nuint)packets.Length, (nuint)sizeof(libusb_iso_packet_descriptor));
        try
        {
            packets.CopyTo(new Span<libusb_iso_packet_descriptor>(native, packets.Length));
            int sum = PacketScan.Copy(native, copy, packets.Length, Size, out bool isPlain, out int empty);
            return (packets.Length, sum, isPlain, empty);
        }
        finally
        {
            NativeMemory.Free(native);
        }
    }

    private static void Same(libusb_iso_packet_descriptor expected, libusb_iso_packet_descriptor found, int place)
    {
        if ((expected.length, expected.actual_length, expected.status) != (found.length, found.actual_length, found.status))
            Assert.Fail($"Packet {place}: {Describe([found])} instead of {Describe([expected])}");
    }

    private static libusb_iso_packet_descriptor Packet(uint moved, libusb_transfer_status status) =>
        new() { length = 7, actual_length = moved, status = status };

    private static string Describe(libusb_iso_packet_descriptor[] packets) =>
        string.Join(' ', packets.Select(static packet => $"{packet.length}/{packet.actual_length}/{(int)packet.status}"));
}
