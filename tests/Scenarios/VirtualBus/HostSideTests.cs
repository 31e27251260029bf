using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests decisions that the host's kernel makes about claims, drivers, configurations and memory.</summary>
public sealed unsafe class HostSideTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [BusFact]
    public void An_interface_has_one_owner()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* first = host.Open(loopback);
        libusb_device_handle* second = host.Open(loopback, claim: -1);
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_BUSY, libusb_claim_interface(second, 0));
        using RawTransfer transfer = RawTransfer.Bulk(host, second, BulkLoopback.OutAddress, 10);
        Assert.True(transfer.TrySubmit() < 0);
        RawHost.Check(libusb_release_interface(first, 0));
        RawHost.Check(libusb_claim_interface(second, 0));
        transfer.Submit().Wait();
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_claim_interface(first, 5));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_release_interface(first, 0));
    }

    [BusFact]
    public void Closing_releases_the_interface_at_once()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        // The second handle is opened first, so that nothing but the close happens between the two claims.
        libusb_device_handle* other = host.Open(loopback, claim: -1);
        for (int i = 0; i < 200; i++)
        {
            libusb_device_handle* handle = host.Open(loopback);
            host.Close(handle);
            RawHost.Check(libusb_claim_interface(other, 0));
            RawHost.Check(libusb_release_interface(other, 0));
        }
    }

    [BusFact]
    public void Selecting_a_setting_ends_the_transfers_of_the_old_one()
    {
        using Watchdog watchdog = new();
        IsoSource source = new();
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 1);
        source.Source.Hold();
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 8, 512).Submit();
        Assert.True(source.Source.WaitForPending(1, s_limit));
        RawHost.Check(libusb_set_interface_alt_setting(handle, 0, 2));
        transfer.Wait();
        // The kernel first unlinks the URB, and then sends the SET_INTERFACE request to the device. libusb reports the transfer as completed, because libusb
        // has not cancelled it.
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, transfer.Status);
        Assert.Equal(2, source.AlternateOf(0));
        RawHost.Check(libusb_release_interface(handle, 0));
        Assert.Equal(0, source.AlternateOf(0));
    }

    [BusFact]
    public void Configurations_can_be_changed_while_nothing_is_claimed()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = new(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Bulk, 512)))),
                new ConfigurationDescription(new InterfaceDescription(4, new AlternateSetting(new EndpointDescription(0x85, EndpointKind.Bulk, 512)))) { Value = 2 },
            ],
        });
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device);
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_BUSY, libusb_set_configuration(handle, 2));
        RawHost.Check(libusb_release_interface(handle, 0));
        RawHost.Check(libusb_set_configuration(handle, 2));
        int value;
        RawHost.Check(libusb_get_configuration(handle, &value));
        Assert.Equal((2, 2), (value, device.Configuration));
        RawHost.Check(libusb_claim_interface(handle, 4));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_claim_interface(handle, 0));
        RawHost.Check(libusb_release_interface(handle, 4));
        RawHost.Check(libusb_set_configuration(handle, -1));
        RawHost.Check(libusb_get_configuration(handle, &value));
        Assert.Equal(0, value);
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_set_configuration(handle, 7));
    }

    [BusFact]
    public void Releasing_an_interface_ends_its_transfers_as_if_the_device_were_gone()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        IsoSource source = new(new IsoSourceOptions { Paced = false });
        using RawHost host = new(loopback, source);
        libusb_device_handle* handle = host.Open(loopback), camera = host.Open(source, alternate: 1);
        source.Source.Hold();
        using RawTransfer bulk = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 512).Submit();
        using RawTransfer packets = RawTransfer.Iso(host, camera, IsoSource.EndpointAddress, 8, 512).Submit();
        Assert.True(loopback.Endpoint(BulkLoopback.InAddress).WaitForPending(1, s_limit));
        Assert.True(source.Source.WaitForPending(1, s_limit));
        RawHost.Check(libusb_release_interface(handle, 0));
        RawHost.Check(libusb_release_interface(camera, 0));
        bulk.Wait();
        packets.Wait();
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_NO_DEVICE, bulk.Status);
        Assert.Equal(libusb_transfer_status.LIBUSB_TRANSFER_NO_DEVICE, packets.Status);
        RawHost.Check(libusb_claim_interface(handle, 0)); // the device is still there
    }

    [BusFact]
    public void A_reset_ends_transfers_and_keeps_the_claim()
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Paced = false });
        using RawHost host = new(source);
        libusb_device_handle* handle = host.Open(source, alternate: 3), other = host.Open(source, claim: -1);
        source.Source.Hold();
        using RawTransfer transfer = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 8, 2048).Submit();
        Assert.True(source.Source.WaitForPending(1, s_limit));
        RawHost.Check(libusb_reset_device(handle));
        transfer.Wait();
        Assert.Equal(0, (int)transfer.Packet(0).actual_length);
        // libusb releases the interface before the reset and claims it again afterwards. As on a real kernel, the release selects setting 0.
        Assert.Equal((1, 0), (source.Resets, source.AlternateOf(0)));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_BUSY, libusb_claim_interface(other, 0));
        source.Source.Resume();
        RawHost.Check(libusb_set_interface_alt_setting(handle, 0, 3));
        transfer.Submit().Wait();
        Assert.Equal(2048, (int)transfer.Packet(7).actual_length);
    }

    [BusFact]
    public void Kernel_drivers_are_detached_and_attached()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new(new BulkLoopbackOptions { KernelDriver = "usblp", InterfaceClass = (7, 1, 2) });
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback, claim: -1);
        Assert.Equal(1, libusb_kernel_driver_active(handle, 0));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_BUSY, libusb_claim_interface(handle, 0));
        RawHost.Check(libusb_detach_kernel_driver(handle, 0));
        Assert.Equal(0, libusb_kernel_driver_active(handle, 0));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_FOUND, libusb_detach_kernel_driver(handle, 0));
        RawHost.Check(libusb_claim_interface(handle, 0));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_BUSY, libusb_attach_kernel_driver(handle, 0));
        RawHost.Check(libusb_release_interface(handle, 0));
        RawHost.Check(libusb_attach_kernel_driver(handle, 0));
        Assert.Equal(1, libusb_kernel_driver_active(handle, 0));

        RawHost.Check(libusb_set_auto_detach_kernel_driver(handle, 1));
        RawHost.Check(libusb_claim_interface(handle, 0));
        Assert.Equal(0, libusb_kernel_driver_active(handle, 0));
        RawHost.Check(libusb_release_interface(handle, 0));
        Assert.Equal(1, libusb_kernel_driver_active(handle, 0));
    }

    [BusFact]
    public void The_memory_of_all_transfers_has_a_limit()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new(new BulkLoopbackOptions { Speed = VirtualSpeed.Super });
        using RawHost host = new(new VirtualBusOptions { UsbfsMemoryMegabytes = 2 }, loopback);
        libusb_device_handle* handle = host.Open(loopback);
        RawTransfer[] transfers = [.. Enumerable.Range(0, 3).Select(_ => RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 1 << 20))];
        transfers[0].Submit();
        // The kernel counts both transfers and an overhead for each transfer. Together, they exceed the limit.
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NO_MEM, transfers[1].TrySubmit());
        RawHost.Check(libusb_cancel_transfer(transfers[0].Native));
        transfers[0].Wait();
        transfers[1].Submit();
        // This call has the same effect as: echo 16 > /sys/module/usbcore/parameters/usbfs_memory_mb
        File.WriteAllText(Path.Combine(host.Bus.RootDirectory, "sys/module/usbcore/parameters/usbfs_memory_mb"), "16\n");
        transfers[2].Submit();
        foreach (RawTransfer transfer in transfers)
            transfer.Dispose();
    }

    [BusFact]
    public void Device_memory_counts_when_it_is_mapped()
    {
        using Watchdog watchdog = new();
        IsoSource source = new(new IsoSourceOptions { Speed = VirtualSpeed.Super, Paced = false });
        using RawHost host = new(new VirtualBusOptions { UsbfsMemoryMegabytes = 2 }, source);
        libusb_device_handle* handle = host.Open(source, alternate: 3);
        const int size = 16 * 49152;
        byte* one = libusb_dev_mem_alloc(handle, size), two = libusb_dev_mem_alloc(handle, size);
        Assert.True(one != null && two != null);
        Assert.True(libusb_dev_mem_alloc(handle, size) == null);
        // The mapped device memory already counts toward the limit, so a transfer in this memory needs little additional memory. A transfer of the same size in
        // other memory would exceed the limit.
        using (RawTransfer first = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 16, 49152, one))
        using (RawTransfer second = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 16, 49152, two))
        using (RawTransfer outside = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 16, 49152))
        {
            first.Submit();
            second.Submit();
            Assert.Equal((int)libusb_error.LIBUSB_ERROR_IO, outside.TrySubmit()); // libusb returns this error for ENOMEM of an isochronous transfer
            first.Wait();
            second.Wait();
            Assert.Equal(0, NumberedPattern.CountMismatches(second.PacketData(15), 31));
        }
        // A transfer must lie within one mapping.
        using (RawTransfer over = RawTransfer.Iso(host, handle, IsoSource.EndpointAddress, 1, 49152, one + size - 4096))
            Assert.True(over.TrySubmit() < 0);
        RawHost.Check(libusb_dev_mem_free(handle, one, size));
        RawHost.Check(libusb_dev_mem_free(handle, two, size));
        byte* again = libusb_dev_mem_alloc(handle, 2 * size);
        Assert.True(again != null);
        RawHost.Check(libusb_dev_mem_free(handle, again, 2 * size));
    }

    [BusFact]
    public void Waiting_for_events_does_not_spin()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        libusb_device_handle* handle = host.Open(loopback);
        using RawTransfer waiting = RawTransfer.Bulk(host, handle, BulkLoopback.InAddress, 512).Submit();
        int calls = 0;
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        while (System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMilliseconds < 300)
        {
            timeval limit = new() { tv_sec = 0, tv_usec = 100_000 };
            RawHost.Check(libusb_handle_events_timeout_completed(host.Context, &limit, null));
            calls++;
        }
        Assert.InRange(calls, 1, 8); // a node that always reported an event would cause thousands of calls
        Assert.False(waiting.IsDone);
    }
}
