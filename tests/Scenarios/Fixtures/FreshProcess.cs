using System.Diagnostics;
using System.Text;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests;

/// <summary>
/// Runs a scenario in a new process of the same program. In the new process, libusb's process-wide state has its initial values. The scenario can change this
/// state without affecting other tests.
/// </summary>
public static class FreshProcess
{
    private const string Marker = "--scenario";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs a scenario. If the scenario fails or does not end, the test fails with a message that contains the output of the process.</summary>
    /// <param name="bus">The bus that the process uses; null for a process without the preload library.</param>
    /// <param name="scenario">The name of the scenario in <see cref="FreshScenarios"/>.</param>
    /// <param name="arguments">The arguments of the scenario.</param>
    /// <param name="environment">Additional environment variables of the process.</param>
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

        process.WaitForExit(); // waits for the end of the output too
        Assert.True(process.ExitCode == 0 && output.ToString().Contains($"passed {scenario}", StringComparison.Ordinal), $"{scenario} ended with {process.ExitCode}: {output}");

        void Append(string? line)
        {
            lock (output)
                output.Append(line).Append('\n');
        }
    }

    /// <summary>Runs the scenario that the arguments specify.</summary>
    /// <param name="arguments">The program's arguments.</param>
    /// <param name="exitCode">Receives the exit code that the program returns.</param>
    /// <returns>True if the arguments specify a scenario.</returns>
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

    /// <summary>Returns the command line that starts this program.</summary>
    private static string[] Self()
    {
        // The command line of this process may begin with a dynamic loader, and ends with the program's arguments. This method removes only the arguments, so
        // that the result still starts the program through the loader.
        string[] all = File.ReadAllText("/proc/self/cmdline").Split('\0', StringSplitOptions.None)[..^1];
        return all[..^(Environment.GetCommandLineArgs().Length - 1)];
    }
}
