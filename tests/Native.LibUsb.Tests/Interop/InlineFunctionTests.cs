using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Tests that the inline functions of the raw layer change memory in the same way as the compiled functions of the header.</summary>
public sealed unsafe class InlineFunctionTests(InlineOracle oracle) : IClassFixture<InlineOracle>
{
    private const int Rounds = 500;
    private const int Packets = 6;

    private static readonly ushort[] s_edges16 = [0, 1, 0x00FF, 0x0100, 0x1234, 0x7FFF, 0x8000, 0xFFFF];

    private static readonly Dictionary<string, Action<InlineExports, Random>> s_comparisons = new()
    {
        ["libusb_cpu_to_le16"] = CpuToLe16,
        ["libusb_control_transfer_get_data"] = ControlTransferGetData,
        ["libusb_control_transfer_get_setup"] = ControlTransferGetSetup,
        ["libusb_fill_control_setup"] = FillControlSetup,
        ["libusb_fill_control_transfer"] = FillControlTransfer,
        ["libusb_fill_bulk_transfer"] = FillBulkTransfer,
        ["libusb_fill_bulk_stream_transfer"] = FillBulkStreamTransfer,
        ["libusb_fill_interrupt_transfer"] = FillInterruptTransfer,
        ["libusb_fill_iso_transfer"] = FillIsoTransfer,
        ["libusb_set_iso_packet_lengths"] = SetIsoPacketLengths,
        ["libusb_get_iso_packet_buffer"] = GetIsoPacketBuffer,
        ["libusb_get_iso_packet_buffer_simple"] = GetIsoPacketBufferSimple,
        ["libusb_get_descriptor"] = GetDescriptor,
        ["libusb_get_string_descriptor"] = GetStringDescriptor,
    };

    public static TheoryData<string, string> HeadersAndFunctions
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (LibUsbHeader header in LibUsbHeader.All)
            {
                foreach (string function in s_comparisons.Keys)
                    data.Add(header.Name, function);
            }
            return data;
        }
    }

    [Fact]
    public void Every_inline_function_of_the_header_is_compared() =>
        Assert.All(LibUsbHeader.All, header => Assert.Equal(header.InlineFunctions.Order(StringComparer.Ordinal), s_comparisons.Keys.Order(StringComparer.Ordinal)));

    [Theory]
    [MemberData(nameof(HeadersAndFunctions))]
    public void An_inline_function_does_the_same_as_that_of_the_header(string header, string function) =>
        Isolated.Run(Compare, $"{oracle.PathFor(header)}|{function}");

    // The offset 0xC000_0000 of packet 3 does not fit into an int, and the offset 0x1_4000_0000 of packet 5 does not fit into 32 bits.
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_packets_address_beyond_2_GiB_does_not_overflow(uint packet)
    {
        libusb_transfer* transfer = stackalloc libusb_transfer[3];
        new Span<byte>(transfer, 3 * sizeof(libusb_transfer)).Clear();
        transfer->num_iso_packets = 6;
        libusb.libusb_set_iso_packet_lengths(transfer, 0x4000_0000);
        // The functions do not access the buffer, so any address is valid. The buffer has a low address, so that the address of packet 3 fits into 32 bits.
        transfer->buffer = (byte*)0x1000;

        nuint expected = unchecked((nuint)(0x1000 + (packet * 0x4000_0000UL)));
        Assert.Equal(expected, (nuint)libusb.libusb_get_iso_packet_buffer_simple(transfer, packet));
        Assert.Equal(expected, (nuint)libusb.libusb_get_iso_packet_buffer(transfer, packet));
    }

    private static void Compare(string argument)
    {
        string[] parts = argument.Split('|');
        UsbLibrary.SetPath(parts[0]);
        Assert.Equal(new Version(1, 0, 99), UsbLibrary.Version.ToVersion());
        s_comparisons[parts[1]](new InlineExports(NativeLibrary.Load(parts[0])), new Random(20_240_601));
    }

    private static void CpuToLe16(InlineExports c, Random random)
    {
        var there = (delegate* unmanaged<ushort, ushort>)c["libusb_cpu_to_le16"];
        var back = (delegate* unmanaged<ushort, ushort>)c["libusb_le16_to_cpu"];
        for (int x = 0; x <= ushort.MaxValue; x++)
        {
            Assert.Equal(there((ushort)x), libusb.libusb_cpu_to_le16((ushort)x));
            Assert.Equal(back((ushort)x), libusb.libusb_le16_to_cpu((ushort)x));
        }
    }

    private static void ControlTransferGetData(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_transfer*, byte*>)c["libusb_control_transfer_get_data"];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            Assert.Equal((nint)function(transfers.C), (nint)libusb.libusb_control_transfer_get_data(transfers.Ours));
            transfers.AssertEqual();
        }
    }

    private static void ControlTransferGetSetup(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_transfer*, libusb_control_setup*>)c["libusb_control_transfer_get_setup"];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            Assert.Equal((nint)function(transfers.C), (nint)libusb.libusb_control_transfer_get_setup(transfers.Ours));
            transfers.AssertEqual();
        }
    }

    private static void FillControlSetup(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<byte*, byte, byte, ushort, ushort, ushort, void>)c["libusb_fill_control_setup"];
        ushort* expected = stackalloc ushort[6];
        ushort* actual = stackalloc ushort[6];
        for (int round = 0; round < Rounds; round++)
        {
            random.NextBytes(new Span<byte>(expected, 12));
            new Span<ushort>(expected, 6).CopyTo(new Span<ushort>(actual, 6));
            (byte type, byte request) = ((byte)random.Next(), (byte)random.Next());
            (ushort value, ushort index, ushort length) = (Any16(random), Any16(random), Any16(random));
            // The two bytes before the setup and the two bytes after it reveal writes outside the setup.
            function((byte*)(expected + 1), type, request, value, index, length);
            libusb.libusb_fill_control_setup((byte*)(actual + 1), type, request, value, index, length);
            Assert.Equal(new Span<ushort>(expected, 6).ToArray(), new Span<ushort>(actual, 6).ToArray());
        }
    }

    private static void FillControlTransfer(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_transfer*, libusb_device_handle*, byte*, delegate* unmanaged<libusb_transfer*, void>, void*, uint, void>)
            c["libusb_fill_control_transfer"];
        using var transfers = new TransferPair(Packets);
        ushort* buffer = stackalloc ushort[4];
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            libusb.libusb_fill_control_setup((byte*)buffer, 0x80, 6, Any16(random), Any16(random), Any16(random));
            (nint handle, nint callback, nint data, uint timeout) = (AnyPointer(random), AnyPointer(random), AnyPointer(random), Any32(random));
            function(
                transfers.C, (libusb_device_handle*)handle, (byte*)buffer, (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            libusb.libusb_fill_control_transfer(
                transfers.Ours, (libusb_device_handle*)handle, (byte*)buffer, (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            transfers.AssertEqual();

            // In one case, our function is intentionally different from the C function. If the buffer is null, the C functions of some headers do not change
            // the length in the transfer, but our function sets the length to 0.
            transfers.Randomise(random);
            transfers.Ours->length = 77;
            transfers.C->length = 77;
            function(transfers.C, (libusb_device_handle*)handle, null, (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            libusb.libusb_fill_control_transfer(
                transfers.Ours, (libusb_device_handle*)handle, null, (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            Assert.Equal(0, transfers.Ours->length);
            Assert.Contains(transfers.C->length, (int[])[0, 77]);
            transfers.C->length = 0;
            transfers.AssertEqual();
        }
    }

    private static void FillBulkTransfer(InlineExports c, Random random) =>
        Fill(c, "libusb_fill_bulk_transfer", random, &libusb.libusb_fill_bulk_transfer);

    private static void FillInterruptTransfer(InlineExports c, Random random) =>
        Fill(c, "libusb_fill_interrupt_transfer", random, &libusb.libusb_fill_interrupt_transfer);

    private static void Fill(
        InlineExports c,
        string name,
        Random random,
        delegate*<libusb_transfer*, libusb_device_handle*, byte, byte*, int, delegate* unmanaged<libusb_transfer*, void>, void*, uint, void> ours)
    {
        var function = (delegate* unmanaged<
            libusb_transfer*, libusb_device_handle*, byte, byte*, int, delegate* unmanaged<libusb_transfer*, void>, void*, uint, void>)c[name];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            (nint handle, nint buffer, nint callback, nint data) = (AnyPointer(random), AnyPointer(random), AnyPointer(random), AnyPointer(random));
            (byte endpoint, int length, uint timeout) = ((byte)random.Next(), (int)Any32(random), Any32(random));
            function(
                transfers.C, (libusb_device_handle*)handle, endpoint, (byte*)buffer, length, (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            ours(
                transfers.Ours, (libusb_device_handle*)handle, endpoint, (byte*)buffer, length, (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            transfers.AssertEqual();
        }
    }

    private static void FillBulkStreamTransfer(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<
            libusb_transfer*, libusb_device_handle*, byte, uint, byte*, int, delegate* unmanaged<libusb_transfer*, void>, void*, uint, void>)
            c["libusb_fill_bulk_stream_transfer"];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            (nint handle, nint buffer, nint callback, nint data) = (AnyPointer(random), AnyPointer(random), AnyPointer(random), AnyPointer(random));
            (byte endpoint, uint stream, int length, uint timeout) = ((byte)random.Next(), Any32(random), (int)Any32(random), Any32(random));
            function(
                transfers.C, (libusb_device_handle*)handle, endpoint, stream, (byte*)buffer, length,
                (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            InlineExports.Record expected = c.TakeRecord();
            libusb.libusb_fill_bulk_stream_transfer(
                transfers.Ours, (libusb_device_handle*)handle, endpoint, stream, (byte*)buffer, length,
                (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            InlineExports.Record actual = c.TakeRecord();
            transfers.AssertEqual();
            Assert.Equal((nint)transfers.C, (nint)expected.Transfer);
            Assert.Equal((nint)transfers.Ours, (nint)actual.Transfer);
            Assert.Equal(expected with { Transfer = 0 }, actual with { Transfer = 0 });
            Assert.Equal((1UL, (ulong)stream), (actual.Calls, actual.Stream));
        }
    }

    private static void FillIsoTransfer(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<
            libusb_transfer*, libusb_device_handle*, byte, byte*, int, int, delegate* unmanaged<libusb_transfer*, void>, void*, uint, void>)
            c["libusb_fill_iso_transfer"];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            (nint handle, nint buffer, nint callback, nint data) = (AnyPointer(random), AnyPointer(random), AnyPointer(random), AnyPointer(random));
            (byte endpoint, int length, int packets, uint timeout) = ((byte)random.Next(), (int)Any32(random), (int)Any32(random), Any32(random));
            function(
                transfers.C, (libusb_device_handle*)handle, endpoint, (byte*)buffer, length, packets,
                (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            libusb.libusb_fill_iso_transfer(
                transfers.Ours, (libusb_device_handle*)handle, endpoint, (byte*)buffer, length, packets,
                (delegate* unmanaged<libusb_transfer*, void>)callback, (void*)data, timeout);
            transfers.AssertEqual();
        }
    }

    private static void SetIsoPacketLengths(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_transfer*, uint, void>)c["libusb_set_iso_packet_lengths"];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            // The random number of packets never exceeds the number of allocated packets, but it may be zero or negative. The function must not change the
            // allocated packets beyond this number.
            transfers.C->num_iso_packets = transfers.Ours->num_iso_packets = random.Next(-2, Packets + 1);
            uint length = Any32(random);
            function(transfers.C, length);
            libusb.libusb_set_iso_packet_lengths(transfers.Ours, length);
            transfers.AssertEqual();
        }
    }

    private static void GetIsoPacketBuffer(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_transfer*, uint, byte*>)c["libusb_get_iso_packet_buffer"];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            transfers.C->num_iso_packets = transfers.Ours->num_iso_packets = random.Next(-2, Packets + 1);
            foreach (uint packet in AnyPackets())
                Assert.Equal((nint)function(transfers.C, packet), (nint)libusb.libusb_get_iso_packet_buffer(transfers.Ours, packet));
            transfers.AssertEqual();
        }
    }

    private static void GetIsoPacketBufferSimple(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_transfer*, uint, byte*>)c["libusb_get_iso_packet_buffer_simple"];
        using var transfers = new TransferPair(Packets);
        for (int round = 0; round < Rounds; round++)
        {
            transfers.Randomise(random);
            transfers.C->num_iso_packets = transfers.Ours->num_iso_packets = random.Next(-2, Packets + 1);
            // The function of the header multiplies two int values, so its result is wrong beyond 2 GiB.
            uint length = (uint)random.Next(int.MaxValue / Packets);
            transfers.C->iso_packet_desc[0].length = transfers.Ours->iso_packet_desc[0].length = length;
            foreach (uint packet in AnyPackets())
                Assert.Equal((nint)function(transfers.C, packet), (nint)libusb.libusb_get_iso_packet_buffer_simple(transfers.Ours, packet));
            transfers.AssertEqual();
        }
    }

    private static void GetDescriptor(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_device_handle*, byte, byte, byte*, int, int>)c["libusb_get_descriptor"];
        for (int round = 0; round < Rounds; round++)
        {
            (nint handle, byte type, byte index, nint data, int length) =
                (AnyPointer(random), (byte)random.Next(), (byte)random.Next(), AnyPointer(random), AnyLength(random));
            int expectedResult = function((libusb_device_handle*)handle, type, index, (byte*)data, length);
            InlineExports.Record expected = c.TakeRecord();
            Assert.Equal(expectedResult, libusb.libusb_get_descriptor((libusb_device_handle*)handle, type, index, (byte*)data, length));
            Assert.Equal(expected, c.TakeRecord());
            Assert.Equal(1UL, expected.Calls);
        }
    }

    private static void GetStringDescriptor(InlineExports c, Random random)
    {
        var function = (delegate* unmanaged<libusb_device_handle*, byte, ushort, byte*, int, int>)c["libusb_get_string_descriptor"];
        for (int round = 0; round < Rounds; round++)
        {
            (nint handle, byte index, ushort language, nint data, int length) =
                (AnyPointer(random), (byte)random.Next(), Any16(random), AnyPointer(random), AnyLength(random));
            int expectedResult = function((libusb_device_handle*)handle, index, language, (byte*)data, length);
            InlineExports.Record expected = c.TakeRecord();
            Assert.Equal(expectedResult, libusb.libusb_get_string_descriptor((libusb_device_handle*)handle, index, language, (byte*)data, length));
            Assert.Equal(expected, c.TakeRecord());
            Assert.Equal(1UL, expected.Calls);
        }
    }

    private static ushort Any16(Random random) => random.Next(3) == 0 ? s_edges16[random.Next(s_edges16.Length)] : (ushort)random.Next();

    private static uint Any32(Random random) =>
        random.Next(3) == 0 ? ((uint[])[0, 1, int.MaxValue, 0x8000_0000, uint.MaxValue])[random.Next(5)] : (uint)random.NextInt64(uint.MaxValue + 1L);

    private static int AnyLength(Random random) => random.Next(3) == 0 ? ((int[])[0, 255, 65_535, 65_536, int.MaxValue, -1])[random.Next(6)] : random.Next(70_000);

    private static nint AnyPointer(Random random) => random.Next(10) == 0 ? 0 : (nint)random.NextInt64();

    private static uint[] AnyPackets() => [0, 1, 2, Packets - 1, Packets, Packets + 1, int.MaxValue, 0x8000_0000, uint.MaxValue];
}
