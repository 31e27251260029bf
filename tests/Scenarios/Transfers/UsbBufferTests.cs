using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests buffers in ordinary memory and in device memory, and bulk streams.</summary>
public sealed class UsbBufferTests : BusTest
{
    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_transfer_reads_into_the_buffer(bool preferDeviceMemory)
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbBuffer buffer = handle.AllocateBuffer(10_000, preferDeviceMemory);
        Assert.Equal(preferDeviceMemory, buffer.IsDeviceMemory);
        Assert.Equal(10_000, buffer.Length);
        Assert.Equal(10_000, buffer.GetSpan().Length);
        handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.InAddress, buffer.Memory[512..1024]);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(new byte[] { 1, 2, 3 }, buffer.GetSpan()[512..515].ToArray());

        // If a buffer is disposed after the configuration, the transfer may still use it, but other code may not.
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.GetSpan().Length);
        handle.At(BulkLoopback.OutAddress).Write([4, 5], Patience);
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(new byte[] { 4, 5 }, transfer.Data.ToArray());
        Assert.Throws<ObjectDisposedException>(() => transfer.SetBulkPinned(BulkLoopback.InAddress, buffer.Memory));
    }

    [BusFact]
    public void Closing_the_handle_frees_its_remaining_buffers()
    {
        UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbBuffer buffer = handle.AllocateBuffer(4096, preferDeviceMemory: true);
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.InAddress, buffer.Memory);
        transfer.Submit();
        handle.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.GetSpan().Length);
        Assert.Throws<ObjectDisposedException>(() => handle.AllocateBuffer(1));
        buffer.Dispose();
    }

    [BusFact]
    public void Impossible_buffer_lengths_are_refused()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        Assert.Throws<ArgumentOutOfRangeException>(() => handle.AllocateBuffer(0));
        int tooLong = Array.MaxLength - 62; // one byte more than the longest array can hold after its first cache-line boundary
        foreach (int length in (int[])[tooLong, int.MaxValue - 63, int.MaxValue - 62, int.MaxValue])
        {
            Assert.Equal("length", Assert.Throws<ArgumentOutOfRangeException>(() => handle.AllocateBuffer(length)).ParamName);
            Assert.Equal("length", Assert.Throws<ArgumentOutOfRangeException>(() => handle.AllocateBuffer(length, preferDeviceMemory: true)).ParamName);
        }
    }

    [PreloadOnly(KernelLimits.Streams)]
    [BusFact]
    public void Streams_are_separate()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback(new BulkLoopbackOptions { Speed = VirtualSpeed.Super, StreamsExponent = 4 }));
        int streams = handle.AllocateStreams(4, BulkLoopback.InAddress, BulkLoopback.OutAddress);
        Assert.InRange(streams, 1, 4);
        var inputs = new List<UsbTransfer>();
        for (int stream = 1; stream <= 2; stream++)
        {
            UsbTransfer input = handle.CreateTransfer();
            input.SetBulkStream(BulkLoopback.InAddress, stream, 1024);
            Assert.Equal(stream, input.StreamId);
            Assert.Equal(UsbTransferType.BulkStream, input.Type);
            input.Submit();
            inputs.Add(input);
        }

        using UsbTransfer output = handle.CreateTransfer();
        output.SetBulkStreamCopy(BulkLoopback.OutAddress, 2, (ReadOnlySpan<byte>)[22]);
        output.Submit();
        Finish(inputs[1]);
        Assert.Equal(new byte[] { 22 }, inputs[1].Data.ToArray());
        Assert.True(inputs[0].IsSubmitted);
        output.SetBulkStreamPinned(BulkLoopback.OutAddress, 1, new byte[] { 11 });
        output.Submit();
        Finish(inputs[0]);
        Assert.Equal(new byte[] { 11 }, inputs[0].Data.ToArray());
        output.SetBulk(BulkLoopback.OutAddress, 1);
        Assert.Equal(0, output.StreamId);
        handle.FreeStreams(BulkLoopback.InAddress, BulkLoopback.OutAddress);
        Assert.Throws<ArgumentException>(() => handle.AllocateStreams(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => handle.AllocateStreams(0, 0x81));
        Assert.Throws<ArgumentOutOfRangeException>(() => output.SetBulkStream(BulkLoopback.OutAddress, 0, 1));
    }

    [BusFact]
    public void Allocating_streams_of_an_endpoint_without_streams_throws()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        Assert.Throws<UsbException>(() => handle.AllocateStreams(2, BulkLoopback.InAddress));
    }
}
