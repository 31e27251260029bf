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
}
