using System.Globalization;
using System.Text.Json.Nodes;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Represents the line of QEMU's serial adapters. The line is a UDP socket that sends to itself, so an adapter receives the data that it sends.
/// </summary>
internal static class SerialLine
{
    /// <summary>Specifies the name by which QEMU identifies the line.</summary>
    public const string Name = "echo";

    /// <summary>
    /// Creates the line if it does not exist. The line remains until the virtual machine shuts down. No test deletes the line, because QEMU releases the line
    /// of an unplugged device only after a delay.
    /// </summary>
    public static void Make()
    {
        foreach (JsonNode? there in Qmp.Monitor.Execute("query-chardev")!.AsArray())
        {
            if ((string?)there!["label"] == Name)
                return;
        }

        string port = (40000 + (Environment.TickCount64 % 20000)).ToString(CultureInfo.InvariantCulture); // a random port, because the host may run several machines
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
