using System.Diagnostics;
using System.Text;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>
/// Runs a scenario in a process of its own: the same program once more, told which one. What libusb keeps for a whole process is as at the
/// start there, and stays there.
/// </summary>
public static class FreshProcess
{
    private const string Marker = "--scenario";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Starts a scenario, and fails with what it has written when it does not succeed.</summary>
    /// <param name="bus">The bus that it sees; null for a process without the preload libraries.</param>
    /// <param name="scenario">Its name in <see cref="FreshScenarios"/>.</param>
    /// <param name="arguments">What it is told.</param>
    /// <param name="environment">Variables to set.</param>
    public static void Run(VirtualBus? bus, string scenario, string[]? arguments = null, params (string Name, string Value)[] environment)
    {
        string[] command = [.. Self(), Marker, scenario, .. arguments ?? []];
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("LIBUSB_DEBUG");
        if (bus is null)
            VirtualBus.RemoveFrom(start);
        else
            bus.ApplyTo(start);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        var output = new StringBuilder();
        using Process process = new() { StartInfo = start };
        process.OutputDataReceived += (_, e) => Append(e.Data);
        process.ErrorDataReceived += (_, e) => Append(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill();
            process.WaitForExit();
            Assert.Fail($"{scenario} did not end: {output}");
        }

        process.WaitForExit(); // and the end of its output
        Assert.True(process.ExitCode == 0 && output.ToString().Contains($"passed {scenario}", StringComparison.Ordinal), $"{scenario} ended with {process.ExitCode}: {output}");

        void Append(string? line)
        {
            lock (output)
                output.Append(line).Append('\n');
        }
    }

    /// <summary>Returns whether a program was started for a scenario, and not for what it usually does.</summary>
    /// <param name="arguments">The program's arguments.</param>
    /// <param name="exitCode">What the program is to return.</param>
    public static bool IsScenario(string[] arguments, out int exitCode)
    {
        exitCode = 0;
        if (arguments is not [Marker, string name, .. string[] rest])
            return false;
        using var watchdog = new Watchdog(seconds: 50, test: name);
        try
        {
            FreshScenarios.All[name](rest);
            Console.WriteLine($"passed {name}");
        }
        catch (Exception exception)
        {
            Console.Error.WriteLine(exception);
            exitCode = 1;
        }

        return true;
    }

    /// <summary>Returns how this program is started.</summary>
    private static string[] Self()
    {
        // As it was started, which may be through a loader of its own; without the arguments.
        string[] all = File.ReadAllText("/proc/self/cmdline").Split('\0', StringSplitOptions.None)[..^1];
        return all[..^(Environment.GetCommandLineArgs().Length - 1)];
    }
}
