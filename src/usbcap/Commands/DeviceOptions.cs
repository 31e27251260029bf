using System.CommandLine;
using System.CommandLine.Parsing;
using Native.LibUsb;
using Usbcap.Selection;

namespace Usbcap.Commands;

/// <summary>Represents the options that select a device. All commands share them.</summary>
internal sealed class DeviceOptions
{
    private readonly Option<ushort?> _vendor = new("--vendor", "-v") { Description = "vendor ID (idVendor), hexadecimal", HelpName = "id", CustomParser = Arguments.Id };
    private readonly Option<ushort?> _product = new("--product", "-p") { Description = "product ID (idProduct), hexadecimal", HelpName = "id", CustomParser = Arguments.Id };
    private readonly Option<string?> _serial = new("--serial", "-s") { Description = "exact serial number", HelpName = "text", CustomParser = Text };
    private readonly Option<UsbPortPath?> _port = new("--port") { Description = "port of the device: bus-port.port, such as 1-2.3", HelpName = "port", CustomParser = Arguments.Port };

    public void AddTo(Command command)
    {
        command.Options.Add(_vendor);
        command.Options.Add(_product);
        command.Options.Add(_serial);
        command.Options.Add(_port);
    }

    public DeviceSelection Read(ParseResult parsed) => new()
    {
        VendorId = parsed.GetValue(_vendor),
        ProductId = parsed.GetValue(_product),
        SerialNumber = parsed.GetValue(_serial),
        Port = parsed.GetValue(_port),
    };

    private static string? Text(ArgumentResult result) => result.Tokens[0].Value;
}
