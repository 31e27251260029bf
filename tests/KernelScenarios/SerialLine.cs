using System.Globalization;
using System.Text.Json.Nodes;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the line of QEMU's serial adapters: a UDP socket that sends to itself, so that written data comes back.</summary>
internal static class SerialLine
{
    /// <summary>Specifies QEMU's name for the line.</summary>
    public const string Name = "echo";

    /// <summary>Creates the line, once: the machine keeps it, because an unplugged device releases its line late.</summary>
    public static void Make()
    {
        foreach (JsonNode? there in Qmp.Monitor.Execute("query-chardev")!.AsArray())
        {
            if ((string?)there!["label"] == Name)
                return;
        }

        string port = (40000 + (Environment.TickCount64 % 20000)).ToString(CultureInfo.InvariantCulture); // a port of the host, on which other machines may run
        Qmp.Monitor.Execute("chardev-add", new JsonObject
        {
            ["id"] = Name,
            ["backend"] = new JsonObject
            {
                ["type"] = "udp",
                ["data"] = new JsonObject { ["remote"] = Address(port), ["local"] = Address(port) },
            },
        });
    }

    private static JsonObject Address(string port) => new()
    {
        ["type"] = "inet",
        ["data"] = new JsonObject { ["host"] = "127.0.0.1", ["port"] = port },
    };
}
