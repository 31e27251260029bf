using System.Globalization;
using System.Text.Json;
using Native.LibUsb;

namespace Usbcap.Reporting;

/// <summary>Represents the entry of one device in the list.</summary>
internal sealed class DeviceReport
{
    private readonly UsbDevice _device;
    private readonly List<UsbConfigurationDescriptor> _configurations = [];
    private readonly List<(int Index, UsbError Error)> _unreadableConfigurations = [];

    private DeviceReport(UsbDevice device) => _device = device;

    private string? Manufacturer { get; set; }

    private string? Product { get; set; }

    private string? SerialNumber { get; set; }

    /// <summary>Gets or sets the reason why the strings could not be read. Null if they could be read.</summary>
    private string? Unreadable { get; set; }

    /// <summary>Creates the report of a device. If the device cannot be opened, the report has no strings.</summary>
    public static DeviceReport Of(UsbDevice device)
    {
        var report = new DeviceReport(device);
        report.ReadConfigurations();
        report.ReadStrings();
        return report;
    }

    public void WriteText(TextWriter writer, bool verbose)
    {
        UsbDevice device = _device;
        CultureInfo c = CultureInfo.InvariantCulture;
        writer.Write(string.Create(c, $"{device.PortPath,-8} {device.Address:D3} {device.VendorId:x4}:{device.ProductId:x4} {device.Speed,-6}"));
        string strings = string.Join(' ', new[] { Manufacturer, Product }.Where(text => !string.IsNullOrEmpty(text)));
        if (strings.Length > 0)
            writer.Write($" {strings}");
        if (!string.IsNullOrEmpty(SerialNumber))
            writer.Write($" serial {SerialNumber}");
        if (Unreadable is not null)
            writer.Write($" (strings not readable: {Unreadable})");
        writer.WriteLine();
        if (!verbose)
            return;
        foreach (UsbConfigurationDescriptor configuration in _configurations)
            WriteConfiguration(writer, configuration);
        foreach ((int index, UsbError error) in _unreadableConfigurations)
            writer.WriteLine(string.Create(c, $"  configuration at index {index} not readable: {error}"));
    }

    public static void WriteJson(List<DeviceReport> reports, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartArray();
        foreach (DeviceReport report in reports)
            report.WriteJson(json);
        json.WriteEndArray();
        json.Flush();
        stream.Write("\n"u8);
    }

    private static void WriteConfiguration(TextWriter writer, UsbConfigurationDescriptor configuration)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        writer.WriteLine(string.Create(c, $"  configuration {configuration.Value}, {configuration.MaxPowerMilliamps} mA"));
        foreach (UsbInterfaceDescriptor setting in configuration.Interfaces.SelectMany(one => one.AlternateSettings))
        {
            writer.WriteLine(string.Create(c,
                $"    interface {setting.InterfaceNumber} alternate setting {setting.Number}, class {setting.Class:x2}.{setting.SubClass:x2}.{setting.Protocol:x2}"));
            foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
            {
                writer.Write(string.Create(c,
                    $"      endpoint 0x{endpoint.Address:x2} {endpoint.TransferType.Name()} {(endpoint.Direction == UsbDirection.In ? "IN" : "OUT")}, packets of {endpoint.MaxPacketSize} bytes"));
                if (endpoint.ServiceInterval > TimeSpan.Zero)
                    writer.Write(string.Create(c, $", {endpoint.BytesPerInterval} bytes every {endpoint.ServiceInterval.TotalMicroseconds} us"));
                writer.WriteLine();
            }
        }
    }

    private void WriteJson(Utf8JsonWriter json)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        UsbDeviceDescriptor descriptor = _device.Descriptor;
        json.WriteStartObject();
        json.WriteString("port", _device.PortPath.ToString());
        json.WriteNumber("bus", _device.BusNumber);
        json.WriteNumber("address", _device.Address);
        json.WriteString("vendor", _device.VendorId.ToString("x4", c));
        json.WriteString("product", _device.ProductId.ToString("x4", c));
        json.WriteString("speed", _device.Speed.ToString());
        json.WriteNumber("class", descriptor.DeviceClass);
        WriteOptional(json, "manufacturerName", Manufacturer);
        WriteOptional(json, "productName", Product);
        WriteOptional(json, "serialNumber", SerialNumber);
        WriteOptional(json, "stringsNotReadable", Unreadable);
        json.WriteStartArray("configurations");
        foreach (UsbConfigurationDescriptor configuration in _configurations)
        {
            json.WriteStartObject();
            json.WriteNumber("value", configuration.Value);
            json.WriteNumber("maxPowerMilliamps", configuration.MaxPowerMilliamps);
            json.WriteStartArray("alternateSettings");
            foreach (UsbInterfaceDescriptor setting in configuration.Interfaces.SelectMany(one => one.AlternateSettings))
                WriteSetting(json, setting);

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteUnreadable(json);
        json.WriteEndObject();
    }

    private void WriteUnreadable(Utf8JsonWriter json)
    {
        if (_unreadableConfigurations.Count == 0)
            return;
        json.WriteStartArray("configurationsNotReadable");
        foreach ((int index, UsbError error) in _unreadableConfigurations)
        {
            json.WriteStartObject();
            json.WriteNumber("index", index);
            json.WriteString("error", error.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSetting(Utf8JsonWriter json, UsbInterfaceDescriptor setting)
    {
        json.WriteStartObject();
        json.WriteNumber("interface", setting.InterfaceNumber);
        json.WriteNumber("alternateSetting", setting.Number);
        json.WriteNumber("class", setting.Class);
        json.WriteNumber("subClass", setting.SubClass);
        json.WriteNumber("protocol", setting.Protocol);
        json.WriteStartArray("endpoints");
        foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
        {
            json.WriteStartObject();
            json.WriteString("address", string.Create(CultureInfo.InvariantCulture, $"0x{endpoint.Address:x2}"));
            json.WriteString("type", endpoint.TransferType.Name());
            json.WriteString("direction", endpoint.Direction == UsbDirection.In ? "in" : "out");
            json.WriteNumber("maxPacketSize", endpoint.MaxPacketSize);
            json.WriteNumber("bytesPerInterval", endpoint.BytesPerInterval);
            json.WriteNumber("interval", endpoint.Interval);
            json.WriteNumber("serviceIntervalMicroseconds", endpoint.ServiceInterval.TotalMicroseconds);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteOptional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    private void ReadConfigurations()
    {
        for (int index = 0; index < _device.Descriptor.ConfigurationCount; index++)
        {
            try
            {
                _configurations.Add(_device.GetConfigurationDescriptor(index));
            }
            catch (UsbException e)
            {
                _unreadableConfigurations.Add((index, e.Error)); // a device with malformed descriptors is listed too
            }
        }
    }

    private void ReadStrings()
    {
        UsbDeviceDescriptor descriptor = _device.Descriptor;
        if (descriptor is { ManufacturerIndex: 0, ProductIndex: 0, SerialNumberIndex: 0 })
            return;
        UsbError error = _device.TryOpen(out UsbDeviceHandle? handle);
        if (error != UsbError.Success)
        {
            Unreadable = error == UsbError.Access ? "no permission" : error.ToString();
            return;
        }

        using (handle)
        {
            Manufacturer = Read(handle!, descriptor.ManufacturerIndex);
            Product = Read(handle!, descriptor.ProductIndex);
            SerialNumber = Read(handle!, descriptor.SerialNumberIndex);
        }
    }

    // The device determines the text. Control characters in this text must not reach the terminal.
    private static string? Read(UsbDeviceHandle handle, byte index) =>
        handle.TryGetString(index, out string? text) == UsbError.Success
            ? string.Concat(text!.Select(character => char.IsControl(character) ? '?' : character)).Trim()
            : null;
}
