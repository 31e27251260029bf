using System.Text.Json;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Usbcap;

public sealed class ListTests : UsbcapTest
{
    [BusFact]
    public void Every_device_has_a_line_also_one_that_cannot_be_opened()
    {
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM1" });
        var denied = new BulkLoopback { DenyAccess = true };
        Bus.Attach(denied);
        string[] lines = Run("list").Succeeded().OutputText.TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length); // with the root hub
        Assert.Equal("1-1      002 1209:0010 High   Native.LibUsb Isochronous source serial CAM1", lines[1]);
        Assert.Equal("1-2      003 1209:0011 High   (strings not readable: no permission)", lines[2]);
    }

    [BusFact]
    public void Verbose_shows_the_endpoints()
    {
        AttachCamera();
        string text = Run("list", "--verbose", "--product", "0010").Succeeded().OutputText;
        Assert.Contains("interface 0 alternate setting 4", text);
        Assert.Contains("endpoint 0x81 isochronous IN, packets of 1024 bytes, 3072 bytes every 125 us", text);
    }

    [BusFact]
    public void Json_has_everything()
    {
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM1" });
        JsonElement camera = Run("list", "--json", "--serial", "CAM1").Succeeded().Json().EnumerateArray().Single();
        Assert.Equal("1-1", camera.GetProperty("port").GetString());
        Assert.Equal("1209", camera.GetProperty("vendor").GetString());
        Assert.Equal("CAM1", camera.GetProperty("serialNumber").GetString());
        JsonElement setting = camera.GetProperty("configurations")[0].GetProperty("alternateSettings")[4];
        Assert.Equal(4, setting.GetProperty("alternateSetting").GetInt32());
        Assert.Equal(3072, setting.GetProperty("endpoints")[0].GetProperty("bytesPerInterval").GetInt32());
    }

    [BusFact]
    public void A_selection_that_fits_nothing_is_an_error()
    {
        AttachCamera();
        Run("list", "--vendor", "4711").Failed(3);
    }

    [BusFact]
    public void No_devices_are_an_empty_list()
    {
        _ = Bus;
        Assert.Equal("", Run("list").Succeeded().OutputText);
        Assert.Empty(Run("list", "--json").Succeeded().Json().EnumerateArray());
    }

    // For the interface with malformed descriptors, libusb returns a number of endpoints and no array of endpoints.
    [BusFact]
    public void A_device_with_malformed_descriptors_hides_no_other()
    {
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM1" });
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                    new EndpointDescription(0x81, EndpointKind.Bulk, 512), new EndpointDescription(0x02, EndpointKind.Bulk, 512))
                { Extra = new byte[] { 200, 0x24, 1, 2 } })),
            ],
        }));
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM2" });
        string text = Run("list", "--verbose").Succeeded().OutputText;
        Assert.Contains("serial CAM1", text);
        Assert.Contains("1209:0001", text);
        Assert.Contains("serial CAM2", text);
        JsonElement[] devices = [.. Run("list", "--json").Succeeded().Json().EnumerateArray()];
        Assert.Equal(4, devices.Length); // with the root hub
        Assert.Equal("CAM2", Run("list", "--json", "--serial", "CAM2").Succeeded().Json().EnumerateArray().Single().GetProperty("serialNumber").GetString());
    }

    [BusFact]
    public void A_configuration_that_cannot_be_read_is_named()
    {
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM1" });
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Configurations = [new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting())) { Extra = new byte[] { 1, 0x24 } }],
        }));
        string text = Run("list", "--verbose").Succeeded().OutputText;
        Assert.Contains("serial CAM1", text);
        Assert.Contains("configuration at index 0 not readable: IO", text);
        JsonElement unreadable = Run("list", "--json", "--product", "0001", "--vendor", "1209").Succeeded().Json().EnumerateArray().Single()
            .GetProperty("configurationsNotReadable")[0];
        Assert.Equal(0, unreadable.GetProperty("index").GetInt32());
        Assert.Equal("IO", unreadable.GetProperty("error").GetString());
    }

    [BusFact]
    public void A_padded_serial_number_is_shown_and_found_without_its_padding()
    {
        Bus.Attach(new BulkLoopback(new BulkLoopbackOptions { SerialNumber = "ABC\0\0\0" }));
        Assert.EndsWith(" serial ABC", Run("list", "--serial", "ABC").Succeeded().OutputText.TrimEnd());
    }
}
