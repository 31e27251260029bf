using System.Collections.Concurrent;
using System.Text;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Library;

/// <summary>Tests functions that concern libusb as a whole, and functions of contexts.</summary>
public sealed class LibUsbTests : BusTest
{
    [BusFact]
    public void The_version_is_libusbs()
    {
        UsbLibraryVersion version = UsbLibrary.Version;
        Assert.Equal(1, version.Major);
        Assert.Equal(0, version.Minor);
        Assert.True(version.Micro >= 26);
        Assert.StartsWith($"1.0.{version.Micro}.", version.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(version.Description);
        Assert.True(version <= UsbLibrary.Version && version >= UsbLibrary.Version);
        Assert.False(version < UsbLibrary.Version || version > UsbLibrary.Version);
    }

    [BusFact]
    public void Capabilities_are_libusbs()
    {
        Assert.True(UsbLibrary.HasCapability(UsbCapability.HasCapability));
        Assert.True(UsbLibrary.HasCapability(UsbCapability.Hotplug));
        Assert.True(UsbLibrary.HasCapability(UsbCapability.DetachKernelDriver));
        Assert.False(UsbLibrary.HasCapability((UsbCapability)0x7777));
    }

    [BusFact]
    public void Messages_come_in_the_language_that_was_chosen()
    {
        try
        {
            string english = UsbLibrary.GetErrorMessage(UsbError.Pipe);
            UsbLibrary.SetLocale("fr");
            Assert.NotEqual(english, UsbLibrary.GetErrorMessage(UsbError.Pipe));
            Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => UsbLibrary.SetLocale("xx")).Error);
            Assert.Throws<ArgumentException>(() => UsbLibrary.SetLocale("ü"));
            Assert.Throws<ArgumentException>(() => UsbLibrary.SetLocale(""));
        }
        finally
        {
            UsbLibrary.SetLocale("en");
        }
    }

    [BusFact]
    public void Log_messages_reach_the_context_and_the_process()
    {
        var ofContext = new ConcurrentBag<string>();
        var ofProcess = new ConcurrentBag<string>();
        UsbLibrary.SetLogHandler((_, message) => ofProcess.Add(Encoding.UTF8.GetString(message)));
        try
        {
            using var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
            context.SetLogHandler((level, message) =>
            {
                if (level == UsbLogLevel.Debug)
                    ofContext.Add(Encoding.UTF8.GetString(message));
                throw new InvalidDataException("dropped: the exception must not cross libusb's frames");
            });
            context.GetDevices().Dispose();
            Assert.NotEmpty(ofContext);
            Assert.NotEmpty(ofProcess);
            Assert.All(ofContext, message => Assert.DoesNotContain('\n', message));
            context.SetLogHandler(null);
            int before = ofContext.Count;
            context.GetDevices().Dispose();
            Assert.Equal(before, ofContext.Count);
            context.SetLogLevel(UsbLogLevel.None);
        }
        finally
        {
            UsbLibrary.SetLogHandler(null);
        }
    }

    [PreloadOnly(KernelLimits.Hubs)]
    [BusFact]
    public void A_hub_is_the_parent_of_a_device_plugged_into_it()
    {
        Bus.Attach(new VirtualHub(), "1-2");
        Bus.Attach(new BulkLoopback(), "1-2.3");
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        Assert.Equal("1-2.3", device.PortPath.ToString());
        Assert.Equal(3, device.PortNumber);
        using UsbDevice hub = device.GetParent()!;
        Assert.Equal("1-2", hub.PortPath.ToString());
        using UsbDevice root = hub.GetParent()!;
        Assert.Equal("1-0", root.PortPath.ToString());
        Assert.Null(root.GetParent());
    }

    [BusFact]
    public void Packet_sizes_are_returned_by_endpoint_and_by_setting()
    {
        Bus.Attach(new IsoSource());
        using UsbDevice device = Context.FindDevice(0x1209, 0x0010)!;
        Assert.Equal(512, device.GetMaxPacketSize(0x81));
        Assert.Equal(512, device.GetMaxIsoPacketSize(0x81)); // libusb returns the packet size of the first setting that has the endpoint
        Assert.Equal(3072, device.GetMaxAlternatePacketSize(0, 4, 0x81));
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxAlternatePacketSize(0, 0, 0x81)).Error);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxAlternatePacketSize(0, 5, 0x81)).Error);
        Assert.Equal(UsbError.NotFound, Assert.Throws<UsbException>(() => device.GetMaxPacketSize(0x02)).Error);
        Assert.Throws<ArgumentOutOfRangeException>(() => device.GetMaxIsoPacketSize(0x70));
    }

    [BusFact]
    public void Strings_are_read_from_a_device_that_is_not_open()
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "S1" }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        Assert.Equal(UsbError.Success, device.TryGetString(UsbDeviceString.SerialNumber, out string? serial));
        Assert.Equal("S1", serial);
        Assert.Equal(UsbError.Success, device.TryGetString(UsbDeviceString.Manufacturer, out string? maker));
        Assert.Equal("Native.LibUsb", maker);
        Assert.Throws<ArgumentOutOfRangeException>(() => device.TryGetString((UsbDeviceString)9, out _));
        var nameless = new InterruptSource();
        Bus.Attach(nameless);
        using UsbDevice other = Context.FindDevice(0x1209, 0x0012)!;
        Assert.Equal(UsbError.NotFound, other.TryGetString(UsbDeviceString.SerialNumber, out string? none));
        Assert.Null(none);
    }

    [BusFact]
    public void A_device_may_come_as_an_open_file()
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        string node = $"/dev/bus/usb/{loopback.BusNumber:D3}/{loopback.DeviceNumber:D3}";
        UsbDeviceHandle handle;
        using (Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(node, FileMode.Open, FileAccess.ReadWrite))
            handle = Context.WrapSystemDevice(file); // the file is disposed here, and the handle keeps the descriptor open
        using (handle)
        {
            Assert.Equal(0x0011, handle.Device.ProductId);
            using UsbInterface claim = handle.ClaimInterface(0);
            handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
            byte[] buffer = new byte[512];
            Assert.Equal(3, handle.At(BulkLoopback.InAddress).Read(buffer, Patience));
        }

        using Microsoft.Win32.SafeHandles.SafeFileHandle nothing = File.OpenHandle(Environment.ProcessPath!);
        Assert.Equal(UsbError.IO, Assert.Throws<UsbException>(() => Context.WrapSystemDevice(nothing)).Error);
    }
}
