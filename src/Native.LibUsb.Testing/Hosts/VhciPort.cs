using System.Globalization;

namespace Native.LibUsb.Testing;

/// <summary>Represents a port of vhci_hcd. To plug in a device, the host attaches one of two connected sockets to a port. The bus uses the other socket to
/// answer on behalf of the device.</summary>
/// <param name="Controller">The directory of the port's controller in sysfs.</param>
/// <param name="Number">The number of the port among the ports of all controllers.</param>
/// <param name="Bus">The number of the port's bus.</param>
/// <param name="Place">The number of the port on the root hub of that bus, counted from 1.</param>
/// <param name="IsSuperSpeed">Whether the port is for SuperSpeed devices. If the value is false, the port is for all slower devices.</param>
/// <param name="IsFree">Whether the port was free when the list was created.</param>
internal sealed record VhciPort(string Controller, int Number, int Bus, int Place, bool IsSuperSpeed, bool IsFree)
{
    /// <summary>The directory of the first controller, which contains the files for all controllers.</summary>
    public const string FirstController = "/sys/devices/platform/vhci_hcd.0";

    private const int Free = 4;

    /// <summary>Gets the name that sysfs uses for a device at this port.</summary>
    public string Name { get; } = $"{Bus}-{Place}";

    /// <summary>
    /// Returns all ports. Each controller has a status file and two root hubs. One of the hubs is for SuperSpeed. In the status file, each port has a line
    /// with its kind, its number, its state and further fields.
    /// </summary>
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
                continue; // no driver has probed this controller
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
