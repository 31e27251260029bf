using System.Globalization;

namespace Native.LibUsb.Testing;

/// <summary>Represents a port of a bus in the notation of sysfs: <c>1-2.3</c> is port 3 of the hub at port 2 of bus 1.</summary>
internal readonly record struct UsbPort(int Bus, IReadOnlyList<byte> Ports, string? Parent)
{
    private const int MostBuses = 127, MostPorts = 6;

    /// <exception cref="ArgumentException">The text is not a port.</exception>
    public static UsbPort Parse(string port)
    {
        string[] halves = port.Split('-');
        if (halves.Length == 2 && int.TryParse(halves[0], NumberStyles.None, CultureInfo.InvariantCulture, out int bus) && bus is >= 1 and <= MostBuses)
        {
            string[] names = halves[1].Split('.');
            byte[] ports = [.. names.Select(name => byte.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out byte number) ? number : (byte)0)];
            if (ports.Length <= MostPorts && !ports.Contains((byte)0))
                return new UsbPort(bus, ports, ports.Length == 1 ? null : port[..port.LastIndexOf('.')]);
        }
        throw new ArgumentException($"'{port}' is not a port such as 1-2 or 1-2.3 (at most six ports).", nameof(port));
    }
}
