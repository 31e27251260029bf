using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests the number of bulk streams, the numbers that identify them, and their lifetime.</summary>
public sealed class StreamTrapTests : BusTest
{
    private const byte In = BulkLoopback.InAddress;
    private const byte Out = BulkLoopback.OutAddress;

    private readonly BulkLoopback _loopback = new(new BulkLoopbackOptions { Speed = VirtualSpeed.Super, StreamsExponent = 3 });

    [PreloadOnly(KernelLimits.Streams)]
    [BusFact]
    public void Fewer_streams_than_requested_may_be_allocated()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        Assert.Equal(5, handle.AllocateStreams(5, In, Out));
        Assert.Equal(8, handle.AllocateStreams(100, In, Out));
        Assert.Equal(8, _loopback.Endpoint(In).Streams);
    }

    [PreloadOnly(KernelLimits.Streams)]
    [BusFact]
    public void Releasing_the_interface_ends_the_streams()
    {
        using UsbDeviceHandle handle = Open(_loopback, out UsbInterface claim);
        handle.AllocateStreams(4, In, Out);
        claim.Dispose();
        Assert.Equal(0, _loopback.Endpoint(In).Streams);
        using UsbInterface again = handle.ClaimInterface(0);
        Assert.Equal(UsbError.InvalidParameter, Assert.Throws<UsbException>(() => handle.FreeStreams(In, Out)).Error);
        Assert.Equal(2, handle.AllocateStreams(2, In, Out));
        handle.FreeStreams(In, Out);
        Assert.Equal(0, _loopback.Endpoint(Out).Streams);
    }

    [PreloadOnly(KernelLimits.Streams)]
    [BusFact]
    public void The_stream_number_is_kept_between_submissions_and_zero_is_refused()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        handle.AllocateStreams(4, In, Out);
        using UsbTransfer input = handle.CreateTransfer();
        using UsbTransfer output = handle.CreateTransfer();
        Assert.Throws<ArgumentOutOfRangeException>(() => input.SetBulkStream(In, 0, 1024));
        Assert.Throws<ArgumentOutOfRangeException>(() => input.SetBulkStreamPinned(In, 0, new byte[8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => input.SetBulkStreamCopy(Out, 0, (ReadOnlySpan<byte>)[1]));
        Assert.Throws<ArgumentException>(() => input.SetBulkStreamCopy(In, 1, (ReadOnlySpan<byte>)[1]));
        var numbers = new List<byte>();
        input.SetBulkStream(In, 3, 1024, transfer =>
        {
            numbers.Add(transfer.Data[0]);
            if (numbers.Count < 3)
                transfer.Submit();
        });
        input.Submit();
        for (byte i = 0; i < 3; i++)
        {
            foreach (int stream in new int[] { 1, 3 })
            {
                output.SetBulkStreamCopy(Out, stream, (ReadOnlySpan<byte>)[(byte)((stream * 10) + i)]);
                output.Submit();
                Finish(output);
            }
        }

        HandleEventsUntil(() => numbers.Count == 3);
        Assert.Equal([30, 31, 32], numbers);
        Assert.Equal(3, input.StreamId);
    }

    // This test covers a device that is slower than SuperSpeed, wrong endpoints, and an unplugged device.
    [BusFact]
    public void Allocating_streams_throws_where_streams_are_not_available()
    {
        using UsbDeviceHandle slow = Open(new BulkLoopback(new BulkLoopbackOptions { StreamsExponent = 3, ProductId = 0x7777 }));
        Assert.Equal(UsbError.InvalidParameter, Assert.Throws<UsbException>(() => slow.AllocateStreams(2, In)).Error);
        using UsbDeviceHandle handle = Open(_loopback);
        Assert.Throws<UsbException>(() => handle.AllocateStreams(2, 0x85));
        Assert.Throws<ArgumentException>(() => handle.AllocateStreams(2, new byte[31]));
        Assert.Throws<ArgumentOutOfRangeException>(() => handle.AllocateStreams(2, 0x10));
        Bus.Detach(_loopback);
        Assert.Equal(UsbError.NoDevice, Assert.Throws<UsbException>(() => handle.AllocateStreams(2, In)).Error);
    }

    private UsbDeviceHandle Open(VirtualDevice device, out UsbInterface claim)
    {
        Bus.Attach(device);
        using UsbDevice found = Context.FindDevice(device.Description.VendorId, device.Description.ProductId)!;
        UsbDeviceHandle handle = found.Open();
        claim = handle.ClaimInterface(0); // the only claim, so disposing it releases the interface
        return handle;
    }
}
