using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Examples;

/// <summary>Tests the program that contains the examples. The tests start the program in the same way as a user.</summary>
public sealed class ProgramTests
{
    [BusTheory]
    [InlineData("loopback", "basic-transfer 1209 0011", "Transfer submitted", "Received: 48656c6c6f2c2055534221")]
    [InlineData("loopback", "awaited-transfers 1209 0011 3", "Writing to endpoint 0x02, reading from endpoint 0x82", "Reading was cancelled after 0 bytes")]
    [InlineData("loopback", "concurrent-transfers 1209 0011 5", "Started 4 concurrent transfers", "All transfers ended")]
    [InlineData("interrupt", "interrupt-read 1209 0012 2", "Reading 2 reports of up to 8 bytes from endpoint 0x83", "Report: ")]
    [InlineData("camera:paced=false", "iso-streaming 1209 0010", "Started isochronous streaming: packets of 512 bytes", "Streaming complete: 80 packets, 0 errors, 40960 bytes")]
    [InlineData("audio:deviation=200", "audio-playback 1209 0015", "Playing 1 s at 44100 Hz, 8 packets of up to 184 bytes in a transfer", "Played 44")]
    [InlineData("interrupt:period=5", "transfer-helper 1209 0012 3", "Transfer with helper submitted", "")]
    public void Each_example_runs_under_usbvbus(string device, string arguments, string first, string last)
    {
        using Watchdog watchdog = new();
        (int exit, string output, string error) = Run(Start("usbvbus", ["run", "-d", device, "--", Program, .. arguments.Split(' ')]));
        Assert.True(exit == 0, error);
        Assert.Equal("", error);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(first, lines[0]);
        Assert.StartsWith(last, lines[^1], StringComparison.Ordinal);
    }

    [BusFact]
    public void The_event_loop_greets_a_client_from_outside()
    {
        using Watchdog watchdog = new();
        using Process process = Start("usbvbus", "run", "-d", "interrupt", "--", Program, "event-loop", "1209", "0012", "1", "3");
        using var client = new TcpClient();
        client.Connect(IPAddress.Loopback, ReadPort(process));
        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("Hello from the USB event loop!\n", reader.ReadToEnd());
        (int exit, string output, string error) = Run(process);
        Assert.True(exit == 0, error);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("Event loop stopped", lines[^1]);
        Assert.Equal(3, lines.Count(static line => line == "USB: received 8 bytes"));
        Assert.Single(lines, "TCP: greeted a client");
    }

    [BusFact]
    public void Control_C_stops_the_event_loop()
    {
        using Watchdog watchdog = new();
        using VirtualBus bus = TestBus.Create();
        bus.Attach(new InterruptSource());
        ProcessStartInfo start = new(Program, ["event-loop", "1209", "0012"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        bus.ApplyTo(start);
        using Process process = Process.Start(start)!;
        ReadPort(process);
        Signals.Send(process.Id, "INT");
        (int exit, string output, string error) = Run(process);
        Assert.True(exit == 0, error);
        Assert.Equal("Event loop stopped\nUSB: Canceled\n", output);
    }

    [BusFact]
    public void A_device_that_is_not_there_is_an_error()
    {
        using Watchdog watchdog = new();
        (int exit, string output, string error) = Run(Start("usbvbus", "run", "--", Program, "basic-transfer", "1209", "0011"));
        Assert.Equal((1, "", "examples: The device is not plugged in.\n"), (exit, output, error));
    }

    [Theory]
    [InlineData("")]
    [InlineData("basic-transfer 1209")]
    [InlineData("basic-transfer 1209 xyz")]
    [InlineData("basic-transfer 1209 0011 5")]
    [InlineData("iso-streaming 1209 0010 -1")]
    [InlineData("toast 1209 0010")]
    public void Misuse_prints_the_usage(string arguments)
    {
        using Watchdog watchdog = new();
        (int exit, string output, string error) = Run(Start("examples", arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal((2, ""), (exit, output));
        Assert.StartsWith("usage: examples ", error, StringComparison.Ordinal);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "examples");

    private static int ReadPort(Process process)
    {
        for (string? line; (line = process.StandardOutput.ReadLine()) is not null;)
        {
            const string before = "Server listening on port ";
            if (line.StartsWith(before, StringComparison.Ordinal))
                return int.Parse(line.AsSpan(before.Length), CultureInfo.InvariantCulture);
        }

        Assert.Fail($"The program ended too early: {process.StandardError.ReadToEnd()}");
        return 0;
    }

    private static (int Exit, string Output, string Error) Run(Process process)
    {
        using (process)
        {
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
    }

    /// <summary>Starts a program from the folder of the tests. The program does not use the bus of the tests.</summary>
    private static Process Start(string name, params string[] arguments)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, name), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        VirtualBus.RemoveFrom(start);
        return Process.Start(start)!;
    }
}
