using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Represents the monitor of QEMU, which emulates the machine of the tests. Each command, each answer and each event is one line of JSON.</summary>
/// <remarks>
/// The connection stays open while the machine runs. All test programs use the same connection one after the other, so only the first program receives the
/// monitor's greeting.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The one monitor lives as long as the program.")]
public sealed class Qmp
{
    private static readonly Lazy<Qmp> s_monitor = new(() => new Qmp());

    private readonly Lock _turn = new();
    private readonly FileStream _port;
    private readonly StreamReader _answers;
    private int _commands;

    private Qmp()
    {
        _port = new FileStream(Machine.MonitorPort, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        _answers = new StreamReader(_port);
        try
        {
            Execute("qmp_capabilities"); // Execute ignores the greeting in the same way as an event
        }
        catch (QmpException refused) when (refused.ErrorClass == "CommandNotFound")
        {
            // An earlier program has already negotiated the capabilities.
        }
    }

    /// <summary>Gets the only monitor of the machine.</summary>
    public static Qmp Monitor => s_monitor.Value;

    /// <summary>Executes a command and waits for its answer. The method ignores events that precede the answer.</summary>
    /// <exception cref="QmpException">The monitor refused the command.</exception>
    public JsonNode? Execute(string command, JsonObject? arguments = null)
    {
        lock (_turn)
        {
            string id = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.{++_commands}");
            JsonObject message = new() { ["execute"] = command, ["id"] = id };
            if (arguments is not null)
                message["arguments"] = arguments;
            _port.Write(System.Text.Encoding.UTF8.GetBytes(message.ToJsonString() + "\n"));
            while (true)
            {
                string line = _answers.ReadLine() ?? throw new EndOfStreamException("The monitor closed the connection.");
                JsonNode answer = JsonNode.Parse(line)!;
                if ((string?)answer["id"] != id)
                    continue;
                if (answer["error"] is { } error)
                    throw new QmpException(command, (string)error["class"]!, (string)error["desc"]!);
                return answer["return"];
            }
        }
    }
}
