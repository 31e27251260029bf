using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Facade;

/// <summary>Tests string descriptors that a device has padded, truncated or filled with invalid text.</summary>
public sealed class PaddedStringTests : BusTest
{
    private const byte RawIndex = 200;

    [BusFact]
    public void The_padding_of_a_string_is_no_part_of_it()
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "ABC\0\0\0" }));
        using UsbDevice device = Context.FindDevice(0x1209, 0x0011)!;
        using UsbDeviceHandle handle = device.Open();
        Assert.Equal("ABC", handle.GetString(device.Descriptor.SerialNumberIndex));
        Assert.Equal(UsbError.Success, handle.TryGetString(device.Descriptor.SerialNumberIndex, out string? text));
        Assert.Equal("ABC", text);
        Assert.Equal(UsbError.Success, device.TryGetString(UsbDeviceString.SerialNumber, out text));
        Assert.Equal("ABC", text);
    }

    [BusFact]
    public void A_padded_serial_number_fits_a_filter_without_padding()
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "ABCD" }));
        var padded = new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "ABC\0\0\0" });
        Bus.Attach(padded);
        using UsbDevice? found = Context.FindDevice(new UsbDeviceFilter { SerialNumber = "ABC" });
        Assert.NotNull(found);
        Assert.Equal(padded.DeviceNumber, found.Address);
    }

    [BusTheory]
    [InlineData(new byte[] { 8, 3, 65, 0, 66, 0, 0, 0 }, "AB")]
    [InlineData(new byte[] { 10, 3, 65, 0, 0, 0, 66, 0, 0, 0 }, "A\0B")] // only NULs at the end are padding
    [InlineData(new byte[] { 8, 3, 0, 0, 65, 0, 66, 0 }, "\0AB")]
    [InlineData(new byte[] { 6, 3, 0, 0, 0, 0 }, "")]
    [InlineData(new byte[] { 2, 3 }, "")]
    [InlineData(new byte[] { 3, 3, 65 }, "")] // half a character
    [InlineData(new byte[] { 7, 3, 65, 0, 66, 0, 67 }, "AB")]
    [InlineData(new byte[] { 7, 3, 65, 0, 0, 0, 0 }, "A")]
    [InlineData(new byte[] { 6, 3, 65, 0, 0x3d, 0xd8 }, "A\ufffd")] // an unpaired high surrogate
    [InlineData(new byte[] { 8, 3, 0x00, 0xde, 65, 0, 0, 0 }, "\ufffdA")] // an unpaired low surrogate
    [InlineData(new byte[] { 6, 3, 0x3d, 0xd8, 0x00, 0xde }, "\U0001F600")]
    [InlineData(new byte[] { 4, 3, 65, 0, 66, 0 }, "A")] // more bytes than the length field counts
    public void A_string_is_read_as_far_as_it_is_text(byte[] descriptor, string expected)
    {
        using UsbDeviceHandle handle = OpenWith(descriptor);
        Assert.Equal(expected, handle.GetString(RawIndex, 0x0409));
    }

    [BusTheory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 2 })]
    [InlineData(new byte[] { 0, 3 })]
    [InlineData(new byte[] { 1, 3, 65 })]
    [InlineData(new byte[] { 4, 2, 65, 0 })]
    [InlineData(new byte[] { 8, 3, 65, 0 })]
    public void A_descriptor_that_is_no_string_descriptor_is_an_error(byte[] descriptor)
    {
        using UsbDeviceHandle handle = OpenWith(descriptor);
        Assert.Equal(UsbError.IO, handle.TryGetString(RawIndex, out string? text, 0x0409));
        Assert.Null(text);
        Assert.Equal(UsbError.IO, Assert.Throws<UsbException>(() => handle.GetString(RawIndex, 0x0409)).Error);
    }

    private UsbDeviceHandle OpenWith(byte[] stringDescriptor) => Open(new BulkLoopback
    {
        ControlHandler = urb =>
        {
            if ((urb.Setup.Request, urb.Setup.Value) != (6, 0x0300 | RawIndex))
                return false;
            urb.CompleteWith(stringDescriptor);
            return true;
        },
    });
}
