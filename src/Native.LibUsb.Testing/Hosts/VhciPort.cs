using System.Globalization;

namespace Native.LibUsb.Testing;

/// <summary>Represents a port of vhci_hcd: a socket whose other end serves a device can be attached to it.</summary>
/// <param name="Controller">The folder of its controller in sysfs.</param>
/// <param name="Number">Its number among the ports of all controllers.</param>
/// <param name="Bus">The bus it is on.</param>
/// <param name="Place">Its number on the root hub of that bus, from 1.</param>
/// <param name="IsSuperSpeed">Whether it is for SuperSpeed devices, or for those of the other speeds.</param>
/// <param name="IsFree">Whether nothing was attached when the list was made.</param>
internal sealed record VhciPort(string Controller, int Number, int Bus, int Place, bool IsSuperSpeed, bool IsFree)
{
    /// <summary>The first controller, which has the files of all.</summary>
    public const string FirstController = "/sys/devices/platform/vhci_hcd.0";

    private const int Free = 4;

    /// <summary>Gets the device at it, as sysfs names it.</summary>
    public string Name { get; } = $"{Bus}-{Place}";

    /// <summary>Gets all ports. Each controller has two root hubs, one for SuperSpeed, and a file with a line for each port: kind, number, state...</summary>
    public static List<VhciPort> All()
    {
        List<VhciPort> ports = [];
        for (int index = 0; ; index++)
        {
            string controller = FirstController[..^1] + index.ToString(CultureInfo.InvariantCulture);
            if (!Directory.Exists(controller))
                return ports;
            int[] buses =
            [
                .. Directory.GetDirectories(controller, "usb?*")
                    .Where(bus => char.IsAsciiDigit(bus[^1]))
                    .Select(bus => int.Parse(Path.GetFileName(bus).AsSpan(3), CultureInfo.InvariantCulture))
                    .Order(),
            ];
            if (buses.Length != 2)
                continue; // not probed
            string status = Path.Combine(FirstController, index == 0 ? "status" : $"status.{index}");
            int[] places = new int[2];
            foreach (string line in File.ReadLines(status).Skip(1))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                int hub = fields[0] == "ss" ? 1 : 0;
                ports.Add(new VhciPort(controller, Parse(fields[1]), buses[hub], ++places[hub], hub == 1, Parse(fields[2]) == Free));
            }
        }
    }

    private static int Parse(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
