using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests rings whose memory the program supplies. The buffers of a ring must lie in this memory. The memory must stay allocated until the ring has ended.
/// </summary>
public sealed class SuppliedMemoryTests : RingTest
{
    private const int Size = 1024, Transfers = 4, Spares = 2;

    private static readonly UsbRingOptions s_options = new() { TransferSize = Size, Transfers = Transfers, Spares = Spares };

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Buffers_that_are_read_are_the_supplied_memory(bool ofDevice)
    {
        var device = new BulkSourceSink();
        UsbDeviceHandle handle = Open(device);
        using UsbBuffer memory = handle.AllocateBuffer(Size * (Transfers + Spares), preferDeviceMemory: ofDevice);
        await using UsbInputRing ring = InputRing(handle, BulkSourceSink.InAddress, s_options with { Memory = memory.Memory });
        var places = new HashSet<int>();
        ring.Start();
        for (int i = 0; i < 100; i++)
        {
            using UsbInputBuffer buffer = await ring.ReadAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(Size, buffer.Length);
            places.Add(PlaceOf(buffer.Data, memory.Memory.Span));
            Assert.Equal(PlaceOf(buffer.Data, memory.Memory.Span), PlaceOf(buffer.Memory.Span, memory.Memory.Span));
        }

        Assert.All(places, static place => Assert.Equal(0, place % Size));
        Assert.InRange(places.Count, 2, Transfers + Spares);
        await ring.StopAsync();
    }

    [BusFact]
    public async Task Packets_that_are_read_are_in_the_supplied_memory()
    {
        const int packet = 1024, packets = 8;
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Paced = false }));
        handle.ClaimInterface(0).SetAlternateSetting(2);
        byte[] memory = new byte[packet * packets * 6];
        await using UsbInputRing ring = InputRing(handle, IsoSource.EndpointAddress, new UsbRingOptions { PacketsPerTransfer = packets, Transfers = 4, Spares = 2, Memory = memory }, 2);
        Assert.Equal(packet, ring.PacketSize);
        long wrong = 0, seen = 0;
        ring.Start(buffer =>
        {
            foreach (UsbRingPacket one in buffer.Packets)
            {
                int place = PlaceOf(one.Data, memory);
                if (place < 0 || place + packet > memory.Length || place % packet != 0 || NumberedPattern.CountMismatches(one.Data, (ulong)seen) != 0)
                    wrong++;
                seen++;
            }
        });
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref seen) > 1000, Patience));
        await ring.StopAsync();
        Assert.Equal(0, wrong);
    }

    [BusFact]
    public async Task Buffers_that_are_written_are_the_supplied_memory()
    {
        var loopback = new BulkLoopback();
        UsbDeviceHandle handle = Open(loopback);
        byte[] memory = new byte[Size * (Transfers + Spares)];
        await using UsbOutputRing ring = OutputRing(handle, BulkLoopback.OutAddress, s_options with { Memory = memory });
        ring.Start();
        using (UsbOutputBuffer buffer = await ring.AcquireAsync().AsTask().WaitAsync(Patience))
        {
            Assert.Equal(0, PlaceOf(buffer.Span, memory) % Size);
            buffer.Span[..3].Fill(7);
            buffer.Commit(3);
        }

        await ring.FlushAsync();
        byte[] read = new byte[512];
        Assert.Equal(3, handle.At(BulkLoopback.InAddress).Read(read, Patience));
        Assert.Equal(new byte[] { 7, 7, 7 }, read[..3]);
    }

    [BusFact]
    public void Too_little_memory_is_refused_with_the_number_of_bytes()
    {
        UsbDeviceHandle handle = Open(new BulkSourceSink());
        ArgumentException refused = Assert.Throws<ArgumentException>(() => InputRing(handle, BulkSourceSink.InAddress, s_options with { Memory = new byte[Size] }));
        Assert.Contains("4 transfers and 2 spares of 1024 bytes need 6144 bytes of memory, and 1024 were given.", refused.Message, StringComparison.Ordinal);
    }

    [BusFact]
    public async Task Memory_that_is_disposed_before_the_ring_stays_until_the_ring_has_ended()
    {
        UsbDeviceHandle handle = Open(new BulkSourceSink());
        UsbBuffer memory = handle.AllocateBuffer(Size * (Transfers + Spares), preferDeviceMemory: true);
        UsbInputRing ring = InputRing(handle, BulkSourceSink.InAddress, s_options with { Memory = memory.Memory });
        Exception? seen = null;
        long calls = 0;
        Context.UnhandledCallbackException += (_, raised) => Volatile.Write(ref seen, raised.Exception);
        ring.Start(buffer =>
        {
            calls += buffer.Data[0] >= 0 ? 1 : 0;
        });
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref calls) > 10, Patience));
        memory.Dispose();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref seen) is ObjectDisposedException, Patience));
        Assert.True(ring.GetStatistics().Transfers.Completed > 10); // the device still writes into the memory
        await ring.DisposeAsync();
        await handle.DisposeAsync();
    }

    private static int PlaceOf(ReadOnlySpan<byte> part, ReadOnlySpan<byte> memory) =>
        (int)Unsafe.ByteOffset(ref MemoryMarshal.GetReference(memory), ref MemoryMarshal.GetReference(part));
}
