using Native.LibUsb.Interop;
using Native.LibUsb.Testing;
using static Native.LibUsb.Interop.libusb;

namespace Native.LibUsb.Tests.Bus;

/// <summary>
/// Tests descriptors that a device specifies as raw bytes. The device and the system must return these bytes unchanged, even if they are not valid.
/// </summary>
public sealed unsafe class RawDescriptorTests
{
    private const byte Configuration = 2, Text = 3, Bos = 15;

    // This configuration has one interface with a bulk endpoint in each direction.
    private static readonly byte[] s_consistent =
    [
        9, 2, 32, 0, 1, 1, 0, 0x80, 50,
        9, 4, 0, 0, 2, 0xff, 0, 0, 0,
        7, 5, 0x02, 2, 0, 2, 0,
        7, 5, 0x82, 2, 0, 2, 0,
    ];

    [BusFact]
    public void The_interfaces_in_the_bytes_can_be_claimed_and_used()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = new(new DeviceDescription { Configurations = [ConfigurationDescription.Raw(s_consistent)] });
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device);
        Assert.Equal(s_consistent, Ask(handle, Configuration, 0));
        using RawTransfer transfer = RawTransfer.Bulk(host, handle, 0x82, 512).Submit();
        Assert.True(device.Endpoint(0x82).WaitForPending(1, TimeSpan.FromSeconds(30)));
        lock (device.SyncRoot)
            device.Endpoint(0x82).Pending[0].CompleteWith([1, 2, 3]);
        transfer.Wait().Expect(libusb_transfer_status.LIBUSB_TRANSFER_COMPLETED, 3);
    }

    [PreloadOnly(KernelLimits.InconsistentDescriptors)]
    [BusFact]
    public void An_inconsistent_configuration_is_returned_unchanged()
    {
        using Watchdog watchdog = new();
        byte[] tooLong = [.. s_consistent], tooManyInterfaces = [.. s_consistent], cut = s_consistent[..^3], liar = [.. s_consistent[..18], 200, 0x24, 1, 2];
        tooLong[2] = 200;
        tooManyInterfaces[4] = 7;
        foreach (byte[] bytes in new[] { tooLong, tooManyInterfaces, cut, liar, [9, 2, 9], [] })
        {
            VirtualDevice device = new(new DeviceDescription { Configurations = [ConfigurationDescription.Raw(bytes)] });
            using RawHost host = new(device);
            Assert.Equal(bytes, ReadSystemFile(host, device, "descriptors")[18..]);
            if (bytes.Length >= 18) // libusb lists the device
                Assert.Equal(bytes, Ask(host.Open(device, claim: -1), Configuration, 0));
        }
    }

    [Fact]
    public void Interfaces_are_read_until_a_descriptor_does_not_fit()
    {
        byte[] second = [9, 4, 3, 2, 1, 1, 2, 0, 0, 9, 5, 0x84, 1, 0, 0x14, 1, 0, 0], outside = [9, 4, 40, 0, 0, 0, 0, 0, 0, 7, 5, 0x85, 2, 0, 2, 0];
        ConfigurationDescription read = ConfigurationDescription.Raw((byte[])[.. s_consistent, .. second, .. outside, 0, 4, 9, 4, 5, 0, 0, 0, 0, 0, 0]);
        Assert.Equal("0,3", string.Join(',', read.Interfaces.Select(i => i.Number)));
        Assert.Equal("0x02,0x82", string.Join(',', read.Interfaces[0].AlternateSettings[0].Endpoints.Select(e => $"0x{e.Address:x2}")));
        Assert.Equal("0,0,1", string.Join(',', read.Interfaces[1].AlternateSettings.Select(s => s.Endpoints.Count))); // the bytes have only setting 2 of this interface
        EndpointDescription endpoint = read.Interfaces[1].AlternateSettings[2].Endpoints[0];
        Assert.Equal((EndpointKind.Isochronous, 1024, 3), (endpoint.Kind, endpoint.MaxPacketSize, endpoint.PacketsPerMicroframe));
    }

    [PreloadOnly(KernelLimits.InconsistentDescriptors)]
    [BusFact]
    public void An_inconsistent_BOS_is_returned_unchanged()
    {
        using Watchdog watchdog = new();
        byte[] bytes = [5, 15, 99, 0, 4, 7, 16, 2, 2, 0, 0, 0, 50, 16, 4, 1];
        VirtualDevice device = new(new DeviceDescription { RawBos = bytes });
        using RawHost host = new(device);
        Assert.Equal(bytes, Ask(host.Open(device, claim: -1), Bos, 0));
    }

    [BusTheory]
    [InlineData("0A0341004200430000000000", "ABC")] // the length is two bytes short, and NULs follow the text
    [InlineData("0C03410042004300000000000000", "ABC")]
    [InlineData("0803410000D84200", "AB")] // an unpaired surrogate
    [InlineData("0903410000DC3DD8A5", "A")] // an odd length after unpaired surrogates
    [InlineData("08033DD8A5DC4100", "\U0001F4A5A")]
    [InlineData("FE0341004200", "AB")] // a length that is far too large
    [InlineData("0203", null)]
    [InlineData("0604410042", null)] // a descriptor of another type
    public void A_string_is_returned_unchanged_and_shown_as_the_kernel_shows_it(string descriptor, string? shown)
    {
        using Watchdog watchdog = new();
        byte[] bytes = Convert.FromHexString(descriptor);
        VirtualDevice device = new(new DeviceDescription { SerialNumber = UsbText.Raw(bytes) });
        using RawHost host = new(device);
        Assert.Equal(bytes, Ask(host.Open(device, claim: -1), Text, 1));
        string file = SystemFile(host, device, "serial");
        Assert.Equal(shown, File.Exists(file) ? File.ReadAllText(file).TrimEnd('\n') : null);
    }

    [BusFact]
    public void A_text_keeps_its_code_units()
    {
        using Watchdog watchdog = new();
        VirtualDevice device = new(new DeviceDescription { Product = "x\ud800y\0z" });
        using RawHost host = new(device);
        Assert.Equal((byte[])[12, 3, (byte)'x', 0, 0, 0xd8, (byte)'y', 0, 0, 0, (byte)'z', 0], Ask(host.Open(device, claim: -1), Text, 1));
        Assert.Equal("xy\n", File.ReadAllText(SystemFile(host, device, "product")));
    }

    [BusFact]
    public void Strings_may_have_any_index_and_the_list_of_languages_any_bytes()
    {
        using Watchdog watchdog = new();
        byte[] far = [4, 3, 90, 0], languages = [6, 3, 9, 4, 7];
        VirtualDevice device = new(new DeviceDescription
        {
            Product = "first",
            RawStrings = new Dictionary<byte, ReadOnlyMemory<byte>> { [0] = languages, [77] = far },
        });
        using RawHost host = new(device);
        libusb_device_handle* handle = host.Open(device, claim: -1);
        Assert.Equal(languages, Ask(handle, Text, 0));
        Assert.Equal(far, Ask(handle, Text, 77));
        Assert.Equal(12, Ask(handle, Text, 1).Length);
    }

    [PreloadOnly(KernelLimits.InconsistentDescriptors)]
    [BusFact]
    public void The_device_descriptor_may_contradict_the_device()
    {
        using Watchdog watchdog = new();
        byte[] bytes = [18, 1, 0, 2, 1, 2, 3, 64, 0xcd, 0xab, 0x34, 0x12, 0x21, 0x03, 0, 9, 0, 1];
        VirtualDevice device = new(new DeviceDescription { Manufacturer = "Maker", RawDevice = bytes });
        using RawHost host = new(device);
        Assert.Equal(bytes, ReadSystemFile(host, device, "descriptors")[..18]);
        Assert.Equal("abcd\n", File.ReadAllText(SystemFile(host, device, "idVendor")));
        libusb_device* found = host.Find(device);
        libusb_device_descriptor d;
        RawHost.Check(libusb_get_device_descriptor(found, &d));
        Assert.Equal((0xabcd, 0x1234, 9), (d.idVendor, d.idProduct, d.iProduct));
        libusb_unref_device(found);
        Assert.Throws<ArgumentException>(() => new VirtualDevice(new DeviceDescription { RawDevice = bytes.AsMemory(0, 17) }));
    }

    private static byte[] Ask(libusb_device_handle* handle, byte type, byte index)
    {
        byte* data = stackalloc byte[255];
        int length = libusb_control_transfer(handle, 0x80, 6, (ushort)((type << 8) | index), (ushort)(type == Text && index > 0 ? 0x0409 : 0), data, 255, 10_000);
        RawHost.Check(length);
        return new Span<byte>(data, length).ToArray();
    }

    private static byte[] ReadSystemFile(RawHost host, VirtualDevice device, string name) => File.ReadAllBytes(SystemFile(host, device, name));

    private static string SystemFile(RawHost host, VirtualDevice device, string name) => Path.Combine(host.Bus.RootDirectory, "sys/bus/usb/devices", device.PortPath!, name);
}
