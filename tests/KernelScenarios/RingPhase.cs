using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Moves the data with a ring.</summary>
public sealed class RingPhase : IDataPhase
{
    private static readonly UsbRingOptions s_options = new() { TransferSize = 64 * 1024, Transfers = 8, Spares = 8 };

    /// <summary>
    /// Reads the data with a ring. The ring requests more bytes than the command returns, and therefore also receives the status wrapper. QEMU's disk stalls
    /// the requests after the status wrapper, and the stall stops the ring.
    /// </summary>
    public byte[]? Read(BulkOnlyStorage storage, Memory<byte> data)
    {
        using UsbInputRing ring = storage.Input.CreateInputRing(s_options);
        ring.Start();
        int position = 0;
        while (position < data.Length)
        {
            Assert.True(ring.TryTake(out UsbInputBuffer buffer, Machine.Patience));
            using (buffer)
            {
                Assert.Equal(UsbTransferStatus.Completed, buffer.Status);
                position += buffer.CopyTo(data.Span[position..]);
            }
        }

        Assert.True(ring.TryTake(out UsbInputBuffer last, Machine.Patience));
        byte[] status = last.Data.ToArray();
        Assert.True(last.EndsWithShortPacket);
        last.Dispose();
        Assert.True(ring.Completion.Wait(Machine.Patience));
        Assert.Equal(UsbError.Pipe, ring.Failure?.Error);
        Assert.Equal(data.Length + status.Length, ring.GetStatistics().Bytes);
        storage.StartAnew();
        return status;
    }

    public void Write(BulkOnlyStorage storage, Memory<byte> data)
    {
        using UsbOutputRing ring = storage.Output.CreateOutputRing(s_options);
        ring.Start();
        int position = 0;
        while (position < data.Length)
        {
            Assert.True(ring.TryAcquire(out UsbOutputBuffer buffer, Machine.Patience));
            using (buffer)
            {
                int length = Math.Min(buffer.Span.Length, data.Length - position);
                data.Span.Slice(position, length).CopyTo(buffer.Span);
                buffer.Commit(length);
                position += length;
            }
        }

        ring.FlushAsync().AsTask().GetAwaiter().GetResult();
        Assert.Equal(data.Length, ring.GetStatistics().Bytes);
        ring.StopAsync().GetAwaiter().GetResult();
    }
}
