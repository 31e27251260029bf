using System.Text;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

public sealed unsafe class EnumerationTests
{
    private static readonly byte[] s_classDescriptor = [5, 0x24, 1, 2, 3], s_endpointExtra = [4, 0x25, 9, 8];

    /// <summary>Returns a device that has every kind of descriptor.</summary>
    private static VirtualDevice Composite(VirtualSpeed speed) => new(new DeviceDescription
    {
        Speed = speed,
        VendorId = 0xabcd,
        ProductId = 0x1234,
        Release = 0x0321,
        Class = 0xef,
        Subclass = 2,
        Protocol = 1,
        Manufacturer = "Maker",
        Product = new UsbText("Gerät ✓") { [0x0407] = "Deutsch" },
        SerialNumber = "0001",
        Languages = [0x0409, 0x0407],
        Capabilities = [DeviceCapability.Usb20Extension(2), DeviceCapability.SuperSpeed(), DeviceCapability.ContainerId(new Guid("00112233-4455-6677-8899-aabbccddeeff"))],
        Configurations =
        [
            new ConfigurationDescription(
                new InterfaceDescription(0,
                    new AlternateSetting { Class = 14, Subclass = 1, Name = "Zero", Extra = s_classDescriptor },
                    new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Isochronous, 1024) { Burst = 16, BurstsPerInterval = 3, PacketsPerMicroframe = 3, SyncAndUsage = 4 }) { Class = 14, Subclass = 2 }),
                new InterfaceDescription(1, new AlternateSetting(
                    new EndpointDescription(0x02, EndpointKind.Bulk, speed >= VirtualSpeed.Super ? 1024 : 512) { Extra = s_endpointExtra, MaxStreamsExponent = 3 },
                    new EndpointDescription(0x83, EndpointKind.Interrupt, 64) { Interval = 5 })))
            {
                Name = "First",
                SelfPowered = true,
                MaxPowerMilliamps = 96,
                Associations = [new InterfaceAssociation(0, 2, 14, 3)],
            },
            new ConfigurationDescription(new InterfaceDescription(7, new AlternateSetting())) { Value = 9, RemoteWakeup = true },
        ],
    });

    [BusFact]
    public void Descriptors_are_those_of_the_description()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = Composite(VirtualSpeed.Super);
        using RawHost host = new(device);
        libusb_device* found = host.Find(device);
        libusb_device_descriptor d;
        RawHost.Check(libusb_get_device_descriptor(found, &d));
        Assert.Equal((0xabcd, 0x1234, 0x0321, 0x0300), (d.idVendor, d.idProduct, d.bcdDevice, d.bcdUSB));
        Assert.Equal((0xef, 2, 1, 9, 2), (d.bDeviceClass, d.bDeviceSubClass, d.bDeviceProtocol, d.bMaxPacketSize0, d.bNumConfigurations));
        Assert.Equal((int)libusb_speed.LIBUSB_SPEED_SUPER, libusb_get_device_speed(found));

        libusb_config_descriptor* c;
        RawHost.Check(libusb_get_active_config_descriptor(found, &c));
        Assert.Equal((2, 1, 0xc0, 12), (c->bNumInterfaces, c->bConfigurationValue, c->bmAttributes, c->MaxPower));
        Assert.Equal(2, c->@interface[0].num_altsetting);
        libusb_interface_descriptor* zero = &c->@interface[0].altsetting[0];
        Assert.Equal((14, 1, 0, 0), (zero->bInterfaceClass, zero->bInterfaceSubClass, zero->bNumEndpoints, zero->bAlternateSetting));
        Assert.Equal(s_classDescriptor, new Span<byte>(zero->extra, zero->extra_length).ToArray());
        libusb_endpoint_descriptor* iso = c->@interface[0].altsetting[1].endpoint;
        Assert.Equal((0x81, 5, 1024, 1), (iso->bEndpointAddress, iso->bmAttributes, iso->wMaxPacketSize, iso->bInterval));
        libusb_ss_endpoint_companion_descriptor* companion;
        RawHost.Check(libusb_get_ss_endpoint_companion_descriptor(host.Context, iso, &companion));
        Assert.Equal((15, 2, 49152), (companion->bMaxBurst, companion->bmAttributes, companion->wBytesPerInterval));
        libusb_free_ss_endpoint_companion_descriptor(companion);
        libusb_endpoint_descriptor* bulk = c->@interface[1].altsetting[0].endpoint;
        RawHost.Check(libusb_get_ss_endpoint_companion_descriptor(host.Context, bulk, &companion));
        Assert.Equal((0, 3, 0), (companion->bMaxBurst, companion->bmAttributes, companion->wBytesPerInterval));
        libusb_free_ss_endpoint_companion_descriptor(companion);
        Assert.True(new Span<byte>(bulk->extra, bulk->extra_length).IndexOf(s_endpointExtra) >= 0);
        Assert.Equal((0x83, 3, 64, 5), (bulk[1].bEndpointAddress, bulk[1].bmAttributes, bulk[1].wMaxPacketSize, bulk[1].bInterval));
        // libusb 1.0.26 leaves the interface association among the extra bytes of the configuration.
        Assert.Equal(new byte[] { 8, 11, 0, 2, 14, 3, 0, 0 }, new Span<byte>(c->extra, c->extra_length).ToArray());
        libusb_free_config_descriptor(c);

        RawHost.Check(libusb_get_config_descriptor_by_value(found, 9, &c));
        Assert.Equal((1, 0xa0), (c->bNumInterfaces, c->bmAttributes));
        Assert.Equal(7, c->@interface[0].altsetting[0].bInterfaceNumber);
        libusb_free_config_descriptor(c);
        libusb_unref_device(found);
    }

    [BusFact]
    public void The_packet_size_holds_the_transactions_per_microframe_at_high_speed()
    {
        VirtualDevice device = Composite(VirtualSpeed.High);
        using RawHost host = new(device);
        libusb_device* found = host.Find(device);
        Assert.Equal(0x1400, libusb_get_max_packet_size(found, 0x81));
        Assert.Equal(3072, libusb_get_max_iso_packet_size(found, 0x81));
        Assert.Equal((int)libusb_speed.LIBUSB_SPEED_HIGH, libusb_get_device_speed(found));
        libusb_unref_device(found);
    }

    [BusFact]
    public void Strings_come_in_every_language()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = Composite(VirtualSpeed.High);
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device, claim: -1);
        byte* buffer = stackalloc byte[255];
        int length = libusb_get_string_descriptor(handle, 0, 0, buffer, 255);
        Assert.Equal(new byte[] { 6, 3, 9, 4, 7, 4 }, new Span<byte>(buffer, length).ToArray());
        Assert.Equal("Gerät ✓", Text(handle, 2, 0x0409));
        Assert.Equal("Deutsch", Text(handle, 2, 0x0407));
        Assert.Equal("Maker", Text(handle, 1, 0x0407));
        Assert.Equal("First", Text(handle, 4, 0x0409));
        Assert.Equal("Zero", Text(handle, 5, 0x0409));
        length = libusb_get_string_descriptor_ascii(handle, 3, buffer, 255);
        Assert.Equal("0001", Encoding.ASCII.GetString(buffer, length));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_PIPE, libusb_get_string_descriptor(handle, 77, 0x0409, buffer, 255));
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_PIPE, libusb_get_string_descriptor(handle, 1, 0x040c, buffer, 255));

        string Text(libusb_device_handle* h, byte index, ushort language)
        {
            byte* text = stackalloc byte[255];
            int count = libusb_get_string_descriptor(h, index, language, text, 255);
            RawHost.Check(count);
            return Encoding.Unicode.GetString(text + 2, count - 2);
        }
    }

    [BusFact]
    public void The_BOS_has_its_capabilities()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = Composite(VirtualSpeed.Super);
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device, claim: -1);
        libusb_bos_descriptor* bos;
        RawHost.Check(libusb_get_bos_descriptor(handle, &bos));
        Assert.Equal(3, bos->bNumDeviceCaps);
        libusb_container_id_descriptor* container;
        RawHost.Check(libusb_get_container_id_descriptor(host.Context, bos->dev_capability[2], &container));
        Assert.Equal(new Guid("00112233-4455-6677-8899-aabbccddeeff").ToByteArray(), new Span<byte>((byte*)container + 4, 16).ToArray());
        libusb_free_container_id_descriptor(container);
        libusb_free_bos_descriptor(bos);
    }

    [PreloadOnly(KernelLimits.Hubs)]
    [BusFact]
    public void Ports_and_parents_are_those_of_the_topology()
    {
        using RawHost host = new();
        VirtualHub hub = new(), inner = new();
        BulkLoopback deep = new(), other = new(new BulkLoopbackOptions { Speed = VirtualSpeed.Super });
        host.Bus.Attach(hub, "1-3");
        host.Bus.Attach(inner, "1-3.2");
        host.Bus.Attach(deep, "1-3.2.4");
        host.Bus.Attach(other, "5-1");
        host.Poll();
        libusb_device** list;
        int count = (int)libusb_get_device_list(host.Context, &list);
        Assert.Equal(6, count); // two root hubs, two hubs, two devices
        libusb_device* found = host.Find(deep);
        byte* ports = stackalloc byte[8];
        Assert.Equal(3, libusb_get_port_numbers(found, ports, 8));
        Assert.Equal(new byte[] { 3, 2, 4 }, new Span<byte>(ports, 3).ToArray());
        Assert.Equal(4, libusb_get_port_number(found));
        libusb_device* parent = libusb_get_parent(found);
        Assert.Equal(inner.DeviceNumber, libusb_get_device_address(parent));
        libusb_device* root = libusb_get_parent(libusb_get_parent(parent));
        Assert.Equal((1, 1), (libusb_get_bus_number(root), libusb_get_device_address(root)));
        Assert.True(libusb_get_parent(root) == null);
        libusb_unref_device(found);
        libusb_free_device_list(list, 1);
        found = host.Find(other);
        Assert.Equal(5, libusb_get_bus_number(found));
        libusb_unref_device(found);
        Assert.Throws<InvalidOperationException>(() => host.Bus.Attach(new BulkLoopback(), "1-3.2.4"));
        Assert.Throws<InvalidOperationException>(() => host.Bus.Attach(new BulkLoopback(), "1-7.1"));
        Assert.Throws<ArgumentException>(() => host.Bus.Attach(new BulkLoopback(), "usb3"));
    }

    [BusFact]
    public void A_process_has_one_bus_at_a_time()
    {
        using VirtualBus bus = TestBus.Create();
        Assert.Throws<InvalidOperationException>(() => new VirtualBus());
    }

    [BusFact]
    public void Wrapping_a_descriptor_gives_a_handle_without_enumeration()
    {
        using Watchdog watchdog = new();
        BulkLoopback loopback = new();
        using RawHost host = new(loopback);
        // The preload library also handles this call of C's open function, as it does in a program.
        using Microsoft.Win32.SafeHandles.SafeFileHandle node = File.OpenHandle($"/dev/bus/usb/{loopback.BusNumber:d3}/{loopback.DeviceNumber:d3}", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        libusb_device_handle* handle;
        RawHost.Check(libusb_wrap_sys_device(host.Context, node.DangerousGetHandle(), &handle));
        libusb_device_descriptor d;
        RawHost.Check(libusb_get_device_descriptor(libusb_get_device(handle), &d));
        Assert.Equal(0x0011, d.idProduct);
        Assert.Equal((int)libusb_speed.LIBUSB_SPEED_HIGH, libusb_get_device_speed(libusb_get_device(handle)));
        RawHost.Check(libusb_claim_interface(handle, 0));
        byte* data = stackalloc byte[512];
        int count;
        RawHost.Check(libusb_bulk_transfer(handle, 2, data, 5, &count, 0));
        RawHost.Check(libusb_bulk_transfer(handle, 0x82, data, 512, &count, 0));
        Assert.Equal(5, count);
        libusb_close(handle);
    }

    [PreloadOnly(KernelLimits.Permission)]
    [BusFact]
    public void Permission_can_be_refused()
    {
        BulkLoopback loopback = new() { DenyAccess = true };
        using RawHost host = new(loopback);
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_ACCESS, host.TryOpen(loopback, out _));
        loopback.DenyAccess = false;
        Assert.Equal(0, host.TryOpen(loopback, out _));
    }
}
