using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

public sealed unsafe class BulkTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static void Fill(Span<byte> data, int seed)
    {
        for (int i = 0; i < data.Length; i++)
            data[i] = (byte)((i * 31) + seed + (i >> 8));
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full, 1)]
    [InlineData(VirtualSpeed.Full, 63)]
    [InlineData(VirtualSpeed.High, 511)]
    [InlineData(VirtualSpeed.High, 513)]
    [InlineData(VirtualSpeed.High, 16385)]
    [InlineData(VirtualSpeed.High, (1 << 20) - 1)]
    [InlineData(VirtualSpeed.Super, (3 << 20) + 7)]
    public void Data_of_every_size_comes_back_equal(VirtualSpeed speed, int length)
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new(new BulkLoopbackOptions { Speed = speed });
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        using RawTransfer output = RawTransfer.Bulk(host, handle, BulkLoopback.OutAddress, length);
        using RawTransfer input = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, (length / 1024 * 1024) + 2048);
        Fill(output.Data, length);
        input.Submit();
        output.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, length);
        input.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, length);
        Assert.True(output.Data.SequenceEqual(input.Received));
    }

    [PreloadOnly(KernelLimits.Capabilities, Rows = "WithoutScatterGather")]
    [BusTheory]
    [InlineData(UsbfsCapabilities.Default)]
    [InlineData(UsbfsCapabilities.WithoutScatterGather)]
    public void A_large_transfer_is_the_same_with_and_without_scatter_gather(UsbfsCapabilities capabilities)
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(new VirtualBusOptions { Capabilities = capabilities }, loopback);
        libusb_device_handle* handle = host.Open(loopback);
        using RawTransfer output = RawTransfer.Bulk(host, handle, BulkLoopback.OutAddress, 1 << 20);
        using RawTransfer input = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 1 << 20);
        Fill(output.Data, 5);
        output.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 1 << 20);
        input.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 1 << 20);
        Assert.True(output.Data.SequenceEqual(input.Data));
        long urbs = loopback.Endpoint(BulkLoopback.OutAddress).Submitted;
        Assert.Equal(capabilities == UsbfsCapabilities.Default ? 1 : 64, urbs);
    }

    [PreloadOnly(KernelLimits.Capabilities)]
    [BusFact]
    public void A_short_packet_ends_a_split_transfer_and_the_next_one_is_clean()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(new VirtualBusOptions { Capabilities = UsbfsCapabilities.WithoutScatterGather }, loopback);
        libusb_device_handle* handle = host.Open(loopback);
        using RawTransfer input = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 10 * 16384);
        byte* data = stackalloc byte[1000];
        int count;
        for (int round = 0; round < 20; round++)
        {
            Fill(new Span<byte>(data, 1000), round);
            input.Submit();
            // The test waits for all ten pieces. Otherwise, the short packet could end the transfer before the later pieces are submitted.
            Assert.True(loopback.Endpoint(BulkLoopback.InAddress).WaitForPending(10, s_limit));
            RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 1000, &count, 0));
            input.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 1000);
            Assert.True(input.Received.SequenceEqual(new Span<byte>(data, 1000)));
            Assert.Empty(loopback.Endpoint(BulkLoopback.InAddress).Pending);
        }
    }

    [BusFact]
    public void Empty_packets_keep_their_place()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte* data = stackalloc byte[2048];
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 0, &count, 0));
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 512, &count, 0));
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 0, &count, 0));
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.InAddress, data, 2048, &count, 0));
        Assert.Equal(0, count);
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.InAddress, data, 2048, &count, 0));
        Assert.Equal(512, count);
        using RawTransfer with = RawTransfer.Bulk(host, handle, BulkLoopback.OutAddress, 1024);
        with.Native->flags = (byte)libusb_transfer_flags.LIBUSB_TRANSFER_ADD_ZERO_PACKET;
        with.Submit().Wait();
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.InAddress, data, 2048, &count, 0));
        Assert.Equal(1024, count); // the empty packet ends the transfer; without it the transfer would wait for more data
    }

    [BusFact]
    public void More_data_than_requested_is_an_overflow()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte* data = stackalloc byte[512];
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 300, &count, 0));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_OVERFLOW, libusb_bulk_transfer(handle, BulkLoopback.InAddress, data, 100, &count, 0));
    }

    [BusFact]
    public void A_halted_endpoint_stalls_until_it_is_cleared()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        using RawTransfer waiting = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 512);
        waiting.Submit();
        VirtualEndpoint input = loopback.Endpoint(BulkLoopback.InAddress);
        Assert.True(input.WaitForSubmitted(1, s_limit));
        input.Halt();
        waiting.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_STALL, 0);
        waiting.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_STALL, 0);
        RawHost.Check(libusb_clear_halt(handle, BulkLoopback.InAddress));
        waiting.Submit();
        byte* data = stackalloc byte[10];
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 10, &count, 0));
        waiting.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 10);
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_clear_halt(handle, 0x8f));
    }

    [BusTheory]
    [InlineData(UrbStatus.Protocol, libusb_transfer_status.LIBUSB_TRANSFER_ERROR)]
    [InlineData(UrbStatus.Checksum, libusb_transfer_status.LIBUSB_TRANSFER_ERROR)]
    [InlineData(UrbStatus.BufferOverrun, libusb_transfer_status.LIBUSB_TRANSFER_ERROR)]
    [InlineData(UrbStatus.Overflow, libusb_transfer_status.LIBUSB_TRANSFER_OVERFLOW)]
    [InlineData(UrbStatus.Stall, libusb_transfer_status.LIBUSB_TRANSFER_STALL)]
    [InlineData(UrbStatus.Shutdown, libusb_transfer_status.LIBUSB_TRANSFER_NO_DEVICE)]
    public void Errors_reach_the_transfer_with_the_data_before_them(UrbStatus status, libusb_transfer_status expected)
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte* data = stackalloc byte[600];
        Fill(new Span<byte>(data, 600), 5);
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 600, &count, 0));
        loopback.Endpoint(BulkLoopback.InAddress).FailNext(status, 512);
        using RawTransfer input = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 1024);
        input.Submit().Wait().Expect(expected, 512);
        Assert.Equal(new Span<byte>(data, 512), new Span<byte>(input.Native->buffer, 512));
    }

    [BusFact]
    public void Short_not_ok_makes_a_short_transfer_an_error()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte* data = stackalloc byte[10];
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 10, &count, 0));
        using RawTransfer input = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 512);
        input.Native->flags = (byte)libusb_transfer_flags.LIBUSB_TRANSFER_SHORT_NOT_OK;
        input.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_ERROR, 10);
    }

    [BusFact]
    public void A_cancelled_transfer_keeps_the_data_it_has()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        using RawTransfer input = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 4096);
        input.Submit();
        byte* data = stackalloc byte[1024];
        Fill(new Span<byte>(data, 1024), 3);
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 1024, &count, 0)); // two full packets do not end the transfer
        RawHost.Check(libusb_cancel_transfer(input.Native));
        input.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_CANCELLED, 1024);
        Assert.True(input.Received.SequenceEqual(new Span<byte>(data, 1024)));
        Assert.Equal(1, loopback.Endpoint(BulkLoopback.InAddress).Unlinked);
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_cancel_transfer(input.Native));
    }

    [BusFact]
    public void A_transfer_that_times_out_returns_the_data_received_before()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte* data = stackalloc byte[4096];
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, BulkLoopback.OutAddress, data, 512, &count, 0));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_TIMEOUT, libusb_bulk_transfer(handle, BulkLoopback.InAddress, data, 4096, &count, 20));
        Assert.Equal(512, count);
    }

    [BusFact]
    public void A_test_decides_when_and_in_which_order_transfers_complete()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = new(new DeviceDescription
        {
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Bulk, 512))))],
        });
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device);
        VirtualEndpoint endpoint = device.Endpoint(0x81);
        RawTransfer[] transfers = [.. Enumerable.Range(0, 3).Select(_ => RawTransfer.Bulk(host, handle, 0x81, 512).Submit())];
        Assert.True(endpoint.WaitForPending(3, s_limit));
        host.Poll();
        Assert.All(transfers, t => Assert.False(t.IsDone));
        IReadOnlyList<VirtualUrb> pending = endpoint.Pending;
        pending[2].CompleteWith("third"u8);
        transfers[2].Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 5);
        pending[0].CompleteWith("first!"u8);
        transfers[0].Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 6);
        pending[1].Stall();
        transfers[1].Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_STALL, 0);
        Assert.True(transfers[2].Order < transfers[0].Order);
        foreach (RawTransfer transfer in transfers)
            transfer.Dispose();
    }

    [BusFact]
    public void Held_transfers_wait_for_their_release()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        VirtualEndpoint output = loopback.Endpoint(BulkLoopback.OutAddress);
        output.Hold();
        RawTransfer[] transfers = [.. Enumerable.Range(1, 3).Select(i => RawTransfer.Bulk(host, handle, BulkLoopback.OutAddress, i).Submit())];
        Assert.True(output.WaitForPending(3, s_limit));
        Assert.Equal(0, loopback.Waiting);
        Assert.True(output.Release(1));
        transfers[1].Wait();
        Assert.Equal(2, loopback.Waiting);
        output.Resume();
        transfers[0].Wait();
        transfers[2].Wait();
        Assert.Equal(6, loopback.Waiting);
        Assert.False(output.Release());
        foreach (RawTransfer transfer in transfers)
            transfer.Dispose();
    }

    [PreloadOnly(KernelLimits.Streams)]
    [BusFact]
    public void Each_stream_is_a_separate_loopback()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new(new BulkLoopbackOptions { Speed = VirtualSpeed.Super, StreamsExponent = 2 });
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte* endpoints = stackalloc byte[] { BulkLoopback.OutAddress, BulkLoopback.InAddress };
        Assert.Equal(4, libusb_alloc_streams(handle, 100, endpoints, 2));
        Assert.Equal(4, loopback.Endpoint(BulkLoopback.InAddress).Streams);
        for (uint stream = 1; stream <= 4; stream++)
        {
            using RawTransfer output = RawTransfer.BulkStream(host, handle, BulkLoopback.OutAddress, stream, 10);
            output.Data.Fill((byte)stream);
            output.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 10);
        }
        for (uint stream = 4; stream >= 1; stream--)
        {
            using RawTransfer input = RawTransfer.BulkStream(host, handle, BulkLoopback.InAddress, stream, 1024);
            input.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 10);
            Assert.Equal((byte)stream, input.Received[0]);
        }
        RawHost.Check(libusb_free_streams(handle, endpoints, 2));
        Assert.True(libusb_free_streams(handle, endpoints, 2) < 0);
    }

    [BusFact]
    public void A_device_without_streams_refuses_them()
    {
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        byte endpoint = BulkLoopback.OutAddress;
        Assert.True(libusb_alloc_streams(handle, 2, &endpoint, 1) < 0);
    }

    [BusFact]
    public void A_full_device_makes_the_host_wait()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new(new BulkLoopbackOptions { Capacity = 4096 });
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        // The transfer is larger than the capacity of the device, so it moves in parts.
        using RawTransfer output = RawTransfer.Bulk(host, handle, BulkLoopback.OutAddress, 10000);
        using RawTransfer input = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 10240);
        Fill(output.Data, 9);
        output.Submit();
        Assert.True(loopback.Endpoint(BulkLoopback.OutAddress).WaitForSubmitted(1, s_limit));
        host.Poll();
        Assert.False(output.IsDone);
        input.Submit().Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 10000);
        output.Wait();
        Assert.True(output.Data.SequenceEqual(input.Received));
    }
}
