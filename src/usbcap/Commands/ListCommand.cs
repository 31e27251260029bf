using System.CommandLine;
using Native.LibUsb;
using Usbcap.Reporting;
using Usbcap.Selection;

namespace Usbcap.Commands;

/// <summary>Defines the command <c>usbcap list</c>.</summary>
internal static class ListCommand
{
    public static Command Create()
    {
        var device = new DeviceOptions();
        Option<bool> verbose = new("--verbose") { Description = "include configurations, interfaces, alternate settings and endpoints" };
        Option<bool> json = new("--json") { Description = "write all information as JSON" };
        var command = new Command("list", "Lists the connected devices with their port, address, vendor and product IDs, speed and strings.") { verbose, json };
        device.AddTo(command);
        command.SetAction(parsed => Run(device.Read(parsed), parsed.GetValue(verbose), parsed.GetValue(json)));
        return command;
    }

    private static int Run(DeviceSelection selection, bool verbose, bool json)
    {
        using var context = new UsbContext();
        using UsbDeviceList devices = context.GetDevices();
        List<DeviceReport> reports = [.. devices
            .Where(device => selection.IsEmpty || selection.Fits(device))
            .OrderBy(device => device.PortPath.ToString(), StringComparer.Ordinal)
            .Select(DeviceReport.Of)];
        if (json)
        {
            using Stream output = Console.OpenStandardOutput();
            DeviceReport.WriteJson(reports, output);
        }
        else
        {
            foreach (DeviceReport report in reports)
                report.WriteText(Console.Out, verbose);
        }

        if (reports.Count > 0 || selection.IsEmpty)
            return (int)ExitCode.Success;
        throw new FailureException(ExitCode.NoDevice, "no device matches the options");
    }
}
