using System.Text.Json.Nodes;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests the QEMU monitor, through which the other tests plug devices in.</summary>
public sealed class QmpTests
{
    [Fact]
    public void The_monitor_answers()
    {
        using Watchdog watchdog = new();
        JsonNode version = Qmp.Monitor.Execute("query-version")!;
        Assert.True((int)version["qemu"]!["major"]! >= 7);
        Assert.Equal("running", (string?)Qmp.Monitor.Execute("query-status")!["status"]);
    }

    [Fact]
    public void A_refused_command_throws()
    {
        using Watchdog watchdog = new();
        QmpException unknown = Assert.Throws<QmpException>(() => Qmp.Monitor.Execute("no-such-command"));
        Assert.Equal("CommandNotFound", unknown.ErrorClass);
        QmpException device = Assert.Throws<QmpException>(() => Qmp.Monitor.Execute("device_add", new JsonObject { ["driver"] = "no-such-device" }));
        Assert.Equal("GenericError", device.ErrorClass);
    }
}
