using System.Diagnostics;
using System.Text.Json;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests the usbvbus program, which the tests start without preload libraries, as a user does.</summary>
public sealed class UsbVBusTests
{
    private static bool Possible => VirtualBus.ChildrenUnavailableReason is null;

    [BusFact]
    public void The_exit_code_of_the_program_is_passed_on()
    {
        using Watchdog watchdog = new();
        Assert.Equal(7, Run("", "run", "--", "sh", "-c", "exit 7").Exit);
        Assert.Equal(127, Run("", "run", "--", "no-such-program-anywhere").Exit);
    }

    [BusFact]
    public void Standard_input_and_output_are_those_of_the_program()
    {
        using Watchdog watchdog = new();
        Assert.Equal("to and fro\n", Run("to and fro\n", "run", "--", "cat").Output);
    }

    [BusFact]
    public void Devices_are_at_the_requested_ports()
    {
        using Watchdog watchdog = new();
        (int exit, string output, _) = Run("", "run", "-d", "interrupt:port=1-2.3", "-d", "hub:port=1-2", "-d", "camera:speed=super,port=4-1,vendor=abcd,serial=S1", "--",
            "sh", "-c", "ls /sys/bus/usb/devices | grep -v :; cat /sys/bus/usb/devices/4-1/idVendor /sys/bus/usb/devices/4-1/serial /sys/bus/usb/devices/4-1/speed");
        Assert.Equal(0, exit);
        Assert.Equal(["1-2", "1-2.3", "4-1", "usb1", "usb4", "abcd", "S1", "5000"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [BusTheory]
    [InlineData("toaster", "'toaster' is not a model")]
    [InlineData("camera:speed=warp", "'warp' is not a speed")]
    [InlineData("camera:streams=2", "'streams=2' is not NAME=VALUE")]
    [InlineData("loopback:vendor=xyz", "vendor=xyz is not a hexadecimal number")]
    [InlineData("interrupt:size=65", "65")]
    [InlineData("camera:port=1", "'1' is not a port")]
    public void A_mistake_in_a_device_is_explained_and_nothing_runs(string device, string message)
    {
        using Watchdog watchdog = new();
        (int exit, string output, string error) = Run("", "run", "-d", device, "--", "echo", "ran");
        Assert.NotEqual(0, exit);
        Assert.DoesNotContain("ran\n", output, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [BusFact]
    public void A_kill_is_passed_on()
    {
        using Watchdog watchdog = new();
        using Process process = Start("run", "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done");
        Assert.Equal("ready", process.StandardOutput.ReadLine());
        Signals.Send(process.Id, "TERM");
        process.WaitForExit();
        Assert.Equal(9, process.ExitCode);
    }

    [BusFact]
    public void Check_accepts_a_perfect_file_and_refuses_a_flawed_one()
    {
        using Watchdog watchdog = new();
        string file = Path.GetTempFileName();
        try
        {
            byte[] bytes = new byte[512 * 100];
            for (int i = 0; i < 100; i++)
                NumberedPattern.Fill(bytes.AsSpan(i * 512, 512), (ulong)i);
            File.WriteAllBytes(file, bytes);
            Assert.Equal((0, "100 packets, 51200 bytes, 0 lost, 0 bytes wrong, 0 repeated, 0 out of order, 0 bytes left over\n"), First(Run("", "check", file, "--packet-size", "512")));

            bytes[70 * 512 + 100] ^= 4;
            File.WriteAllBytes(file, [.. bytes[..(512 * 20)], .. bytes[(512 * 23)..]]);
            (int exit, string output, _) = Run("", "check", file, "--packet-size", "512", "--json");
            using JsonDocument json = JsonDocument.Parse(output);
            Assert.Equal(1, exit);
            Assert.False(json.RootElement.GetProperty("perfect").GetBoolean());
            Assert.Equal((97, 3, 1), (json.RootElement.GetProperty("packets").GetInt32(), json.RootElement.GetProperty("lost").GetInt32(), json.RootElement.GetProperty("mismatchedBytes").GetInt32()));
            Assert.Equal(2, Run("", "check", file + ".missing", "--packet-size", "512").Exit);
            Assert.NotEqual(0, Run("", "check", file, "--packet-size", "7").Exit);
        }
        finally
        {
            File.Delete(file);
        }

        static (int, string) First((int Exit, string Output, string Error) result) => (result.Exit, result.Output);
    }

    private static (int Exit, string Output, string Error) Run(string input, params string[] arguments)
    {
        using Process process = Start(arguments);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static Process Start(params string[] arguments)
    {
        Assert.True(Possible);
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "usbvbus"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        VirtualBus.RemoveFrom(start);
        return Process.Start(start)!;
    }
}
