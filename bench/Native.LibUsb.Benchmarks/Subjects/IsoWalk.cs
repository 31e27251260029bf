using BenchmarkDotNet.Attributes;
using Native.LibUsb.Benchmarks.Running;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Benchmarks.Subjects;

/// <summary>
/// Measures a walk over the packets of a finished isochronous transfer. The results are the times per packet. Every walk does the same work: it checks the
/// status of each packet, adds up the lengths of the completed packets, and computes a checksum of their first bytes. Each packet has only 192 bytes (the size
/// of an audio packet), so all packets stay in the first-level cache. Otherwise, slow memory accesses would hide the cost of the walk.
/// </summary>
[BenchmarkCategory(Categories.NoAllocation)]
public unsafe class IsoWalk
{
    private const int Total = 512, PacketLength = 192;

    private OpenDevice _device = null!;
    private UsbTransfer _transfer = null!;
    private libusb_transfer* _native;

    [Params(8, 32, 128)]
    public int Packets { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _device = OpenDevice.Isochronous();
        _transfer = _device.Handle.CreateTransfer(Packets);
        _transfer.SetIsochronous(BenchmarkDevices.In, PacketLength);
        _native = _transfer.DangerousGetTransfer();
        new Random(1).NextBytes(new Span<byte>(_native->buffer, _native->length));
        for (int i = 0; i < Packets; i++)
        {
            _native->iso_packet_desc[i].actual_length = PacketLength - (uint)(i % 4);
            _native->iso_packet_desc[i].status = libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED;
        }

        // One packet has failed, and one has no data, so that the sums reveal a walk that skips a check.
        _native->iso_packet_desc[2].status = libusb_transfer_status.LIBUSB_TRANSFER_ERROR;
        _native->iso_packet_desc[5].actual_length = 0;

        ulong expected = CCode.WalkGetIsoPacketBuffer(_native);
        ulong[] others = [CCode.WalkGetIsoPacketBufferSimple(_native), CCode.WalkPointerArithmetic(_native), WalkIterIso(), WalkIterIsoDeconstructed(), WalkRawGetIsoPacketBuffer(), WalkRawPointers()];
        if (expected == 0 || others.Any(other => other != expected))
            throw new InvalidOperationException("The walks do not see the same packets.");
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _transfer.Dispose();
        _device.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Total, Description = "C: libusb_get_iso_packet_buffer")]
    [BenchmarkCategory(Categories.Short)]
    public ulong CGetIsoPacketBuffer()
    {
        ulong sum = 0;
        for (int done = 0; done < Total; done += Packets)
            sum += CCode.WalkGetIsoPacketBuffer(_native);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Total, Description = "C: libusb_get_iso_packet_buffer_simple")]
    public ulong CGetIsoPacketBufferSimple()
    {
        ulong sum = 0;
        for (int done = 0; done < Total; done += Packets)
            sum += CCode.WalkGetIsoPacketBufferSimple(_native);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Total, Description = "C: pointer arithmetic")]
    [BenchmarkCategory(Categories.Short)]
    public ulong CPointerArithmetic()
    {
        ulong sum = 0;
        for (int done = 0; done < Total; done += Packets)
            sum += CCode.WalkPointerArithmetic(_native);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Total, Description = "C#: IterIso, packet.Status and packet.Data")]
    [BenchmarkCategory(Categories.Short)]
    public ulong IterIso()
    {
        ulong sum = 0;
        for (int done = 0; done < Total; done += Packets)
            sum += WalkIterIso();
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Total, Description = "C#: IterIso, var (status, data)")]
    public ulong IterIsoDeconstructed()
    {
        ulong sum = 0;
        for (int done = 0; done < Total; done += Packets)
            sum += WalkIterIsoDeconstructed();
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Total, Description = "C# raw layer: libusb_get_iso_packet_buffer")]
    public ulong RawGetIsoPacketBuffer()
    {
        ulong sum = 0;
        for (int done = 0; done < Total; done += Packets)
            sum += WalkRawGetIsoPacketBuffer();
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Total, Description = "C# raw layer: pointer arithmetic")]
    public ulong RawPointers()
    {
        ulong sum = 0;
        for (int done = 0; done < Total; done += Packets)
            sum += WalkRawPointers();
        return sum;
    }

    private static ulong Told(ulong bytes, uint failed, byte check) => bytes | ((ulong)check << 40) | ((ulong)failed << 48);

    private ulong WalkIterIso()
    {
        ulong bytes = 0;
        uint failed = 0;
        byte check = 0;
        foreach (UsbIsoPacket packet in _transfer.IterIso())
        {
            if (packet.Status != UsbTransferStatus.Completed)
            {
                failed++;
                continue;
            }

            ReadOnlySpan<byte> data = packet.Data;
            bytes += (uint)data.Length;
            if (!data.IsEmpty)
                check ^= data[0];
        }

        return Told(bytes, failed, check);
    }

    private ulong WalkIterIsoDeconstructed()
    {
        ulong bytes = 0;
        uint failed = 0;
        byte check = 0;
        foreach (var (status, data) in _transfer.IterIso())
        {
            if (status != UsbTransferStatus.Completed)
            {
                failed++;
                continue;
            }

            bytes += (uint)data.Length;
            if (!data.IsEmpty)
                check ^= data[0];
        }

        return Told(bytes, failed, check);
    }

    private ulong WalkRawGetIsoPacketBuffer()
    {
        ulong bytes = 0;
        uint failed = 0;
        byte check = 0;
        libusb_transfer* transfer = _native;
        for (int i = 0; i < transfer->num_iso_packets; i++)
        {
            libusb_iso_packet_descriptor* packet = &transfer->iso_packet_desc[i];
            byte* data = libusb.libusb_get_iso_packet_buffer(transfer, (uint)i);
            if (packet->status != libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED)
            {
                failed++;
                continue;
            }

            bytes += packet->actual_length;
            if (packet->actual_length > 0)
                check ^= *data;
        }

        return Told(bytes, failed, check);
    }

    private ulong WalkRawPointers()
    {
        ulong bytes = 0;
        uint failed = 0;
        byte check = 0;
        libusb_transfer* transfer = _native;
        byte* data = transfer->buffer;
        libusb_iso_packet_descriptor* packet = transfer->iso_packet_desc, end = packet + transfer->num_iso_packets;
        for (; packet != end; data += packet->length, packet++)
        {
            if (packet->status != libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED)
            {
                failed++;
                continue;
            }

            bytes += packet->actual_length;
            if (packet->actual_length > 0)
                check ^= *data;
        }

        return Told(bytes, failed, check);
    }
}
