using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Devices;

/// <summary>Tests finding devices, reading their descriptors and strings, and sending requests to devices.</summary>
public sealed class UsbDeviceTests : BusTest
{
    [BusFact]
    public void Devices_are_listed_with_their_numbers_port_and_speed()
    {
        var loopback = new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "L1" });
        var source = new IsoSource(new IsoSourceOptions { Speed = VirtualSpeed.Super });
        Bus.Attach(loopback);
        Bus.Attach(source);
        using UsbDeviceList devices = Context.GetDevices();
        UsbDevice found = Assert.Single(devices, device => device.ProductId == loopback.Description.ProductId);
        Assert.Equal(loopback.Description.VendorId, found.VendorId);
        Assert.Equal(loopback.BusNumber, found.BusNumber);
        Assert.Equal(loopback.DeviceNumber, found.Address);
        Assert.Equal(loopback.PortPath, found.PortPath.ToString());
        Assert.Equal(UsbSpeed.High, found.Speed);
        Assert.Equal(0x0200, found.Descriptor.UsbVersion);
        Assert.Equal(64, found.Descriptor.MaxPacketSize0);
        Assert.Equal(1, found.Descriptor.ConfigurationCount);
        Assert.Equal($"Bus {found.BusNumber:D3} Device {found.Address:D3}: ID {found.VendorId:x4}:{found.ProductId:x4}", found.ToString());
        Assert.Equal(UsbSpeed.Super, Assert.Single(devices, device => device.ProductId == source.Description.ProductId).Speed);
    }

    [BusFact]
    public void A_device_is_found_by_numbers_serial_and_port()
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "A" }));
        var second = new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "Bü" });
        Bus.Attach(second);
        using UsbDevice? bySerial = Context.FindDevice(new UsbDeviceFilter { SerialNumber = "Bü" });
        Assert.Equal(second.DeviceNumber, bySerial!.Address);
        Assert.True(UsbPortPath.TryParse(second.PortPath, out UsbPortPath port));
        using UsbDevice? byPort = Context.FindDevice(new UsbDeviceFilter { Port = port });
        Assert.Equal(bySerial, byPort);
        Assert.Equal(bySerial.GetHashCode(), byPort!.GetHashCode());
        Assert.Null(Context.FindDevice(new UsbDeviceFilter { SerialNumber = "b" }));
        Assert.Null(Context.FindDevice(0x1209, 0xffff));
    }

    [BusFact]
    public void A_device_that_was_unplugged_is_no_longer_listed()
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        using (UsbDevice? device = Context.FindDevice(loopback.Description.VendorId, loopback.Description.ProductId))
            Assert.NotNull(device);
        Bus.Detach(loopback);
        using UsbDevice? gone = Context.FindDevice(loopback.Description.VendorId, loopback.Description.ProductId);
        Assert.Null(gone);
    }

    [BusFact]
    public void Configurations_are_read_without_opening_and_outlive_the_device()
    {
        Bus.Attach(new IsoSource());
        UsbDevice device = Context.FindDevice(0x1209, 0x0010)!;
        UsbConfigurationDescriptor configuration = device.GetActiveConfigurationDescriptor();
        Assert.Throws<ArgumentOutOfRangeException>(() => device.GetConfigurationDescriptor(256));
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetConfigurationDescriptor(1)).Error);
        device.Dispose();
        Assert.Throws<ObjectDisposedException>(() => device.GetActiveConfigurationDescriptor());

        Assert.Equal(1, configuration.Value);
        Assert.Equal(500, configuration.MaxPowerMilliamps);
        Assert.Equal(9 + (5 * 9) + (4 * 7), configuration.TotalLength);
        IReadOnlyList<UsbInterfaceDescriptor> settings = Assert.Single(configuration.Interfaces).AlternateSettings;
        Assert.Equal(5, settings.Count);
        Assert.Empty(settings[0].Endpoints);
        int number = 0;
        foreach (UsbInterfaceDescriptor setting in settings)
        {
            Assert.Equal(0, setting.InterfaceNumber);
            Assert.Equal(number++, setting.Number);
            Assert.Equal(0xff, setting.Class);
        }

        UsbEndpointDescriptor endpoint = settings[4].Endpoints[0];
        Assert.Equal(0x81, endpoint.Address);
        Assert.Equal(1, endpoint.Number);
        Assert.Equal(UsbDirection.In, endpoint.Direction);
        Assert.Equal(UsbTransferType.Isochronous, endpoint.TransferType);
        Assert.Equal(0x1400, endpoint.RawMaxPacketSize);
        Assert.Equal(1024, endpoint.MaxPacketSize);
        Assert.Equal(3, endpoint.PacketsPerMicroframe);
        Assert.Equal(3072, endpoint.BytesPerInterval);
        Assert.Equal(TimeSpan.FromMicroseconds(125), endpoint.ServiceInterval);
        Assert.False(endpoint.TryGetCompanion(out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => configuration.Interfaces[1]);
        Assert.False(configuration.TryFindSetting(0, 9, out _));
        Assert.False(configuration.TryFindSetting(1, 0, out _));
        Assert.False(settings[4].TryFindEndpoint(0x01, out _));
    }

    [BusFact]
    public void A_SuperSpeed_endpoint_has_its_companion()
    {
        Bus.Attach(new IsoSource(new IsoSourceOptions { Speed = VirtualSpeed.Super }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0010)!;
        UsbConfigurationDescriptor configuration = device.GetActiveConfigurationDescriptor();
        Assert.True(configuration.TryFindSetting(0, 3, out UsbInterfaceDescriptor? setting));
        UsbEndpointDescriptor endpoint = setting.Endpoints[0];
        Assert.True(endpoint.TryGetCompanion(out UsbSuperSpeedCompanion companion));
        Assert.Equal(15, companion.MaxBurst);
        Assert.Equal(2, companion.Attributes);
        Assert.Equal(49_152, companion.BytesPerInterval);
        Assert.Equal(49_152, endpoint.BytesPerInterval);
        Assert.Equal(1, endpoint.PacketsPerMicroframe);
    }

    [BusFact]
    public void Strings_are_read_by_language()
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "Größe 1" }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = device.Open();
        Assert.Equal([0x0409], handle.GetLanguages());
        Assert.Equal("Größe 1", handle.GetString(device.Descriptor.SerialNumberIndex));
        Assert.Equal("Bulk loopback", handle.GetString(device.Descriptor.ProductIndex, 0x0409));
        Assert.Null(handle.GetString(0));
        Assert.Null(handle.GetString(200));
        Assert.Equal(UsbError.Pipe, handle.TryGetString(200, out _));
    }

    [BusFact]
    public void A_device_may_be_opened_more_than_once_but_an_interface_is_claimed_once()
    {
        var loopback = new BulkLoopback();
        UsbDeviceHandle first = Open(loopback);
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle second = device.Open();
        UsbException busy = Assert.Throws<UsbException>(() => second.ClaimInterface(0));
        Assert.Equal(UsbError.Busy, busy.Error);
        Assert.Contains("Another handle of this program has claimed interface 0", busy.Hint, StringComparison.Ordinal);
        Assert.Equal(UsbError.NotFound, second.TryClaimInterface(7, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => second.ClaimInterface(32));
        first.Dispose(); // releases the interface
        UsbInterface claim = second.ClaimInterface(0);
        claim.SetAlternateSetting(0);
        claim.Dispose();
        claim.Dispose();
        Assert.Throws<ObjectDisposedException>(() => claim.SetAlternateSetting(0));
        second.ClaimInterface(0).Dispose();
    }

    [BusFact]
    public void A_kernel_driver_is_named_detached_and_attached_again()
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { KernelDriver = "usblp", InterfaceClass = (7, 1, 2) }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = device.Open();
        Assert.True(handle.IsKernelDriverActive(0));
        Assert.True(handle.TryGetKernelDriver(0, out string? driver));
        Assert.Equal("usblp", driver);
        UsbException busy = Assert.Throws<UsbException>(() => handle.ClaimInterface(0));
        Assert.Equal(UsbError.Busy, busy.Error);
        Assert.Contains("'usblp'", busy.Hint, StringComparison.Ordinal);
        handle.DetachKernelDriver(0);
        Assert.False(handle.IsKernelDriverActive(0));
        Assert.False(handle.TryGetKernelDriver(0, out driver));
        Assert.Null(driver);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => handle.DetachKernelDriver(0)).Error);
        handle.ClaimInterface(0).Dispose();
        handle.AttachKernelDriver(0);
        Assert.True(handle.IsKernelDriverActive(0));
        handle.SetAutoDetachKernelDriver(true);
        using (handle.ClaimInterface(0))
            Assert.False(handle.IsKernelDriverActive(0));
        Assert.True(handle.IsKernelDriverActive(0));
        Assert.Equal(UsbError.Success, handle.TrySetAutoDetachKernelDriver(false));
        Assert.Equal(UsbError.Busy, handle.TryClaimInterface(0, out _));
        Assert.Equal(UsbError.Success, handle.TrySetAutoDetachKernelDriver(true));
        using (handle.ClaimInterface(0))
            Assert.False(handle.IsKernelDriverActive(0));
        handle.Dispose();
        Assert.Throws<ObjectDisposedException>(() => handle.TrySetAutoDetachKernelDriver(true));
    }

    [PreloadOnly(KernelLimits.Permission)]
    [BusFact]
    public void Opening_without_permission_reports_the_missing_rule()
    {
        Bus.Attach(new BulkLoopback { DenyAccess = true });
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        UsbException denied = Assert.Throws<UsbException>(device.Open);
        Assert.Equal(UsbError.Access, denied.Error);
        Assert.Contains("ATTR{idVendor}==\"1209\", ATTR{idProduct}==\"0011\"", denied.Hint, StringComparison.Ordinal);
        Assert.Equal(UsbError.Access, device.TryOpen(out UsbDeviceHandle? handle));
        Assert.Null(handle);
    }

    [BusFact]
    public void Configuration_and_reset()
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = device.Open();
        Assert.Equal(1, handle.GetConfiguration());
        handle.SetConfiguration(1);
        Assert.Throws<UsbException>(() => handle.SetConfiguration(7));
        Assert.Throws<ArgumentOutOfRangeException>(() => handle.SetConfiguration(-2));
        Assert.Throws<ArgumentOutOfRangeException>(() => handle.SetConfiguration(256));
        handle.Reset();
        Assert.Equal(1, loopback.Resets);
    }

    [BusFact]
    public void Synchronous_transfers_use_the_callers_memory_and_keep_partial_counts()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        Assert.Equal(700, handle.At(BulkLoopback.OutAddress).Write(new byte[700], Patience));
        Span<byte> buffer = stackalloc byte[1024];
        Assert.Equal(700, handle.At(BulkLoopback.InAddress).Read(buffer, Patience));
        handle.At(BulkLoopback.OutAddress).Write(new byte[512], Patience);
        UsbError error = handle.At(BulkLoopback.InAddress).TryRead(buffer, out int transferred, TimeSpan.FromMilliseconds(50));
        Assert.Equal(UsbError.Timeout, error);
        Assert.Equal(512, transferred);
        Assert.Throws<InvalidOperationException>(() => handle.At(BulkLoopback.OutAddress).Read(new byte[8]));
        Assert.Throws<InvalidOperationException>(() => handle.At(BulkLoopback.InAddress).Write(new byte[8]));
        Assert.Throws<ArgumentException>(() => handle.ControlRead(new UsbControlSetup(0x00, 6, 0, 0), new byte[8]));
        Assert.Equal(UsbError.Pipe, handle.TryControlRead(new UsbControlSetup(0xc0, 99, 0, 0), buffer, out _, Patience));
        Assert.Equal(18, handle.ControlRead(new UsbControlSetup(0x80, 6, 0x0100, 0), buffer, Patience));
    }

    [BusFact]
    public void A_failure_carries_its_code_its_name_and_the_bytes_transferred()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        handle.At(BulkLoopback.OutAddress).Write(new byte[512], Patience);
        UsbException failure = Assert.Throws<UsbException>(() => handle.At(BulkLoopback.InAddress).Read(new byte[1024], TimeSpan.FromMilliseconds(50)));
        Assert.Equal(UsbError.Timeout, failure.Error);
        Assert.Equal(512, failure.BytesTransferred);
        Assert.Contains("LIBUSB_ERROR_TIMEOUT [-7]", failure.Message, StringComparison.Ordinal);
        Assert.Contains("512 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Equal("read 1024 bytes from endpoint 0x82", failure.Operation);
        Assert.Null(failure.Hint);
    }

    [BusFact]
    public unsafe void Every_error_has_the_name_that_libusb_gives_it()
    {
        foreach (UsbError error in Enum.GetValues<UsbError>())
        {
            if (error is UsbError.Closed or UsbError.Canceled or UsbError.DataLost) // codes that only this library defines
            {
                Assert.Contains($"({error} [{(int)error}])", new UsbException(error, "test").Message, StringComparison.Ordinal);
                continue;
            }

            string name = System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)Native.LibUsb.Interop.libusb.libusb_error_name((int)error))!;
            name = name.Replace(" / LIBUSB_TRANSFER_COMPLETED", "", StringComparison.Ordinal);
            Assert.Contains($"({name} [{(int)error}])", new UsbException(error, "test").Message, StringComparison.Ordinal);
        }
    }

    [BusFact]
    public void A_control_transfer_writes_and_waits()
    {
        byte[]? arrived = null;
        var loopback = new BulkLoopback
        {
            ControlHandler = urb =>
            {
                if (urb.Setup.Request != 0x42)
                    return false;
                arrived = urb.Buffer[..urb.Length].ToArray();
                urb.Accept();
                return true;
            },
        };
        using UsbDeviceHandle handle = Open(loopback);
        var setup = new UsbControlSetup(UsbDirection.Out, UsbRequestKind.Vendor, UsbRecipient.Device, 0x42, 0, 0);
        Assert.Equal(3, handle.ControlWrite(setup, [1, 2, 3], Patience));
        Assert.Equal(new byte[] { 1, 2, 3 }, arrived);
        Assert.Equal(UsbError.Pipe, handle.TryControlWrite(setup with { Request = 0x43 }, [1], out int moved, Patience));
        Assert.Equal(0, moved);
        UsbException unknown = Assert.Throws<UsbException>(() => handle.ControlWrite(setup with { Request = 0x43 }, [1], Patience));
        Assert.Contains("0x43", unknown.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => handle.ControlWrite(setup with { RequestType = 0xc0 }, [1]));
        Assert.Throws<ArgumentException>(() => handle.ControlWrite(setup, new byte[65_536]));
    }

    [BusFact]
    public void Interrupt_endpoints_are_read_and_written()
    {
        var device = new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                    new EndpointDescription(0x81, EndpointKind.Interrupt, 8), new EndpointDescription(0x01, EndpointKind.Interrupt, 8)))),
            ],
        });
        var input = new Answering(0x81);
        var output = new Answering(0x01);
        device.Add(input);
        device.Add(output);
        using UsbDeviceHandle handle = Open(device);
        Assert.Equal(3, handle.At(0x01).Write([7, 8, 9], Patience));
        Assert.Equal(new byte[] { 7, 8, 9 }, output.Last);
        byte[] buffer = new byte[8];
        Assert.Equal(2, handle.At(0x81).Read(buffer, Patience));
        Assert.Equal(new byte[] { 5, 6 }, buffer[..2]);
        input.Halt();
        Assert.Equal(UsbError.Pipe, handle.At(0x81).TryRead(buffer, out int received, Patience));
        Assert.Equal(0, received);
        Assert.Equal(UsbError.Success, handle.At(0x01).TryWrite([1], out int sent, Patience));
        Assert.Equal(1, sent);
        Assert.Throws<InvalidOperationException>(() => handle.At(0x81).Write([1]));
        Assert.Throws<InvalidOperationException>(() => handle.At(0x01).Read(buffer));
    }

    [BusFact]
    public void Descriptors_have_classes_versions_and_strings()
    {
        var device = new VirtualDevice(new DeviceDescription
        {
            Class = 0xef,
            Subclass = 2,
            Protocol = 1,
            Release = 0x0123,
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                    new EndpointDescription(0x81, EndpointKind.Interrupt, 8) { Interval = 4, Extra = new byte[] { 3, 0x25, 9 } })
                { Class = 3, Subclass = 1, Protocol = 2, Name = "interface" })) { Name = "configuration", SelfPowered = true },
            ],
        });
        using UsbDeviceHandle handle = Open(device);
        UsbDeviceDescriptor descriptor = handle.Device.Descriptor;
        Assert.Equal((0xef, 2, 1, 0x0123), (descriptor.DeviceClass, descriptor.DeviceSubClass, descriptor.DeviceProtocol, descriptor.DeviceVersion));
        UsbConfigurationDescriptor configuration = handle.Device.GetConfigurationDescriptor(0);
        Assert.Equal(0xc0, configuration.Attributes);
        Assert.Equal("configuration", handle.GetString(configuration.StringIndex));
        UsbInterfaceDescriptor setting = configuration.Interfaces[0].AlternateSettings[0];
        Assert.Equal((3, 1, 2), (setting.Class, setting.SubClass, setting.Protocol));
        Assert.Equal("interface", handle.GetString(setting.StringIndex));
        UsbEndpointDescriptor endpoint = setting.Endpoints[0];
        Assert.Equal(4, endpoint.Interval);
        Assert.Equal(TimeSpan.FromMilliseconds(1), endpoint.ServiceInterval); // 2^3 microframes
        Assert.Equal((0, 0), (endpoint.Refresh, endpoint.SyncAddress)); // only audio endpoints have these fields
        Assert.True(endpoint.Extra.SequenceEqual(new byte[] { 3, 0x25, 9 }));
        Assert.Equal(8, endpoint.BytesPerInterval);
    }

    [BusFact]
    public unsafe void The_native_objects_are_returned_until_they_are_disposed()
    {
        UsbDeviceHandle handle = Open(new BulkLoopback());
        Assert.True(Native.LibUsb.Interop.libusb.libusb_get_device(handle.DangerousGetHandle()) == handle.Device.DangerousGetDevice());
        Assert.True(Context.DangerousGetContext() is not null);
        UsbDevice device = handle.Device;
        handle.Dispose();
        Assert.True(Throws<ObjectDisposedException>(() => _ = handle.DangerousGetHandle()));
        Assert.True(Throws<ObjectDisposedException>(() => _ = device.DangerousGetDevice()));
        Context.Dispose();
        Assert.True(Throws<ObjectDisposedException>(() => _ = Context.DangerousGetContext()));
    }

    [Theory]
    [InlineData("1-2.3", 1, new byte[] { 2, 3 })]
    [InlineData("12-1", 12, new byte[] { 1 })]
    [InlineData("1-0", 1, new byte[] { })]
    [InlineData("3-1.2.3.4.5.6.7", 3, new byte[] { 1, 2, 3, 4, 5, 6, 7 })]
    public void Port_paths_are_read_and_written(string text, int bus, byte[] ports)
    {
        Assert.True(UsbPortPath.TryParse(text, out UsbPortPath path));
        Assert.Equal(bus, path.Bus);
        Assert.Equal(ports, path.Ports.ToArray());
        Assert.Equal(text, path.ToString());
        Assert.True(path == new UsbPortPath((byte)bus, ports));
        Assert.False(path == new UsbPortPath((byte)(bus + 1), ports));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1-")]
    [InlineData("-1")]
    [InlineData("1-2.")]
    [InlineData("1-2.0")]
    [InlineData("1-256")]
    [InlineData("1-1.2.3.4.5.6.7.8")]
    [InlineData("a-1")]
    [InlineData("1- 2")]
    public void A_text_that_is_no_port_path_is_refused(string text) => Assert.False(UsbPortPath.TryParse(text, out _));

    private static bool Throws<TException>(Action action)
        where TException : Exception
    {
        try
        {
            action();
            return false;
        }
        catch (TException)
        {
            return true;
        }
    }

    /// <summary>Represents an endpoint that stores the data of OUT transfers, and returns two bytes for each IN transfer.</summary>
    private sealed class Answering(byte address) : VirtualEndpoint(address)
    {
        public byte[]? Last { get; private set; }

        protected override void OnSubmit(VirtualUrb urb)
        {
            if (urb.IsIn)
            {
                urb.CompleteWith([5, 6]);
                return;
            }

            Last = urb.Buffer.ToArray();
            urb.Accept();
        }
    }
}
