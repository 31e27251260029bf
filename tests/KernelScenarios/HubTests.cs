using System.Collections.Concurrent;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests hubs and the devices behind them: ports, parents, speeds, arrival and removal.</summary>
public sealed class HubTests : MachineTest
{
    private const ushort HidVendor = 0x0627;

    [Fact]
    public void Ports_and_parents_lead_to_the_device()
    {
        QemuDevice hub = Plug("usb-hub", "1");
        QemuDevice tablet = Plug("usb-tablet", "1.2");
        QemuDevice inner = Plug("usb-hub", "1.3");
        QemuDevice mouse = Plug("usb-mouse", "1.3.1");
        QemuDevice keyboard = Plug("usb-kbd", "1.3.8");
        byte bus = hub.Device.BusNumber;
        QemuDevice[] all = [hub, tablet, inner, mouse, keyboard];
        Assert.Equal([$"{bus}-1", $"{bus}-1.2", $"{bus}-1.3", $"{bus}-1.3.1", $"{bus}-1.3.8"], all.Select(device => device.Device.PortPath.ToString()));
        Assert.Equal([1, 2, 3, 1, 8], all.Select(device => (int)device.Device.PortNumber));
        Assert.Equal(all.Length, all.Select(device => device.Device.Address).Distinct().Count());
        Assert.All(all, device => Assert.Equal(bus, device.Device.BusNumber));
        Assert.All(all, device => Assert.Equal(UsbSpeed.Full, device.Device.Speed)); // the hub is of USB 1.1
        Assert.Equal(0x09, hub.Device.Descriptor.DeviceClass);

        Assert.Equal(inner.Device, ParentOf(keyboard.Device));
        Assert.Equal(hub.Device, ParentOf(inner.Device));
        Assert.Equal(hub.Device, ParentOf(tablet.Device));
        using UsbDevice? root = hub.Device.GetParent();
        Assert.NotNull(root);
        Assert.Empty(root.PortPath.Ports.ToArray());
        Assert.Null(root.GetParent());
    }

    [Fact]
    public void A_device_is_found_by_its_port()
    {
        Plug("usb-hub", "1");
        QemuDevice first = Plug("usb-mouse", "1.1");
        QemuDevice second = Plug("usb-mouse", "1.2");
        using UsbDevice? found = Context.FindDevice(new UsbDeviceFilter { Port = second.Device.PortPath, VendorId = HidVendor });
        Assert.Equal(second.Device, found);
        Assert.NotEqual(first.Device, found);
        using UsbDeviceHandle handle = found!.Open();
        Assert.Equal("QEMU USB Mouse", handle.GetString(found.Descriptor.ProductIndex));
    }

    [Fact]
    public void Arriving_and_leaving_devices_are_reported_in_order()
    {
        using var told = new BlockingCollection<(UsbHotplugEvents Event, UsbPortPath Port, string Product)>();
        using UsbHotplugRegistration registration = Context.RegisterHotplug(
            notification =>
            {
                using UsbDevice device = notification.Device;
                // The properties of a device stay readable after the device has left.
                Assert.Equal(0x0001, device.Descriptor.ProductId);
                string? product = "";
                if (notification.Event == UsbHotplugEvents.Arrived)
                {
                    using UsbDeviceHandle handle = device.Open();
                    product = handle.GetString(device.Descriptor.ProductIndex);
                }

                told.Add((notification.Event, device.PortPath, product!));
            },
            new UsbDeviceFilter { VendorId = HidVendor },
            enumerate: false);
        var failures = new ConcurrentQueue<Exception>();
        Context.UnhandledCallbackException += (_, e) => failures.Enqueue(e.Exception);

        for (int round = 0; round < 3; round++)
        {
            QemuDevice tablet = Plug("usb-tablet", "1");
            Assert.Equal((UsbHotplugEvents.Arrived, tablet.Device.PortPath, "QEMU USB Tablet"), Next());
            QemuDevice mouse = Plug("usb-mouse", "2");
            Assert.Equal((UsbHotplugEvents.Arrived, mouse.Device.PortPath, "QEMU USB Mouse"), Next());
            mouse.Unplug(); // the kernel checks its ports in order, so each departure is awaited before the next device is unplugged
            Assert.Equal((UsbHotplugEvents.Left, mouse.Device.PortPath, ""), Next());
            tablet.Unplug();
            Assert.Equal((UsbHotplugEvents.Left, tablet.Device.PortPath, ""), Next());
            mouse.WaitForDeparture();
            tablet.WaitForDeparture();
            mouse.Dispose();
            tablet.Dispose();
        }

        Assert.Empty(failures);

        (UsbHotplugEvents, UsbPortPath, string) Next()
        {
            Assert.True(told.TryTake(out (UsbHotplugEvents, UsbPortPath, string) next, Patience), $"Nothing more was reported. {failures.FirstOrDefault()}");
            return next;
        }
    }

    [Fact]
    public void Unplugging_a_hub_unplugs_all_devices_behind_it()
    {
        QemuDevice hub = Plug("usb-hub", "1");
        QemuDevice tablet = Plug("usb-tablet", "1.1");
        QemuDevice inner = Plug("usb-hub", "1.2");
        QemuDevice mouse = Plug("usb-mouse", "1.2.1");
        using UsbDeviceHandle handle = mouse.Device.Open();
        hub.Unplug();
        foreach (QemuDevice device in (QemuDevice[])[mouse, inner, tablet, hub])
        {
            device.WaitForDeparture();
            device.WentWithItsHub();
        }

        using UsbDeviceList left = Context.GetDevices();
        Assert.DoesNotContain(left, device => device.BusNumber == hub.Device.BusNumber && device.PortPath.Ports.Length > 0);
        Assert.Equal(UsbError.NoDevice, handle.TryControlRead(new UsbControlSetup(0x80, 0x06, 0x0100, 0), new byte[18], out _, Patience));
        Assert.False(Directory.Exists(Sysfs.FolderOf(tablet.Device)));
    }

    [Fact]
    public async Task A_pending_transfer_ends_when_its_device_is_unplugged()
    {
        QemuDevice tablet = Plug("usb-tablet", "1");
        Sysfs.WaitForDriver(tablet.Device, 0, "usbhid");
        UsbDeviceHandle handle = tablet.Device.Open();
        handle.SetAutoDetachKernelDriver(true);
        handle.ClaimInterface(0);
        var waiting = new List<(UsbTransfer Transfer, Task<UsbTransferOutcome> End)>();
        for (int i = 0; i < 4; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetInterrupt(0x81, 8);
            waiting.Add((transfer, transfer.TrySubmitAsync().AsTask()));
        }

        UsbEndpoint endpoint = handle.At(0x81);
        Task<UsbError> synchronous = Task.Run(() => endpoint.TryRead(new byte[8], out _));
        tablet.Unplug();
        foreach ((UsbTransfer transfer, Task<UsbTransferOutcome> end) in waiting)
        {
            Assert.Equal(new UsbTransferOutcome(UsbError.NoDevice, 0), await end);
            Assert.Equal(UsbTransferStatus.NoDevice, transfer.Status);
            Assert.Equal(UsbError.NoDevice, transfer.TrySubmit());
        }

        Assert.Equal(UsbError.NoDevice, await synchronous);
        tablet.WaitForDeparture();
        Assert.Equal(UsbError.NoDevice, endpoint.TryRead(new byte[8], out _));
        handle.Dispose();
        Assert.Equal(UsbError.NoDevice, tablet.Device.TryOpen(out _));
    }

    [Fact]
    public void Disposing_while_the_device_is_unplugged_does_not_hang()
    {
        for (int round = 0; round < 5; round++)
        {
            QemuDevice tablet = Plug("usb-tablet", "1");
            Sysfs.WaitForDriver(tablet.Device, 0, "usbhid");
            UsbDeviceHandle handle = tablet.Device.Open();
            handle.SetAutoDetachKernelDriver(true);
            handle.ClaimInterface(0);
            UsbTransfer transfer = handle.CreateTransfer();
            UsbTransferStatus? status = null;
            transfer.SetInterrupt(0x81, 8, ended => status = ended.Status);
            transfer.Submit();
            tablet.Unplug();
            handle.Dispose(); // the removal or the disposal ends the transfer
            Assert.True(status is UsbTransferStatus.NoDevice or UsbTransferStatus.Canceled, $"{status}");
            Assert.True(transfer.IsDisposed);
            tablet.WaitForDeparture();
            tablet.Dispose();
        }
    }

    private static UsbDevice? ParentOf(UsbDevice device)
    {
        using UsbDevice? parent = device.GetParent();
        return parent; // a disposed device still compares equal
    }
}
