using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Descriptors;

/// <summary>Tests that the library returns strings of any script unchanged.</summary>
public sealed class StringTests : BusTest
{
    [BusTheory]
    [InlineData("Größe 1")]
    [InlineData("测试 Ω é")]
    [InlineData("one 🎥 of two 16-bit units")]
    [InlineData("a?b")]
    public void A_string_is_read_as_the_device_has_it(string text)
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { SerialNumber = text }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = device.Open();
        Assert.Equal(text, handle.GetString(device.Descriptor.SerialNumberIndex));
        Assert.Equal(text, handle.GetString(device.Descriptor.SerialNumberIndex, 0x0409));
        Assert.Equal(UsbError.Success, device.TryGetString(UsbDeviceString.SerialNumber, out string? ofDevice)); // libusb gets the string from the system, or opens the device to read it
        Assert.Equal(text, ofDevice);
        using UsbDevice? found = Context.FindDevice(new UsbDeviceFilter { SerialNumber = text });
        Assert.Equal(device, found);
    }
}
